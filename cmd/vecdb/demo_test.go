package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vecdb/vecdb/client"
	"github.com/vecdb/vecdb/internal/core"
	"github.com/vecdb/vecdb/query"
)

// packageList is what a package manager prints for n packages, of which every
// second is a library and every tenth repeats a description.
func packageList(n int) []byte {
	var b strings.Builder
	for i := range n {
		section := "games"
		if i%2 == 0 {
			section = "universe/libs"
		}
		fmt.Fprintf(&b, "Package: p%03d\nVersion: 1\nDescription: does thing %d of many\nSection: %s\n\n", i, i-i%10/9, section)
	}
	return []byte(b.String())
}

func TestDemoOnPackagesStartsAtOnceTheSecondTime(t *testing.T) {
	r := newRig(t)
	r.packages = packageList(400)
	out := r.ok("demo", "--limit", "160")
	for _, part := range []string{"apt-cache dumpavail", "160 documents stored in collection demo", "100 documents stored in collection demo-zh", "» edit photos", "games", "» classify", "because", "now try:"} {
		if !strings.Contains(out, part) {
			t.Errorf("no %q in\n%s", part, out)
		}
	}
	if strings.Contains(out, "libs") {
		t.Errorf("libraries came before programs:\n%s", out)
	}
	again := r.ok("demo", "--limit", "160")
	if strings.Contains(again, "stored in") || strings.Count(again, "ingested before") != 2 {
		t.Errorf("the second run ingested:\n%s", again)
	}
	changed := r.ok("demo", "--limit", "120")
	if !strings.Contains(changed, "120 documents stored in collection demo ") || !strings.Contains(changed, "100 documents, ingested before") {
		t.Errorf("other texts:\n%s", changed)
	}
	if err := os.Remove(filepath.Join(r.dir, demoState)); err != nil {
		t.Fatal(err)
	}
	if out := r.ok("demo", "--limit", "120"); strings.Contains(out, "ingested before") {
		t.Errorf("without marks:\n%s", out)
	}
}

func TestDemoOnTheTextsThatComeWithIt(t *testing.T) {
	r := newRig(t)
	r.packages = packageList(20) // too few to show anything
	out := r.ok("demo")
	if !strings.Contains(out, "150 documents stored in collection demo ") || !strings.Contains(out, "» what can I cook with old rice") {
		t.Errorf("printed\n%s", out)
	}
}

func TestDemoOnAFile(t *testing.T) {
	r := newRig(t)
	out := r.ok("demo", "--file", r.file("films.csv", films))
	if !strings.Contains(out, "4 documents stored in collection demo ") || strings.Count(out, "» like ") != 3 {
		t.Errorf("printed\n%s", out)
	}
	for line := range strings.Lines(r.ok("demo", "--file", r.file("films.csv", films), "--jsonl")) {
		if !json.Valid([]byte(line)) {
			t.Errorf("not JSON: %s", line)
		}
	}
}

func TestDemoServesOnTheNextFreePort(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	r := newRig(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r.listening = func(string) { cancel() }
	code, out, told := r.run(ctx, "demo", "--serve", "--db", r.dir, "--addr", taken.Addr().String())
	if code != exitOK || !strings.Contains(told, taken.Addr().String()+" is taken, so this one listens on 127.0.0.1:") || !strings.Contains(out, "  try      curl") {
		t.Errorf("exit code %d\n%s%s", code, out, told)
	}
}

func TestDemoTextsAreDistinctAndLabelled(t *testing.T) {
	for language, want := range map[string]int{"en": 150, "zh": 100} {
		c, err := builtin(language)
		if err != nil {
			t.Fatal(err)
		}
		labels, texts, ids := make(map[any]int), make(map[string]bool), make(map[string]bool)
		for _, d := range c.docs {
			labels[d.Fields["label"]]++
			texts[d.Text], ids[d.ID] = true, true
		}
		if len(c.docs) != want || len(texts) != want || len(ids) != want || len(labels) != 5 {
			t.Errorf("%s: %d documents, %d texts, %d ids, labels %v", language, len(c.docs), len(texts), len(ids), labels)
		}
	}
}

func TestDoctorFindsWhatIsMissing(t *testing.T) {
	r := newRig(t)
	r.ok("add", r.file("films.csv", films))
	out := r.want(exitError, "doctor", "--json", "--deep")
	got := decode[struct {
		OK     bool
		Checks []finding
	}](t, out)
	states := make(map[string]finding)
	for _, f := range got.Checks {
		states[f.Check] = f
	}
	for check, state := range map[string]string{"version": stateOK, "processor": stateOK, "model all-MiniLM-L6-v2 int8": stateFail, "collection default": stateOK, "stored data": stateOK, "database folder": stateOK} {
		if states[check].State != state {
			t.Errorf("%s: %+v, want %s", check, states[check], state)
		}
	}
	if got.OK || states["model all-MiniLM-L6-v2 int8"].Next != "vecdb model pull all-MiniLM-L6-v2 --precision int8" {
		t.Errorf("findings %+v", got)
	}
	if out := r.want(exitError, "doctor"); !strings.Contains(out, "fail  model all-MiniLM-L6-v2 int8") || !strings.Contains(out, "→ vecdb model pull") {
		t.Errorf("printed\n%s", out)
	}
}

func TestModelsAreListedShownAndVerified(t *testing.T) {
	r := newRig(t)
	list := decode[struct{ Models []modelState }](t, r.ok("model", "list", "--json")).Models
	defaults := 0
	for _, m := range list {
		if m.Default {
			defaults++
		}
		if len(m.Ready) > 0 {
			t.Errorf("%s is ready in an empty home", m.Name)
		}
	}
	if len(list) < 3 || defaults != len(languages) {
		t.Errorf("models %+v", list)
	}
	if out := r.ok("model", "show", "all-minilm-l6-v2"); !strings.Contains(out, "sha256 afdb6f1a") {
		t.Errorf("show printed\n%s", out)
	}
	r.want(exitNoModel, "model", "verify")
	if out := r.want(exitError, "model", "verify", "all-MiniLM-L6-v2"); !strings.Contains(out, "fail  all-MiniLM-L6-v2 int8") {
		t.Errorf("verify printed\n%s", out)
	}
	r.env["VECDB_OFFLINE"] = "1"
	if out := r.ok("version"); !strings.HasPrefix(out, "vecdb 0.") {
		t.Errorf("version printed\n%s", out)
	}
}

// TestTheBinary runs the built program the way a shell does. Documents carry
// their vectors, so that no model is needed.
func TestTheBinary(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the program")
	}
	dir := t.TempDir()
	binary := filepath.Join(dir, "vecdb")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	vecdb := func(stdin string, args ...string) (string, int) {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), binary, append(args, "--json")...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "VECDB_DB="+filepath.Join(dir, "db"), "VECDB_URL=", "VECDB_HOME="+dir)
		cmd.Stdin = strings.NewReader(stdin)
		out, err := cmd.Output()
		if cmd.ProcessState == nil {
			t.Fatal(err)
		}
		return string(out), cmd.ProcessState.ExitCode()
	}
	lines := "{\"id\":\"a\",\"text\":\"east\",\"vector\":[1,0]}\n{\"id\":\"b\",\"text\":\"north\",\"vector\":[0,1]}\n{\"id\":\"c\",\"text\":\"north-east\",\"vector\":[1,1]}\n"
	out, code := vecdb(lines, "add", "-", "--model", "none", "--dimension", "2")
	if code != 0 || decode[summary](t, out).Created != 3 {
		t.Fatalf("add: %d %s", code, out)
	}
	out, code = vecdb("", "similar", "a")
	if hits := decode[query.Response](t, out).Hits; code != 0 || len(hits) != 2 || hits[0].ID != "c" {
		t.Errorf("similar: %d %s", code, out)
	}
	out, code = vecdb("", "get", "b")
	if code != 0 || decode[core.Document](t, out).Text != "north" {
		t.Errorf("get: %d %s", code, out)
	}
	out, code = vecdb("", "delete", "b")
	if code != 0 || decode[client.DeleteResult](t, out).Deleted != 1 {
		t.Errorf("delete: %d %s", code, out)
	}
	if _, code = vecdb("", "get", "b"); code != exitNotFound {
		t.Errorf("get of a deleted document: exit code %d", code)
	}
	if _, code = vecdb("", "search", "words"); code != exitUsage {
		t.Errorf("search by text without a model: exit code %d", code)
	}
}
