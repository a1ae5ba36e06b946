package main

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/vecdb/vecdb/internal/core"
	"github.com/vecdb/vecdb/query"
)

// plainApp prints to a buffer of the given width.
func plainApp(columns string) (*app, *bytes.Buffer) {
	out := new(bytes.Buffer)
	env := map[string]string{"COLUMNS": columns}
	return &app{in: strings.NewReader(""), out: out, err: out, getenv: func(k string) string { return env[k] }}, out
}

func TestHitsAreATableThatFitsItsWidth(t *testing.T) {
	a, out := plainApp("60")
	hits := []query.Hit{
		{ID: "m1", Score: 0.875, Document: &core.Document{ID: "m1", Text: "A father looks\nfor his son across the whole wide ocean", Fields: map[string]any{"year": int64(2003)}}},
		{ID: "电影二", Score: 0.5, Document: &core.Document{ID: "电影二", Text: "父亲在茫茫大海里寻找儿子的故事非常动人", Fields: map[string]any{"year": int64(1999)}}},
		{ID: "m3", Score: -0.1, Document: nil},
	}
	a.renderHits(hits, []string{"year"}, false)
	want := strings.Join([]string{
		"#  score            id      text                        year",
		"1  0.875   ███████  m1      A father looks for his so…  2003",
		"2  0.500   ████     电影二  父亲在茫茫大海里寻找儿子…   1999",
		"3  -0.100           m3",
		"",
	}, "\n")
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out, want)
	}
	for line := range strings.Lines(out.String()) {
		if textWidth(strings.TrimSuffix(line, "\n")) > 60 {
			t.Errorf("%q is wider than 60 columns", line)
		}
	}
}

func TestHitsSayWhy(t *testing.T) {
	a, out := plainApp("100")
	a.renderHits([]query.Hit{
		{ID: "a", Score: 0.5, Explain: &query.Explain{Metric: "cosine", Dense: 0.5}},
		{ID: "b", Score: 0.4, Explain: &query.Explain{Because: []query.Contributor{{ID: "x", Score: 0.25}, {Text: "slow", Score: 0.125}}}},
	}, nil, true)
	for _, part := range []string{"why", "cosine 0.500", `near x 0.250, "slow" 0.125`} {
		if !strings.Contains(out.String(), part) {
			t.Errorf("no %q in\n%s", part, out)
		}
	}
}

func TestTextIsCutToItsWidth(t *testing.T) {
	for _, tt := range []struct {
		text  string
		limit int
		want  string
	}{
		{"short", 10, "short"},
		{"exactly ten", 11, "exactly ten"},
		{"one too many", 11, "one too ma…"},
		{"  white \t\n space ", 20, "white space"},
		{"中文字符", 8, "中文字符"},
		{"中文字符", 7, "中文字…"},
		{"中文字符", 6, "中文…"},
		{"a\x1b[31mred\x00", 20, "a[31mred"},
		{"e\u0301e\u0301e\u0301", 3, "e\u0301e\u0301e\u0301"},
		{"", 5, ""},
	} {
		if got := oneLine(tt.text, tt.limit); got != tt.want || textWidth(got) > tt.limit {
			t.Errorf("oneLine(%q, %d) = %q (%d wide), want %q", tt.text, tt.limit, got, textWidth(got), tt.want)
		}
	}
}

func TestBarsCountsAndSizes(t *testing.T) {
	for share, want := range map[float64]string{-1: "", 0: "", 0.5: "██", 1: "████", 2: "████", 0.28125: "█▏"} {
		if got := bar(share, 4); got != want {
			t.Errorf("bar(%v) = %q, want %q", share, got, want)
		}
	}
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", -1234: "-1,234", -123: "-123"} {
		if got := count(n); got != want {
			t.Errorf("count(%d) = %q, want %q", n, got, want)
		}
	}
	for n, want := range map[int64]string{5: "5 B", 2048: "2.0 KiB", 5 << 20: "5.0 MiB", 3 << 30: "3.0 GiB"} {
		if got := bytesText(n); got != want {
			t.Errorf("bytesText(%d) = %q, want %q", n, got, want)
		}
	}
}

func TestColourOnlyWhereItIsWanted(t *testing.T) {
	if got := style(false).bold("x"); got != "x" {
		t.Errorf("%q without colour", got)
	}
	if got := style(true).bold("x"); got != "\x1b[1mx\x1b[0m" {
		t.Errorf("%q with colour", got)
	}
	a, out := plainApp("80")
	if a.styleOf(out) {
		t.Error("colour for something that is no terminal")
	}
}

func TestFiltersInShort(t *testing.T) {
	for text, want := range map[string]string{
		`year>=1990`:              `{"field":"year","gte":1990}`,
		`year > 1990`:             `{"field":"year","gt":1990}`,
		`price<9.5`:               `{"field":"price","lt":9.5}`,
		`price<=-1`:               `{"field":"price","lte":-1}`,
		`genre=war`:               `{"field":"genre","eq":"war"}`,
		`genre==war`:              `{"field":"genre","eq":"war"}`,
		`genre=war|crime | "a|b"`: `{"field":"genre","in":["war","crime","a|b"]}`,
		`genre!=war`:              `{"not":{"field":"genre","eq":"war"}}`,
		`isbn="0123"`:             `{"field":"isbn","eq":"0123"}`,
		`name="say \"hi\""`:       `{"field":"name","eq":"say \"hi\""}`,
		`empty=""`:                `{"field":"empty","eq":""}`,
		`seen=true`:               `{"field":"seen","eq":true}`,
		`label=*`:                 `{"field":"label","exists":true}`,
		`label!=*`:                `{"field":"label","exists":false}`,
		`label="*"`:               `{"field":"label","eq":"*"}`,
		`标题=电影`:                   `{"field":"标题","eq":"电影"}`,
		`title=a=b`:               `{"field":"title","eq":"a=b"}`,
		`date>=2020-01-31`:        `{"field":"date","gte":"2020-01-31"}`,
		`{"or":[{"field":"year","lt":1950},{"field":"genre","eq":"war"}]}`: `{"or":[{"field":"year","lt":1950},{"field":"genre","eq":"war"}]}`,
	} {
		f, err := parseFilter(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if err := f.Validate(); err != nil {
			t.Errorf("%s: the engine would refuse it: %v", text, err)
		}
		got, err := json.Marshal(f)
		if err != nil || string(got) != want {
			t.Errorf("%s became %s (%v), want %s", text, got, err, want)
		}
	}
}

func TestFiltersThatAreRefused(t *testing.T) {
	for _, text := range []string{"", "year", "=1990", ">3", "year=", "year>", "a!b", `a="open`, `a="x"y`, "a=|b", "a=b|", "a>1|2", "a>true", `{"field":"a"}`, `{"field":"a","eq":1,"x":2}`, "{"} {
		if f, err := parseFilter(text); err == nil {
			t.Errorf("%q became %+v", text, f)
		} else if exitCode(t.Context(), err) != exitUsage {
			t.Errorf("%q: exit code %d", text, exitCode(t.Context(), err))
		}
	}
}

func TestSeveralFiltersMustAllHold(t *testing.T) {
	f, err := parseFilters([]string{"a=1", "b=2"})
	if err != nil || len(f.And) != 2 {
		t.Errorf("%+v, %v", f, err)
	}
	if f, err := parseFilters(nil); f != nil || err != nil {
		t.Errorf("%+v, %v for no filters", f, err)
	}
}

func TestMeterTellsShareRateAndTimeLeft(t *testing.T) {
	a, out := plainApp("80")
	at := time.Unix(0, 0)
	m := a.newMeter("add", 1000, documentsText)
	m.clock = func() time.Time { return at }
	m.begun, m.told = at, at
	m.set(10, 5)
	if out.Len() > 0 {
		t.Errorf("told %q at once", out)
	}
	at = at.Add(plainEvery)
	m.set(250, 500)
	if want := "add:  25 %  500 documents  50 docs/s  ETA 30s\n"; out.String() != want {
		t.Errorf("told %q, want %q", out, want)
	}
	m.set(200, 400)
	if m.done != 250 || m.units != 500 {
		t.Errorf("went back to %d, %d", m.done, m.units)
	}
	m.stop()
	m.stop()
	unknown := a.newMeter("add", -1, documentsText)
	if _, known := unknown.left(); known {
		t.Error("an ETA without a total")
	}
}

func TestValuesAsText(t *testing.T) {
	doc := &core.Document{ID: "a", Fields: map[string]any{"tags": []any{"x", int64(2)}, "o": map[string]any{"b": 1.5, "a": nil}, "none": nil}}
	got := []string{fieldText(doc, "tags"), fieldText(doc, "o"), fieldText(doc, "o.b"), fieldText(doc, "none"), fieldText(doc, "o.b.c"), fieldText(doc, "id"), fieldText(nil, "id")}
	want := []string{"x, 2", "{a: , b: 1.5}", "1.5", "", "", "a", ""}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
