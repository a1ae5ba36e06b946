package records

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"

	"github.com/vecdb/vecdb/internal/core"
)

// readAll returns the documents, and the errors of lines as text.
func readAll(t *testing.T, name, content string, o Options) (Plan, []core.Document, []string) {
	t.Helper()
	r, err := New(strings.NewReader(content), name, o)
	if err != nil {
		t.Fatalf("New: %v", err)
	}
	docs, bad, err := drain(r)
	if err != nil {
		t.Fatalf("Next: %v", err)
	}
	return r.Plan(), docs, bad
}

func drain(r *Reader) (docs []core.Document, bad []string, err error) {
	for {
		rec, err := r.Next()
		var line *LineError
		switch {
		case errors.Is(err, io.EOF):
			return docs, bad, r.Close()
		case errors.As(err, &line):
			bad = append(bad, err.Error())
		case err != nil:
			return docs, bad, err
		default:
			docs = append(docs, rec.Document)
		}
	}
}

func doc(id, text string, fields ...any) core.Document {
	d := core.Document{ID: id, Text: text}
	for i := 0; i < len(fields); i += 2 {
		if d.Fields == nil {
			d.Fields = make(map[string]any)
		}
		d.Fields[fields[i].(string)] = fields[i+1]
	}
	return d
}

func gzipped(t *testing.T, s string) string {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write([]byte(s)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestDocumentsOfEachFormat(t *testing.T) {
	encode := func(s string, err error) string {
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	movies := "movieId,title,overview,year,rating,seen\n" +
		"m1,Alien,\"A crew, far out, meets \"\"it\"\".\nNobody hears.\",1979,8.5,true\n" +
		"m2,Heat?,A thief and a policeman drink coffee,1995,8,false\n"
	want := []core.Document{
		doc("m1", "Alien. A crew, far out, meets \"it\".\nNobody hears.", "title", "Alien", "year", int64(1979), "rating", 8.5, "seen", true),
		doc("m2", "Heat? A thief and a policeman drink coffee", "title", "Heat?", "year", int64(1995), "rating", 8.0, "seen", false),
	}
	chinese := "编号,标题,内容\n1,早餐,豆浆和油条是最常见的早餐。\n2,天气,今天下午有雷阵雨,请带伞。\n"
	chinese = strings.ReplaceAll(chinese, "雷阵雨,请", "雷阵雨，请")
	chineseDocs := []core.Document{
		doc("1", "早餐. 豆浆和油条是最常见的早餐。", "标题", "早餐"),
		doc("2", "天气. 今天下午有雷阵雨，请带伞。", "标题", "天气"),
	}
	for _, tt := range []struct {
		name, file, content string
		want                []core.Document
	}{
		{"csv", "movies.csv", movies, want},
		{"csv with a byte order mark and CRLF", "movies.csv", "\ufeff" + strings.ReplaceAll(strings.ReplaceAll(movies, "\n", "\r\n"), "it\"\".\r\n", "it\"\".\n"), want},
		{"csv, gzipped, with no telling name", "-", gzipped(t, movies), want},
		{"csv with semicolons", "m.csv", "id;text\n1;one, two\n2;three, four\n", []core.Document{doc("1", "one, two"), doc("2", "three, four")}},
		{"csv with tabs", "m.csv", "id\ttext\n1\tone, two\n2\tthree, four\n", []core.Document{doc("1", "one, two"), doc("2", "three, four")}},
		{"tsv", "m.tsv", "text\tlabel\nstocks fell sharply today\tbusiness\nhe won the race in rain\tsport\n",
			[]core.Document{doc("", "stocks fell sharply today", "label", "business"), doc("", "he won the race in rain", "label", "sport")}},
		{"csv without a header", "m.csv", "1,a first sentence of words\n2,another sentence of words\n",
			[]core.Document{doc("", "a first sentence of words", "column_1", int64(1)), doc("", "another sentence of words", "column_1", int64(2))}},
		{"csv in GB18030", "m.csv", encode(simplifiedchinese.GB18030.NewEncoder().String(chinese)), chineseDocs},
		{"csv in UTF-16 with a mark", "m.csv", encode(unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder().String(chinese)), chineseDocs},
		{"json array", "a.json", `[{"id":1,"text":"one","n":2},
			{"id":"b","text":"two","tags":["x","y"]}]`, []core.Document{doc("1", "one", "n", int64(2)), doc("b", "two", "tags", []any{"x", "y"})}},
		{"json object", "a.json", `{"id":"a","text":"one"}`, []core.Document{doc("a", "one")}},
		{"json list of documents", "a.json", `{"name":"x","documents":[{"id":"a","text":"one"},{"id":"b","text":"two"}],"more":{"documents":[1]}}`,
			[]core.Document{doc("a", "one"), doc("b", "two")}},
		{"json on standard input", "-", "\n [ {\"id\":\"a\",\n\"text\":\"one\"} ]", []core.Document{doc("a", "one")}},
		{"json lines", "a.jsonl", "{\"id\":\"a\",\"text\":\"one\",\"title\":\"T\"}\n\n{\"id\":\"b\",\"text\":\"two\"}", []core.Document{doc("a", "one", "title", "T"), doc("b", "two")}},
		{"json lines named .json", "a.json", "{\"id\":\"a\",\"text\":\"one\"}\n{\"id\":\"b\",\"text\":\"two\"}\n", []core.Document{doc("a", "one"), doc("b", "two")}},
		{"json lines with other names", "-", "{\"question\":\"how far is it?\",\"docId\":7}\n{\"question\":\"is it open?\",\"docId\":8}\n",
			[]core.Document{doc("7", "how far is it?"), doc("8", "is it open?")}},
		{"vectors", "a.jsonl", "{\"id\":\"a\",\"vector\":[1,0.5]}\n", []core.Document{{ID: "a", Vector: []float32{1, 0.5}}}},
		{"text", "a.txt", "one line\n\n  two lines  \r\n", []core.Document{doc("", "one line"), doc("", "two lines")}},
		{"text on standard input", "-", "Hello, world\nSo long, and thanks\n", []core.Document{doc("", "Hello, world"), doc("", "So long, and thanks")}},
		{"debian", "-", "Package: 0ad\nVersion: 1.0\nDepends: a, b\nDescription: Strategy game\n A game of war.\n With ships.\n .\n And more.\nTag: game::strategy,\n role::program\nSection: games\n\n\nPackage: ab\nDescription: Tool\n",
			[]core.Document{doc("0ad", "0ad: Strategy game. A game of war. With ships.\nAnd more.", "version", "1.0", "tags", []any{"game::strategy", "role::program"}, "section", "games"), doc("ab", "ab: Tool")}},
		{"empty", "a.csv", "", nil},
		{"blank", "-", "\n\n", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			plan, docs, bad := readAll(t, tt.file, tt.content, Options{})
			if len(bad) > 0 || !reflect.DeepEqual(docs, tt.want) {
				t.Errorf("got %+v, errors %q, want %+v (plan %+v)", docs, bad, tt.want, plan)
			}
		})
	}
}

func TestBrokenRecordsAreReportedAndTheRestIsRead(t *testing.T) {
	for _, tt := range []struct {
		name, file, content string
		ids                 string
		bad                 []string // beginnings
	}{
		{"cells missing", "a.csv", "id,text,n\na,one,1\nb,two\nc,three,3\n", "ac", []string{"line 3: 2 cells"}},
		{"empty cells too many", "a.csv", "id,text\na,one,,\nb,two\n", "ab", nil},
		{"quote never closed", "a.csv", "id,text\na,one\nb,\"two\nc,three\nd,four\n", "acd", []string{"line 3: a quote"}},
		{"quote closed by another record", "a.csv", "id,text\na,\"one\nb,\"two\"\nc,three\n", "bc", []string{"line 2: a quote"}},
		{"invalid UTF-8 in csv", "a.csv", "id,text\na,one\nb,\xff\xfe\nc,three\n", "ac", []string{"line 3: not valid UTF-8"}},
		{"id missing in most", "a.csv", "id,text\na,one\nb,two\n", "ab", nil},
		{"half a line of json", "a.jsonl", "{\"id\":\"a\",\"text\":\"one\"}\n{\"id\":\"b\",\"te\n[1]\n7\n{\"id\":\"c\",\"text\":\"three\"}\n", "ac",
			[]string{"line 2: not JSON", "line 3: not a JSON object", "line 4: not a JSON object"}},
		{"broken first line of json", "-", "{\"id\":\"a\",\"te\n{\"id\":\"b\",\"text\":\"two\"}\n", "b", []string{"line 1: not JSON"}},
		{"no text", "a.jsonl", "{\"id\":\"a\",\"text\":\"one\"}\n{\"id\":\"b\",\"text\":\"\"}\n", "a", []string{"line 2: there is no text in text"}},
		{"element that is no object", "a.json", "[{\"id\":\"a\",\"text\":\"one\"},\n 3,\n {\"id\":\"b\",\"text\":\"two\"}]", "ab", []string{"line 2: not a JSON object"}},
		{"debian line without a colon", "-", "Package: a\nDescription: one\n\nPackage: b\nnonsense\n\nPackage: c\nDescription: x\n", "ac", []string{"line 5: no colon"}},
		{"half a surrogate pair", "a.jsonl", "{\"id\":\"a\",\"text\":\"one\"}\n{\"id\":\"b\\ud800\",\"text\":\"two\"}\n{\"id\":\"c\",\"text\":\"\\ud83d\\ude00\"}\n", "ac", []string{"line 2: /id"}},
		{"half a pair in an array", "a.json", "[{\"id\":\"a\",\"text\":\"one\"},\n{\"id\":\"b\",\"text\":\"two\",\"by\":[\"\\udfff\"]}]", "a", []string{"line 2: /by/0"}},
		{"not a vector", "a.jsonl", "{\"id\":\"a\",\"text\":\"one\"}\n{\"id\":\"b\",\"vector\":[\"x\"]}\n", "a", []string{"line 2: /vector/0"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, docs, bad := readAll(t, tt.file, tt.content, Options{})
			ids := ""
			for _, d := range docs {
				ids += d.ID
			}
			if ids != tt.ids || len(bad) != len(tt.bad) {
				t.Fatalf("ids %q, errors %q, want %q, %q", ids, bad, tt.ids, tt.bad)
			}
			for i, begin := range tt.bad {
				if !strings.HasPrefix(bad[i], begin) {
					t.Errorf("error %q, want %q…", bad[i], begin)
				}
			}
		})
	}
}

func TestReadingStopsWithTheLineWhereJSONBreaks(t *testing.T) {
	r, err := New(strings.NewReader("[{\"id\":\"a\",\"text\":\"one\"},\n{\"id\":\"b\",\n\"text\" \"two\"}]"), "a.json", Options{})
	if err != nil {
		t.Fatal(err)
	}
	docs, _, err := drain(r)
	if len(docs) != 1 || err == nil || !strings.Contains(err.Error(), "read a.json: line ") {
		t.Errorf("%d documents, error %v", len(docs), err)
	}
	for _, cut := range []string{"[{\"id\":\"a\",\"text\":\"one\"},\n", "[{\"id\":\"a\",\"text\":\"one\"}", "{\"documents\":[{\"id\":\"a\",\"text\":\"one\"}]", "[{\"id\":\"a\",\"text\":\"one\"},{\"id\":"} {
		r, err := New(strings.NewReader(cut), "a.json", Options{})
		if err != nil {
			t.Fatal(err)
		}
		docs, _, err := drain(r)
		if len(docs) != 1 || err == nil || !strings.Contains(err.Error(), "ends in the middle") {
			t.Errorf("%s: %d documents, error %v", cut, len(docs), err)
		}
	}
}

func TestTruncatedGzipKeepsWhatCameBefore(t *testing.T) {
	whole := gzipped(t, strings.Repeat("a line of text, as good as any other\n", 30_000))
	r, err := New(strings.NewReader(whole[:len(whole)-20]), "a.txt.gz", Options{})
	if err != nil {
		t.Fatal(err)
	}
	docs, _, err := drain(r)
	if len(docs) < 1000 || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("%d documents, error %v", len(docs), err)
	}
}

func TestWhatIsToldOverridesTheGuesses(t *testing.T) {
	content := "id,isbn,title,body\n1,97,Night,owls and bats\n1,98,Day,larks and hens\n"
	plan, docs, _ := readAll(t, "a.csv", content, Options{Text: []string{"body", "title"}, ID: "isbn"})
	want := []core.Document{doc("97", "owls and bats. Night", "title", "Night", "id_", int64(1)), doc("98", "larks and hens. Day", "title", "Day", "id_", int64(1))}
	if !reflect.DeepEqual(docs, want) {
		t.Errorf("got %+v, want %+v", docs, want)
	}
	if plan.ID != "isbn" || plan.Format != CSV || plan.Delimiter != ',' || !plan.Header {
		t.Errorf("plan %+v", plan)
	}
	if _, docs, _ = readAll(t, "a.csv", content, Options{ID: NoID}); docs[0].ID != "" {
		t.Errorf("an id %q although none was wanted", docs[0].ID)
	}
	if plan, _, _ = readAll(t, "a.csv", content, Options{}); plan.ID != "isbn" {
		t.Errorf("id column %q; id is not unique, isbn is", plan.ID)
	}
	if plan, docs, _ = readAll(t, "a.csv", content, Options{Format: Text}); plan.Format != Text || len(docs) != 3 {
		t.Errorf("plan %+v, %d documents", plan, len(docs))
	}
}

func TestOrdersThatCannotBeFollowed(t *testing.T) {
	csv := "id,text\na,one\n"
	for _, tt := range []struct {
		name, content string
		o             Options
		want          string
	}{
		{"text column", csv, Options{Text: []string{"body"}}, `no column "body" (columns are id, text)`},
		{"id column", csv, Options{ID: "isbn"}, `no column "isbn"`},
		{"format", csv, Options{Format: "yaml"}, "unknown format"},
		{"encoding", csv, Options{Encoding: "klingon"}, "unknown encoding"},
		{"numbers only", "a,b\n1,2\n3,4\n", Options{}, "no column looks like text"},
		{"zip", "PK\x03\x04rest", Options{}, "a zip archive"},
		{"binary", "abc\x00def", Options{}, "binary data"},
		{"gzip within gzip", gzipped(t, gzipped(t, csv)), Options{}, "gzip twice"},
		{"gzip header only", "\x1f\x8b", Options{}, "unpack gzip"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := New(strings.NewReader(tt.content), "in.csv", tt.o)
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.HasPrefix(err.Error(), "read in.csv: ") {
				t.Errorf("error %v, want %q", err, tt.want)
			}
		})
	}
}

func TestTextColumnsAreGuessed(t *testing.T) {
	for _, tt := range []struct{ name, content, want, id string }{
		{"names", "id,title,description,price\n1,Lamp,A lamp with a green shade,3\n2,Desk,A desk made of old oak wood,9\n", "title,description", "id"},
		{"last words of names", "sku,product_title,review_text\n1,Lamp,broke after a day or two\n2,Desk,very solid and quite heavy\n", "product_title,review_text", "sku"},
		{"statistics", "when,who,what\n2020-01-01,ann,the river rose over the old bridge\n2020-01-02,bob,the road to the mill was closed\n", "what", ""},
		{"a title alone", "movieId,title,genres\n1,Toy Story (1995),Adventure|Animation\n2,Jumanji (1995),Adventure|Children\n", "title", "movieId"},
		{"label is no text", "label,text\nsport,they won\nsport,they lost\n", "text", ""},
		{"a column of numbers named text", "text,verse\n1,roses are red today\n2,violets are blue now\n", "verse", ""},
		{"chinese", "类别,标题\n体育,国足客场取得一场平局\n财经,央行下调存款准备金率\n", "标题", ""},
		{"repeated ids", "id,text\n1,one two\n1,three four\n", "text", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			plan, _, _ := readAll(t, "a.csv", tt.content, Options{})
			if got := strings.Join(plan.Text, ","); got != tt.want || plan.ID != tt.id {
				t.Errorf("text %s, id %q, want %s, %q", got, plan.ID, tt.want, tt.id)
			}
		})
	}
}

func TestLanguageIsGuessed(t *testing.T) {
	for text, want := range map[string]string{
		"the quick brown fox": "en", "今天天气很好，我们去公园": "zh", "用 Python 写一个爬虫程序": "zh", "the word 猫 means cat": "en",
	} {
		if plan, _, _ := readAll(t, "a.txt", text+"\n", Options{}); plan.Language != want || len(plan.Notes) > 0 {
			t.Errorf("%s: %q, notes %q, want %q", text, plan.Language, plan.Notes, want)
		}
	}
	plan, _, _ := readAll(t, "a.txt", "погода сегодня хорошая\n", Options{})
	if len(plan.Notes) != 1 {
		t.Errorf("notes %q for Russian", plan.Notes)
	}
}

func TestCellsGetTypes(t *testing.T) {
	for cell, want := range map[string]any{
		"12": int64(12), "-3": int64(-3), "007": "007", "0": int64(0), "1.50": 1.5, "0.5": 0.5, "1e3": 1000.0, "NaN": "NaN", "inf": "inf",
		"0x10": "0x10", "1_000": "1_000", "true": true, "FALSE": false, "12 apples": "12 apples", "99999999999999999999": 99999999999999999999.0, "1e999": "1e999",
	} {
		if got := convert(cell, typeOf(cell)); got != want {
			t.Errorf("%q became %v (%T), want %v (%T)", cell, got, got, want, want)
		}
	}
	_, docs, _ := readAll(t, "a.csv", "text,n,x\none thing,1,1\ntwo things,2,2.5\n", Options{})
	if docs[0].Fields["x"] != 1.0 || docs[0].Fields["n"] != int64(1) {
		t.Errorf("fields %v: a column of mixed numbers is float", docs[0].Fields)
	}
	if got := convert("n/a", Integer); got != "n/a" {
		t.Errorf("a cell that is no number became %v", got)
	}
}

func TestOpenReportsProgressInBytesOfTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.txt.gz")
	packed := gzipped(t, strings.Repeat("a line of words\n", 100_000))
	if err := os.WriteFile(path, []byte(packed), 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := Open(path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if r.Size() != int64(len(packed)) {
		t.Errorf("size %d, want %d", r.Size(), len(packed))
	}
	docs, _, err := drain(r)
	if err != nil || len(docs) != 100_000 || r.BytesRead() != r.Size() {
		t.Errorf("%d documents, %d bytes, error %v", len(docs), r.BytesRead(), err)
	}
	if _, err := Open(filepath.Join(t.TempDir(), "none.csv"), Options{}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error %v for a file that is not there", err)
	}
}
