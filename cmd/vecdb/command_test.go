package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/vecdb/vecdb/client"
	"github.com/vecdb/vecdb/embedder"
	"github.com/vecdb/vecdb/embedder/hash"
	"github.com/vecdb/vecdb/internal/core"
	"github.com/vecdb/vecdb/query"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// rig is where the commands of one test run: a database directory, and an
// embedder that needs no files.
type rig struct {
	t         *testing.T
	dir       string
	in        io.Reader
	env       map[string]string
	packages  []byte
	listening func(string)
	memory    func() (int64, bool)
	reads     int // words of a text that the embedder reads, 0 for all
}

func newRig(t *testing.T) *rig {
	t.Helper()
	home := t.TempDir()
	return &rig{t: t, dir: filepath.Join(t.TempDir(), "db"), in: strings.NewReader(""), env: map[string]string{"VECDB_HOME": home}}
}

// run runs a command line and returns the exit code and both outputs.
func (b *rig) run(ctx context.Context, args ...string) (code int, out, err string) {
	b.t.Helper()
	var stdout, stderr bytes.Buffer
	a := &app{
		in: b.in, out: &stdout, err: &stderr, getenv: func(k string) string { return b.env[k] }, listening: b.listening, memoryAvailable: b.memory,
		packages: func(context.Context) ([]byte, error) { return b.packages, nil },
		openModel: func(_ context.Context, model, _ string) (embedder.Embedder, error) {
			manifest, err := embedder.DefaultManifest()
			if err != nil {
				return nil, err
			}
			m, err := manifest.Model(model)
			return hash.Limited(m.Dim, b.reads), err
		},
	}
	code = a.run(ctx, args)
	return code, stdout.String(), stderr.String()
}

// ok runs a command on the directory and fails the test unless it succeeds.
func (b *rig) ok(args ...string) string {
	b.t.Helper()
	return b.want(exitOK, args...)
}

func (b *rig) want(code int, args ...string) string {
	b.t.Helper()
	got, out, errs := b.run(b.t.Context(), append(args, "--db", b.dir)...)
	if got != code {
		b.t.Fatalf("vecdb %s: exit code %d, want %d\n%s%s", strings.Join(args, " "), got, code, out, errs)
	}
	return out
}

func (b *rig) file(name, content string) string {
	b.t.Helper()
	path := filepath.Join(b.t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		b.t.Fatal(err)
	}
	return path
}

func decode[T any](t *testing.T, text string) T {
	t.Helper()
	var v T
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return v
}

const films = "id,title,overview,year,label\n" +
	"a1,Nemo,a father fish looks for his son in the sea,2003,family\n" +
	"a2,Alien,a crew meets a monster in space,1979,horror\n" +
	"a3,Solaris,a doctor meets his dead wife in space,1972,drama\n" +
	"a4,Jaws,a shark hunts people by the sea,1975,horror\n"

func TestAddSearchAndTheRest(t *testing.T) {
	b := newRig(t)
	sum := decode[summary](t, b.ok("add", "--json", b.file("films.csv", films)))
	if sum.Created != 4 || sum.Updated != 0 || sum.Refused != 0 || sum.Collection != "default" || sum.Tokens == 0 {
		t.Errorf("summary %+v", sum)
	}
	if sum := decode[summary](t, b.ok("add", "--json", b.file("films.csv", films))); sum.Created != 0 || sum.Updated != 4 {
		t.Errorf("adding again: %+v", sum)
	}
	if sum := decode[summary](t, b.ok("add", "--json", "--duplicates", "skip", b.file("more.csv", strings.ReplaceAll(films, "\na", "\nb")))); sum.Skipped != 4 || sum.Created != 0 {
		t.Errorf("adding duplicates: %+v", sum)
	}
	hits := decode[query.Response](t, b.ok("search", "--json", "father", "son", "sea", "--limit", "2")).Hits
	if len(hits) != 2 || hits[0].ID != "a1" || hits[0].Document.Fields["year"] != int64(2003) {
		t.Errorf("search: %+v", hits)
	}
	hits = decode[query.Response](t, b.ok("search", "--json", "space", "-f", "year<1975", "-f", "label!=horror", "--fields", "year")).Hits
	if len(hits) != 1 || hits[0].ID != "a3" || hits[0].Document.Text != "" {
		t.Errorf("filtered search: %+v", hits)
	}
	if n := decode[query.CountResponse](t, b.ok("count", "--json", "-f", "title~=aw", "-f", "year>=1970")); n.Count != 1 {
		t.Errorf("count: %+v", n)
	}
	if out := b.ok("count", "-f", "label^=horr"); strings.TrimSpace(out) != "2" {
		t.Errorf("count prints %q", out)
	}
	if out := b.ok("facet", "label"); !strings.Contains(out, "horror") {
		t.Errorf("facet prints %q", out)
	}
	page := decode[query.ListResponse](t, b.ok("list", "--json", "--sort", "year:desc", "-n", "3", "-f", "year>1900"))
	if len(page.Documents) != 3 || page.Documents[0].ID != "a1" || page.Cursor == "" {
		t.Errorf("list: %+v", page)
	}
	if rest := b.ok("list", "--sort", "year:desc", "-f", "year>1900", "--cursor", page.Cursor, "--fields", "year"); strings.Contains(rest, "2003") || !strings.Contains(rest, "19") {
		t.Errorf("list prints %q", rest)
	}
	if out := b.ok("search", "sea", "--group-by", "label", "--group-size", "1"); !strings.Contains(out, "label: horror") {
		t.Errorf("groups print %q", out)
	}
	hits = decode[query.Response](t, b.ok("search", "--json", "sea", "--sort", "year")).Hits
	if len(hits) != 4 || hits[3].ID != "a1" {
		t.Errorf("sorted search: %+v", hits)
	}
	if lines := strings.Count(b.ok("search", "--jsonl", "space", "-n", "3"), "\n"); lines != 3 {
		t.Errorf("%d lines of JSON", lines)
	}
	hits = decode[query.Response](t, b.ok("similar", "a2", "--json", "-n", "1")).Hits
	if len(hits) != 1 || hits[0].ID == "a2" {
		t.Errorf("similar: %+v", hits)
	}
	hits = decode[query.Response](t, b.ok("recommend", "--json", "--like", "a2", "--like-text", "sea", "--dislike-text", "father", "--exclude", "a3", "--explain")).Hits
	if len(hits) != 2 || hits[0].ID != "a4" || len(hits[0].Explain.Because) == 0 {
		t.Errorf("recommend: %+v", hits)
	}
	if got := decode[core.Document](t, b.ok("get", "a4", "--json")); got.Text != "Jaws. a shark hunts people by the sea" || got.Vector != nil {
		t.Errorf("get: %+v", got)
	}
	if got := decode[core.Document](t, b.ok("get", "a4", "--json", "--vector")); len(got.Vector) != 384 {
		t.Errorf("get --vector: %d numbers", len(got.Vector))
	}
	if got := decode[client.Stats](t, b.ok("stats", "--json")); got.Documents != 4 || got.Index.Vectors != 4 {
		t.Errorf("stats: %+v", got)
	}
	if got := decode[client.DeleteResult](t, b.ok("delete", "a1", "none", "--json")); got.Deleted != 1 {
		t.Errorf("delete: %+v", got)
	}
	b.want(exitUsage, "delete", "--filter", "label=horror")
	if got := decode[client.DeleteResult](t, b.ok("delete", "--filter", "label=horror", "--yes", "--json")); got.Deleted != 2 {
		t.Errorf("delete by filter: %+v", got)
	}
	b.want(exitNotFound, "get", "a1")
	b.want(exitNotFound, "delete", "a1")
}

func TestPeopleReadTablesAndWhatToDoNext(t *testing.T) {
	b := newRig(t)
	b.env["COLUMNS"] = "80"
	code, out, notes := b.run(t.Context(), "add", "--db", b.dir, b.file("films.csv", films))
	if code != exitOK || !strings.Contains(out, "4 documents stored in collection default") || !strings.Contains(out, "next: vecdb search --db "+b.dir) {
		t.Errorf("add printed %d\n%s", code, out)
	}
	for _, part := range []string{"films.csv: csv, commas, utf-8", "text: title + overview   id: id", "year (integer)", "new collection default: language en, model all-MiniLM-L6-v2 int8"} {
		if !strings.Contains(notes, part) {
			t.Errorf("add did not say %q:\n%s", part, notes)
		}
	}
	out = b.ok("search", "father and son", "--fields", "year", "-n", "1")
	lines := strings.Split(out, "\n")
	if len(lines) != 4 || !strings.HasPrefix(lines[0], "#  score") || !strings.Contains(lines[1], "Nemo. a father") || !strings.HasSuffix(lines[1], "2003") || !strings.HasPrefix(lines[2], "1 hit in ") {
		t.Errorf("search printed\n%s", out)
	}
	if out = b.ok("search", "-q", "father and son", "-n", "1"); strings.Contains(out, "hit in") {
		t.Errorf("--quiet printed\n%s", out)
	}
	if out = b.ok("search", "father", "-f", "year>3000"); !strings.Contains(out, "nothing found") {
		t.Errorf("search without hits printed\n%s", out)
	}
	if out = b.ok("get", "a1"); !strings.Contains(out, "id: a1\ntext: Nemo") || !strings.Contains(out, "\nyear: 2003\n") {
		t.Errorf("get printed\n%s", out)
	}
	if out = b.ok("collections"); !strings.Contains(out, "default  4          all-MiniLM-L6-v2 int8  384") {
		t.Errorf("collections printed\n%s", out)
	}
	if out = b.ok("stats", "--embedding-cache", "2GiB"); !strings.Contains(out, "documents           4\n") || !strings.Contains(out, "of 2.0 GiB; 0 of 0 texts") {
		t.Errorf("stats printed\n%s", out)
	}
	if out = b.ok("delete", "a1"); out != "deleted 1 document\n" {
		t.Errorf("delete printed %q", out)
	}
}

func TestClassifyTellsReasonsAndAccuracy(t *testing.T) {
	b := newRig(t)
	b.ok("add", b.file("films.csv", films))
	out := b.ok("classify", "a monster and a shark")
	if !strings.HasPrefix(out, "horror  ") || !strings.Contains(out, "because") || !strings.Contains(out, "Alien. a crew") {
		t.Errorf("classify printed\n%s", out)
	}
	dev := b.file("dev.csv", "text,label\na shark and a monster,horror\na father fish and his son,family\na doctor and his dead wife,horror\n")
	got := decode[struct {
		Results  []classified
		Right    int
		Judged   int
		Accuracy float64
	}](t, b.ok("classify", "--file", dev, "--truth", "label", "--json", "-k", "1"))
	if len(got.Results) != 3 || got.Right != 2 || got.Judged != 3 || *got.Results[2].Label != "drama" || got.Results[2].Truth != "horror" {
		t.Errorf("classify --file: %+v", got)
	}
	_, out, notes := b.run(t.Context(), "classify", "--db", b.dir, "--file", dev, "--truth", "label", "-k", "1")
	if !strings.Contains(out, "✓ horror") || !strings.Contains(out, "✗ drama") || !strings.Contains(notes, "accuracy 0.6667 (2 of 3 right)") {
		t.Errorf("classify --file printed\n%s%s", out, notes)
	}
	b.in = strings.NewReader("a monster\n\na father fish\n")
	if lines := strings.Count(b.ok("classify", "--file", "-", "--jsonl", "--min-probability", "0.1"), "\n"); lines != 2 {
		t.Errorf("%d lines", lines)
	}
}

func TestBrokenRecordsAreToldAndTheRestStays(t *testing.T) {
	b := newRig(t)
	path := b.file("a.jsonl", "{\"id\":\"a\",\"text\":\"one\"}\n{\"id\":\"b\",\"te\n{\"id\":\"c\",\"text\":\"\"}\n{\"id\":\"d\",\"text\":\"four\",\"vector\":[1,2]}\n{\"id\":\"e\",\"text\":\"five\"}\n")
	code, out, notes := b.run(t.Context(), "add", "--db", b.dir, path)
	if code != exitPartly || !strings.Contains(out, "2 documents stored") {
		t.Errorf("exit code %d, printed\n%s%s", code, out, notes)
	}
	for _, part := range []string{"3 records were refused:", "line 2: not JSON", "line 3: there is no text", "line 4 (id d): "} {
		if !strings.Contains(notes, part) {
			t.Errorf("no %q in\n%s", part, notes)
		}
	}
	b.ok("get", "a", "e")
}

func TestLaterRecordsReplaceEarlierOnes(t *testing.T) {
	b := newRig(t)
	var file strings.Builder
	file.WriteString("id,text\n")
	for i := range 4 * batchDocuments {
		file.WriteString("same,words number ")
		file.WriteString(count(i)[len(count(i))-1:])
		file.WriteString("\n")
	}
	file.WriteString("same,the last words\n")
	b.ok("add", b.file("a.csv", file.String()), "--id", "id")
	if got := decode[core.Document](t, b.ok("get", "same", "--json")); got.Text != "the last words" {
		t.Errorf("stored %q", got.Text)
	}
}

func TestCollectionsAreMadeForTheLanguage(t *testing.T) {
	b := newRig(t)
	b.in = strings.NewReader("今天的天气很好\n明天有雨\n")
	b.ok("add", "-", "-c", "zh")
	b.ok("add", b.file("v.jsonl", "{\"id\":\"a\",\"vector\":[1,0,0]}\n{\"id\":\"b\",\"vector\":[0,1,0]}\n"), "-c", "vectors")
	b.ok("collections", "create", "own", "--language", "zh", "--precision", "fp32", "--field", "year=integer")
	list := decode[client.Collections](t, b.ok("collections", "list", "--json")).Collections
	if len(list) != 3 || list[0].Name != "own" || list[1].Name != "vectors" || list[2].Name != "zh" {
		t.Fatalf("collections %+v", list)
	}
	if list[0].Precision != "fp32" || list[0].Fields["year"] != "integer" || list[1].Model != "" || list[1].Dimension != 3 || list[2].Model != "bge-small-zh-v1.5" || list[2].Documents != 2 {
		t.Errorf("collections %+v", list)
	}
	if code, _, notes := b.run(t.Context(), "add", "--db", b.dir, "-c", "zh", b.file("a.txt", "plain English words\n")); code != exitOK || !strings.Contains(notes, `the texts look like "en"`) {
		t.Errorf("exit code %d, told\n%s", code, notes)
	}
	b.want(exitError, "add", "-c", "zh", "--language", "en", b.file("a.txt", "plain English words\n"))
	b.want(exitUsage, "collections", "drop", "own")
	b.ok("collections", "drop", "own", "--yes")
	b.want(exitNotFound, "collections", "drop", "own", "--yes")
}

func TestTheFirstTextsChooseTheModel(t *testing.T) {
	b := newRig(t)
	if out := b.ok("collections", "create", "inbox", "--language", "auto"); !strings.Contains(out, "choose its model") {
		t.Errorf("told %q", out)
	}
	if out := b.ok("collections"); !strings.Contains(out, "not chosen yet") {
		t.Errorf("listed\n%s", out)
	}
	if out := b.ok("stats", "-c", "inbox"); !strings.Contains(out, "not chosen yet") || strings.Contains(out, "memory  ") {
		t.Errorf("the figures\n%s", out)
	}
	if out := b.ok("search", "rice", "-c", "inbox"); !strings.Contains(out, "not chosen yet") {
		t.Errorf("a search told\n%s", out)
	}
	if code, _, notes := b.run(t.Context(), "add", "--db", b.dir, "-c", "inbox", b.file("a.txt", "今天的天气很好\n明天有雨\n")); code != exitOK || !strings.Contains(notes, "first texts choose") || !strings.Contains(notes, "model: bge-small-zh-v1.5 int8") {
		t.Errorf("exit code %d, told\n%s", code, notes)
	}
	if out := b.ok("stats", "-c", "inbox"); !strings.Contains(out, "bge-small-zh-v1.5 int8 (chosen by the first texts)") {
		t.Errorf("the figures\n%s", out)
	}
	b.ok("collections", "create", "inbox", "--language", "auto")
	b.ok("add", "-c", "inbox", "--language", "auto", b.file("b.txt", "plain English words\n"))
	b.ok("add", "-c", "new", "--language", "auto", b.file("c.txt", "今天的天气很好\n"))
	if st := decode[client.Stats](t, b.ok("stats", "-c", "new", "--json")); st.Model != "bge-small-zh-v1.5" || st.ModelChoice != "" {
		t.Errorf("a collection that is made for a file has %+v", st)
	}
}

func TestExitCodes(t *testing.T) {
	b := newRig(t)
	b.ok("add", b.file("films.csv", films))
	for _, tt := range []struct {
		name string
		code int
		args []string
	}{
		{"unknown command", exitUsage, []string{"serach", "x"}},
		{"unknown flag", exitUsage, []string{"search", "x", "--wat"}},
		{"no text", exitUsage, []string{"search"}},
		{"bad filter", exitUsage, []string{"search", "x", "-f", "year"}},
		{"limit out of range", exitUsage, []string{"search", "x", "-n", "0"}},
		{"unknown subcommand", exitUsage, []string{"model", "fetch"}},
		{"json and jsonl", exitUsage, []string{"stats", "--json", "--jsonl"}},
		{"no size", exitUsage, []string{"stats", "--embedding-cache", "lots"}},
		{"too small a cache", exitUsage, []string{"stats", "--embedding-cache", "10kB"}},
		{"text column", exitUsage, []string{"add", b.file("films.csv", films), "--text", "plot"}},
		{"nothing liked", exitUsage, []string{"recommend", "--dislike", "a1"}},
		{"ids and filter", exitUsage, []string{"delete", "a", "-f", "a=1"}},
		{"unknown collection", exitNotFound, []string{"search", "x", "-c", "none"}},
		{"unknown document", exitNotFound, []string{"similar", "none"}},
		{"unknown file", exitNotFound, []string{"add", filepath.Join(b.dir, "none.csv")}},
		{"unknown model", exitNotFound, []string{"model", "show", "gpt"}},
		{"bad collection name", exitUsage, []string{"collections", "create", "a b"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			code, out, told := b.run(t.Context(), append(tt.args, "--db", b.dir)...)
			if code != tt.code || !strings.HasPrefix(told, "vecdb: ") && !strings.Contains(told, "\nvecdb: ") {
				t.Errorf("exit code %d, want %d\n%s%s", code, tt.code, out, told)
			}
		})
	}
	if code, _, told := b.run(t.Context(), "search", "x", "--db", filepath.Join(b.dir, "none")); code != exitNotFound || !strings.Contains(told, "vecdb add FILE") {
		t.Errorf("exit code %d without a database: %s", code, told)
	}
	if _, err := os.Stat(filepath.Join(b.dir, "none")); !errors.Is(err, os.ErrNotExist) {
		t.Error("a search made a database")
	}
	if code, _, told := b.run(t.Context(), "stats", "--url", "http://127.0.0.1:1"); code != exitError || !strings.Contains(told, "vecdb serve") {
		t.Errorf("exit code %d without a server: %s", code, told)
	}
	if _, out, _ := b.run(t.Context(), "help", "exit-codes"); !strings.Contains(out, "130  interrupted") {
		t.Errorf("help exit-codes printed %q", out)
	}
}

func TestEveryCommandHasAnExample(t *testing.T) {
	root := (&app{}).command()
	n := 0
	for _, c := range root.Commands() {
		for _, c := range append(c.Commands(), c) {
			if !c.Runnable() {
				continue
			}
			n++
			if c.Example == "" || c.Short == "" {
				t.Errorf("%s has no example or no short text", c.CommandPath())
			}
		}
	}
	if n < 20 {
		t.Errorf("only %d commands", n)
	}
}

func TestInterruptKeepsWhatWasAcknowledged(t *testing.T) {
	b := newRig(t)
	ctx, cancel := context.WithCancel(t.Context())
	r, w := io.Pipe()
	b.in = r
	go func() {
		line := strings.Repeat("word ", 10) + "\n"
		_, _ = io.WriteString(w, strings.Repeat(line, 40)+strings.Repeat(strings.Repeat("x", 80)+"\n", 20*batchFew))
		cancel()
		_ = w.CloseWithError(context.Canceled)
	}()
	code, _, told := b.run(ctx, "add", "-", "--db", b.dir)
	if code != exitInterrupted || !strings.Contains(told, "vecdb: interrupted") {
		t.Errorf("exit code %d: %s", code, told)
	}
	if got := decode[client.Stats](t, b.ok("stats", "--json")); got.Documents != got.Index.Vectors {
		t.Errorf("stats %+v", got)
	}
}

func TestServeAnswersAndStops(t *testing.T) {
	b := newRig(t)
	b.ok("add", b.file("films.csv", films))
	b.env["VECDB_API_KEY"] = "secret"
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	address := make(chan string, 1)
	b.listening = func(at string) { address <- at }
	type result struct {
		code      int
		out, told string
	}
	ended := make(chan result, 1)
	go func() {
		code, out, told := b.run(ctx, "serve", "--db", b.dir, "--addr", "127.0.0.1:0")
		ended <- result{code, out, told}
	}()
	url := "http://" + <-address
	code, out, told := b.run(t.Context(), "search", "father", "--url", url, "--json", "-n", "1")
	if code != exitOK || decode[query.Response](t, out).Hits[0].ID != "a1" {
		t.Errorf("search over the network: %d %s%s", code, out, told)
	}
	if code, out, _ := b.run(t.Context(), "version", "--url", url, "--json"); code != exitOK || decode[client.Version](t, out).Version == "" {
		t.Errorf("version: %d %s", code, out)
	}
	if code, _, told := b.run(t.Context(), "search", "father", "--db", b.dir); code != exitLocked || !strings.Contains(told, "--url") {
		t.Errorf("exit code %d for a directory in use: %s", code, told)
	}
	if code, out, _ := b.run(t.Context(), "doctor", "--db", b.dir); code != exitError || !strings.Contains(out, "in use by another process") {
		t.Errorf("doctor: %d\n%s", code, out)
	}
	without := *b
	without.env = map[string]string{"VECDB_API_KEY": "wrong"}
	if code, _, told := without.run(t.Context(), "search", "father", "--url", url); code != exitError || !strings.Contains(told, "key") {
		t.Errorf("exit code %d with a wrong key: %s", code, told)
	}
	if status := follow(t, tryCommand(strings.TrimPrefix(url, "http://"), "default", true), "secret"); status != http.StatusOK {
		t.Errorf("the command that is offered for a try is answered with %d", status)
	}
	http.DefaultClient.CloseIdleConnections()
	cancel()
	if r := <-ended; r.code != exitOK || !strings.Contains(r.out, "address  "+url) || !strings.Contains(r.out, "1 API key accepted") || !strings.Contains(r.told, "stopped") {
		t.Errorf("serve: %+v", r)
	}
}

// follow does what a printed curl command would and returns the status.
func follow(t *testing.T, command, key string) int {
	t.Helper()
	command = strings.ReplaceAll(command, "$VECDB_API_KEY", key)
	url, data := regexp.MustCompile(`http://\S+`).FindString(command), regexp.MustCompile(` -d '(.+?)'`).FindStringSubmatch(command)
	if url == "" || data == nil {
		t.Fatalf("not a command: %s", command)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(data[1]))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded") // curl's own choice
	for _, h := range regexp.MustCompile(` -H ['"](.+?): (.+?)['"]`).FindAllStringSubmatch(command, -1) {
		req.Header.Set(h[1], h[2])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	return resp.StatusCode
}

func TestServeRefusesAnOpenDoor(t *testing.T) {
	b := newRig(t)
	if code, _, told := b.run(t.Context(), "serve", "--db", b.dir, "--addr", "0.0.0.0:0"); code != exitUsage || !strings.Contains(told, "--insecure") {
		t.Errorf("exit code %d: %s", code, told)
	}
}
