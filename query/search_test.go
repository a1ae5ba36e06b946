package query_test

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/vecdb/vecdb/index"
	"github.com/vecdb/vecdb/internal/core"
	"github.com/vecdb/vecdb/query"
)

func fan() (*fake, *query.Engine) {
	f, e := newFake(
		at("a", 0, map[string]any{"year": int64(1990), "tags": []any{"x", "y"}}),
		at("b", 10, map[string]any{"year": int64(2000)}),
		at("c", 20, map[string]any{"year": int64(2010)}),
		at("d", 40, nil),
		at("e", 80, map[string]any{"year": 2020.5}),
	)
	f.words["east"] = angle(0)
	f.words["north"] = angle(90)
	return f, e
}

func TestSearchRanksByTextVectorAndID(t *testing.T) {
	for _, c := range []struct {
		name string
		r    query.Request
		want string
	}{
		{"text", query.Request{Text: "north"}, "e d c b a"},
		{"vector", query.Request{Vector: angle(21)}, "c b d a e"},
		{"id leaves itself out", query.Request{ID: "a"}, "b c d e"},
		{"like", query.Request{Like: []query.Example{{ID: "c"}}}, "b a d e"},
		{"text without an example", query.Request{Text: "east", Dislike: []query.Example{{ID: "c"}, {Text: "north"}}}, "a b d e"},
		{"id without an example", query.Request{ID: "c", Dislike: []query.Example{{Vector: angle(0)}}}, "d b a e"},
		{"limit", query.Request{Text: "east", Limit: 2}, "a b"},
		{"id with limit", query.Request{ID: "a", Limit: 4}, "b c d e"},
		{"exclude keeps the limit", query.Request{Text: "east", Limit: 2, Exclude: []string{"a", "b", "unknown"}}, "c d"},
		{"filter", query.Request{Text: "east", Filter: &query.Filter{Field: "year", Gte: 2000}}, "b c e"},
		{"filter and exclude", query.Request{Text: "east", Limit: 2, Exclude: []string{"b"}, Filter: &query.Filter{Field: "year", Gte: 2000}}, "c e"},
		{"empty filter result", query.Request{Text: "east", Filter: &query.Filter{Field: "year", Eq: 1}}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, e := fan()
			got, err := e.Search(t.Context(), c.r)
			if err != nil {
				t.Fatal(err)
			}
			if ids(got.Hits) != c.want {
				t.Errorf("got %q, want %q", ids(got.Hits), c.want)
			}
		})
	}
}

func TestSearchDoesNotAskTheIndexWhenNothingIsAllowed(t *testing.T) {
	f, e := fan()
	got, err := e.Search(t.Context(), query.Request{Text: "east", Filter: &query.Filter{Field: "no", Eq: "x"}})
	if err != nil {
		t.Fatal(err)
	}
	if f.searches.Load() != 0 {
		t.Error("the index was searched for nothing")
	}
	if out, _ := json.Marshal(got); !strings.HasPrefix(string(out), `{"hits":[],`) {
		t.Errorf("no hits are written as %s", out)
	}
}

func TestHitsCarryWhatWasAskedFor(t *testing.T) {
	_, e := fan()
	search := func(r query.Request) *core.Document {
		t.Helper()
		r.Text, r.Limit = "east", 1
		got, err := e.Search(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		return got.Hits[0].Document
	}
	if d := search(query.Request{}); d.Text == "" || len(d.Fields) != 2 || d.Vector != nil {
		t.Errorf("without fields: %+v", d)
	}
	if d := search(query.Request{Fields: []string{"year", "nothing"}}); d.ID != "a" || d.Text != "" || len(d.Fields) != 1 || d.Fields["year"] != int64(1990) {
		t.Errorf("with field year: %+v", d)
	}
	if d := search(query.Request{Fields: []string{"text"}}); d.Text == "" || len(d.Fields) != 0 {
		t.Errorf("with field text: %+v", d)
	}
	if d := search(query.Request{WithVector: true}); len(d.Vector) != 2 {
		t.Errorf("with the vector: %+v", d)
	}
	if d := search(query.Request{Fields: []string{"vector"}}); len(d.Vector) != 2 || d.Text != "" {
		t.Errorf("with field vector: %+v", d)
	}
}

func TestMinScoreCutsTheHits(t *testing.T) {
	_, e := fan()
	least := float32(math.Cos(30 * math.Pi / 180))
	got, err := e.Search(t.Context(), query.Request{Text: "east", MinScore: &least, Explain: true})
	if err != nil {
		t.Fatal(err)
	}
	if ids(got.Hits) != "a b c" {
		t.Errorf("got %q", ids(got.Hits))
	}
	for _, h := range got.Hits {
		if h.Explain == nil || h.Explain.Metric != "cosine" || h.Explain.Dense != h.Score || h.Explain.Because != nil {
			t.Errorf("%s is explained by %+v", h.ID, h.Explain)
		}
	}
}

func TestVanishedDocumentsAreReplacedByTheNext(t *testing.T) {
	f, e := fan()
	f.gone = map[core.Ord]bool{1: true}
	got, err := e.Search(t.Context(), query.Request{Text: "east", Limit: 5})
	if err != nil {
		t.Fatal(err)
	}
	if ids(got.Hits) != "a c d e" {
		t.Errorf("got %q", ids(got.Hits))
	}
	// Two more were asked for because of the exclusions; one of them is known
	// under an old ordinal only.
	f.docs = append(f.docs, nil)
	f.stale = map[string]core.Ord{"a": 5}
	got, err = e.Search(t.Context(), query.Request{Text: "east", Limit: 2, Exclude: []string{"a", "d"}})
	if err != nil {
		t.Fatal(err)
	}
	if ids(got.Hits) != "c" {
		t.Errorf("got %q, want what is left of the four nearest", ids(got.Hits))
	}
}

func TestTookAddsUp(t *testing.T) {
	_, e := fan()
	got, err := e.Search(t.Context(), query.Request{Text: "east"})
	if err != nil {
		t.Fatal(err)
	}
	took := got.Took
	if took.Tokenize != 1 || took.Embed != 2 {
		t.Errorf("the times of the embedding are %+v", took)
	}
	if took.Search <= 0 || took.Fetch <= 0 || took.Total < took.Search+took.Fetch {
		t.Errorf("the stages do not add up: %+v", took)
	}
}

func TestScoresStayFiniteAndWithinTheMetric(t *testing.T) {
	big := &core.Document{ID: "big", Vector: []float32{3e38, 3e38}}
	f, _ := newFake(big)
	f.metric = index.Dot
	got, err := query.New(f, index.Dot, 2).Search(t.Context(), query.Request{Vector: []float32{3e38, 3e38}})
	if err != nil {
		t.Fatal(err)
	}
	if got.Hits[0].Score != math.MaxFloat32 {
		t.Errorf("the score is %v", got.Hits[0].Score)
	}
	if _, err := json.Marshal(got); err != nil {
		t.Error(err)
	}
	got, err = query.New(f, "", 2).Search(t.Context(), query.Request{Vector: []float32{2, 2}})
	if err != nil {
		t.Fatal(err)
	}
	if got.Hits[0].Score != 1 {
		t.Errorf("a cosine is %v", got.Hits[0].Score)
	}
}

func TestUnknownIDIsNotFound(t *testing.T) {
	_, e := fan()
	_, err := e.Search(t.Context(), query.Request{ID: "nobody"})
	wantInput(t, err, "/id", `no document "nobody"`)
	if !errors.Is(err, core.ErrNotFound) {
		t.Errorf("%v does not match ErrNotFound", err)
	}
}

func TestADocumentThatVanishesBeforeItsVectorIsReadIsNotFound(t *testing.T) {
	f, e := fan()
	f.gone = map[core.Ord]bool{0: true}
	_, err := e.Search(t.Context(), query.Request{ID: "a"})
	if !errors.Is(err, core.ErrNotFound) {
		t.Errorf("got %v", err)
	}
}

// vectorsOnly is a source without a model.
type vectorsOnly struct{ *fake }

func (vectorsOnly) Embed(context.Context, []string) (query.Embedded, error) {
	return query.Embedded{}, core.Invalid("/text", "give vectors", "the collection takes vectors only")
}

func TestErrorsOfTheModelPointToTheText(t *testing.T) {
	f, _ := fan()
	e := query.New(vectorsOnly{f}, index.Cosine, 2)
	_, err := e.Search(t.Context(), query.Request{Text: "east"})
	wantInput(t, err, "/text", "vectors only")
	_, err = e.Recommend(t.Context(), query.Request{Like: []query.Example{{ID: "a"}, {Text: "east"}}})
	wantInput(t, err, "/like/1/text", "vectors only")
	_, err = e.Classify(t.Context(), query.ClassifyRequest{Texts: []string{"east"}})
	wantInput(t, err, "/texts", "vectors only")
}

func TestErrorsOfTheSourceSayWhatWasDone(t *testing.T) {
	f, e := fan()
	broken := errors.New("broken")
	f.onNearest = func(context.Context, []float32) error { return broken }
	_, err := e.Search(t.Context(), query.Request{Text: "east"})
	if !errors.Is(err, broken) || !strings.Contains(err.Error(), "search the index") {
		t.Errorf("got %v", err)
	}
	f.words["short"] = []float32{1}
	_, err = e.Search(t.Context(), query.Request{Text: "short"})
	if !errors.Is(err, core.ErrDimension) {
		t.Errorf("got %v for a vector of another length", err)
	}
}

func TestSearchEndsWithItsContext(t *testing.T) {
	_, e := fan()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for name, r := range map[string]query.Request{
		"text":   {Text: "east"},
		"vector": {Vector: angle(1)},
		"id":     {ID: "a"},
		"filter": {Vector: angle(1), Filter: &query.Filter{Field: "year", Gte: 1}},
	} {
		if _, err := e.Search(ctx, r); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
