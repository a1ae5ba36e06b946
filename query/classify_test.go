package query_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"runtime"
	"testing"

	"github.com/vecdb/vecdb/index"
	"github.com/vecdb/vecdb/internal/core"
	"github.com/vecdb/vecdb/query"
)

// labelledFan has cosines 1, 0.8, 0.6 and 0 with the text "east".
func labelledFan() (*fake, *query.Engine) {
	doc := func(id string, x, y float32, label any) *core.Document {
		return &core.Document{ID: id, Vector: []float32{x, y}, Fields: map[string]any{"label": label, "topic": map[string]any{"name": label}}}
	}
	f, e := newFake(doc("a", 1, 0, "sad"), doc("b", 0.8, 0.6, "gay"), doc("c", 0.6, 0.8, "sad"), doc("d", 0, 1, "odd"),
		at("unlabelled", 0, nil), doc("blank", 1, 0, ""), doc("null", 1, 0, nil))
	f.words["east"], f.words["north"] = []float32{1, 0}, []float32{0, 1}
	return f, e
}

func classify(t *testing.T, e *query.Engine, r query.ClassifyRequest) query.Classification {
	t.Helper()
	got, err := e.Classify(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Results) != 1 {
		t.Fatalf("got %d results", len(got.Results))
	}
	return got.Results[0]
}

func TestVoteIsASoftmaxOfTheScores(t *testing.T) {
	_, e := labelledFan()
	got := classify(t, e, query.ClassifyRequest{Request: query.Request{Text: "east"}, K: 3, Temperature: 0.2})
	// The weights are 1, e⁻¹ and e⁻².
	if got.Label == nil || *got.Label != "sad" || got.Abstained || !near(got.Probability, 0.7552715, 1e-6) {
		t.Errorf("got %+v", got)
	}
	if len(got.Scores) != 2 || !near(got.Scores["sad"], 0.7552715, 1e-6) || !near(got.Scores["gay"], 0.2447285, 1e-6) {
		t.Errorf("the scores are %v", got.Scores)
	}
	if fmt.Sprint(got.Neighbors) != "[{a 1 sad} {b 0.8 gay} {c 0.6 sad}]" {
		t.Errorf("the neighbors are %v", got.Neighbors)
	}
}

func TestDefaultsAreTwentyNeighborsAtATwentieth(t *testing.T) {
	var docs []*core.Document
	for i := range 30 {
		docs = append(docs, at(fmt.Sprint(i), float64(i), map[string]any{"label": "x"}))
	}
	_, e := newFake(docs...)
	if got := classify(t, e, query.ClassifyRequest{Request: query.Request{Vector: angle(0)}}); len(got.Neighbors) != 20 || got.Probability != 1 {
		t.Errorf("got %d neighbors and probability %v", len(got.Neighbors), got.Probability)
	}
	_, e = labelledFan()
	got := classify(t, e, query.ClassifyRequest{Request: query.Request{Text: "east"}})
	total := 1 + math.Exp(-4) + math.Exp(-8) + math.Exp(-20) // the cosines are 1, 0.8, 0.6 and 0
	if !near(got.Scores["gay"], math.Exp(-4)/total, 1e-6) || !near(got.Scores["odd"], math.Exp(-20)/total, 1e-12) {
		t.Errorf("the scores are %v", got.Scores)
	}
}

func TestScoresSumToOneAndStayFinite(t *testing.T) {
	for _, metric := range []index.Metric{index.Cosine, index.Dot, index.L2} {
		for _, temperature := range []float64{0, 1e-300, 1e300} {
			for _, length := range []float32{1e-3, 1, 1e30} {
				var docs []*core.Document
				for i := range 9 {
					v := angle(float64(i))
					docs = append(docs, &core.Document{ID: fmt.Sprint(i), Vector: []float32{v[0] * length, v[1] * length},
						Fields: map[string]any{"label": int64(i % 3)}})
				}
				f, _ := newFake(docs...)
				f.metric = metric
				e := query.New(f, metric, 2)
				got := classify(t, e, query.ClassifyRequest{Request: query.Request{Vector: []float32{-length, length}}, Temperature: temperature})
				sum := 0.0
				for _, p := range got.Scores {
					sum += p
				}
				if !near(sum, 1, 1e-12) {
					t.Errorf("%s, temperature %v, length %v: the scores %v sum to %v", metric, temperature, length, got.Scores, sum)
				}
			}
		}
	}
}

func TestLabelsOfAllKinds(t *testing.T) {
	doc := func(id string, label any) *core.Document { return at(id, 0, map[string]any{"label": label}) }
	_, e := newFake(doc("a", int64(7)), doc("b", 2.5), doc("c", true), doc("d", []any{"x", "y", "x", nil}),
		doc("e", map[string]any{"deep": "z"}), doc("f", []any{}))
	got := classify(t, e, query.ClassifyRequest{Request: query.Request{Vector: angle(0)}})
	if want := "map[2.5:0.2 7:0.2 true:0.2 x:0.2 y:0.2]"; fmt.Sprint(got.Scores) != want {
		t.Errorf("the scores are %v, want %s", got.Scores, want)
	}
	if n := got.Neighbors; len(n) != 4 || n[3].Label != "x, y" {
		t.Errorf("the neighbors are %v", n)
	}
	if *got.Label != "7" {
		t.Errorf("of equal labels %q wins instead of the nearest", *got.Label)
	}
}

func TestLabelFieldMayBeNested(t *testing.T) {
	_, e := labelledFan()
	got := classify(t, e, query.ClassifyRequest{Request: query.Request{Text: "east"}, LabelField: "topic.name", K: 1})
	if got.Label == nil || *got.Label != "sad" {
		t.Errorf("got %+v", got)
	}
}

func TestClassifyAbstains(t *testing.T) {
	_, e := labelledFan()
	unsure := classify(t, e, query.ClassifyRequest{Request: query.Request{Text: "east"}, K: 3, Temperature: 0.2, MinProbability: 0.8})
	if unsure.Label != nil || !unsure.Abstained || !near(unsure.Probability, 0.7552715, 1e-6) || len(unsure.Neighbors) != 3 {
		t.Errorf("below the least probability: %+v", unsure)
	}
	alone := classify(t, e, query.ClassifyRequest{Request: query.Request{Text: "east"}, LabelField: "nothing"})
	if out, _ := json.Marshal(alone); string(out) != `{"label":null,"probability":0,"abstained":true,"reason":"no_labelled_neighbors","method":"neighbors","scores":{},"neighbors":[]}` {
		t.Errorf("without neighbors: %s", out)
	}
}

func TestWhoVotes(t *testing.T) {
	half := float32(0.7)
	for name, c := range map[string]struct {
		r    query.Request
		want string
	}{
		"not the document itself": {query.Request{ID: "a"}, "b c d"},
		"not the excluded":        {query.Request{Text: "east", Exclude: []string{"a", "c"}}, "b d"},
		"those in the filter":     {query.Request{Text: "east", Filter: &query.Filter{Field: "label", In: []any{"sad", "odd"}}}, "a c d"},
		"those near enough":       {query.Request{Text: "east", MinScore: &half}, "a b"},
	} {
		_, e := labelledFan()
		got := classify(t, e, query.ClassifyRequest{Request: c.r})
		var hits []query.Hit
		for _, n := range got.Neighbors {
			hits = append(hits, query.Hit{ID: n.ID})
		}
		if ids(hits) != c.want {
			t.Errorf("%s: got %q, want %q", name, ids(hits), c.want)
		}
	}
}

func TestManyTextsAreEmbeddedAtOnceAndAnsweredInOrder(t *testing.T) {
	f, e := labelledFan()
	var texts []string
	for range 50 {
		texts = append(texts, "east", "north")
	}
	got, err := e.Classify(t.Context(), query.ClassifyRequest{Texts: texts, K: 1})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range texts {
		label := map[string]string{"east": "sad", "north": "odd"}[want]
		if r := got.Results[i]; r.Label == nil || *r.Label != label {
			t.Errorf("result %d is %+v, want %s", i, r, label)
		}
	}
	if n := f.embeds.Load(); n != 1 {
		t.Errorf("the texts were embedded in %d calls", n)
	}
	if took := got.Took; took.Total < took.Search+took.Fetch || took.Embed != 2 {
		t.Errorf("the stages do not add up: %+v", took)
	}
}

func TestTheFirstErrorStopsTheOtherSearches(t *testing.T) {
	f, e := labelledFan()
	broken := errors.New("broken")
	f.onNearest = func(ctx context.Context, q []float32) error {
		if q[0] == 1 {
			return broken
		}
		<-ctx.Done()
		return ctx.Err()
	}
	texts := []string{"east"}
	for range 99 {
		texts = append(texts, "north")
	}
	if _, err := e.Classify(t.Context(), query.ClassifyRequest{Texts: texts}); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
	if n := int(f.searches.Load()); n > runtime.GOMAXPROCS(0) {
		t.Errorf("%d searches were started", n)
	}
}

func TestClassifyEndsWithItsContext(t *testing.T) {
	f, e := labelledFan()
	ctx, cancel := context.WithCancel(t.Context())
	f.onNearest = func(ctx context.Context, _ []float32) error {
		cancel()
		<-ctx.Done()
		return ctx.Err()
	}
	if _, err := e.Classify(ctx, query.ClassifyRequest{Texts: []string{"east", "north", "east"}}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
