package query_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/vecdb/vecdb/index"
	"github.com/vecdb/vecdb/internal/core"
	"github.com/vecdb/vecdb/query"
)

func examples(ids ...string) []query.Example {
	var list []query.Example
	for _, id := range ids {
		list = append(list, query.Example{ID: id})
	}
	return list
}

func TestRecommendGoesTowardsLikesAndAwayFromDislikes(t *testing.T) {
	for _, c := range []struct {
		name string
		r    query.Request
		want string
	}{
		{"one like", query.Request{Like: examples("a")}, "b c d e"},
		{"between two likes", query.Request{Like: examples("a", "e")}, "d c b"},
		{"a dislike turns the other way", query.Request{Like: examples("c"), Dislike: examples("a")}, "d b e"},
		{"and back", query.Request{Like: examples("c"), Dislike: examples("d")}, "b a e"},
		{"only dislikes", query.Request{Dislike: examples("a")}, "e d c b"},
		{"texts and vectors", query.Request{Like: []query.Example{{Text: "east"}, {Vector: angle(2)}}}, "a b c d e"},
		{"length does not matter", query.Request{Like: []query.Example{{Vector: []float32{100, 0}}, {Vector: angle(80)}}, Limit: 3}, "d c b"},
		{"excluded beside examples", query.Request{Like: examples("a"), Exclude: []string{"b"}, Limit: 3}, "c d e"},
		{"excluded with a filter", query.Request{Like: examples("a"), Limit: 2, Filter: &query.Filter{Field: "year", Exists: yes(true)}}, "b c"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, e := fan()
			got, err := e.Recommend(t.Context(), c.r)
			if err != nil {
				t.Fatal(err)
			}
			if ids(got.Hits) != c.want {
				t.Errorf("got %q, want %q", ids(got.Hits), c.want)
			}
		})
	}
}

func TestRecommendWeighsDislikesAThird(t *testing.T) {
	_, e := fan()
	got, err := e.Recommend(t.Context(), query.Request{
		Like:    []query.Example{{Vector: []float32{1, 0}}},
		Dislike: []query.Example{{Vector: []float32{0, 5}}}, Limit: 1,
	})
	if err != nil {
		t.Fatal(err)
	}
	// The query vector is (3, -1)/√10 and the nearest document (1, 0).
	if h := got.Hits[0]; h.ID != "a" || !near(float64(h.Score), 0.9486833, 1e-6) {
		t.Errorf("the best hit is %s with %v", h.ID, h.Score)
	}
}

func TestRecommendByDistanceDoesNotDependOnTheOrigin(t *testing.T) {
	for _, shift := range []float32{0, 1000} {
		place := func(id string, x, y float32) *core.Document {
			return &core.Document{ID: id, Vector: []float32{x + shift, y + shift}}
		}
		f, _ := newFake(place("liked", 4, 2), place("disliked", 2, 2), place("beyond", 5, 2), place("between", 3, 2), place("far", 9, 9))
		f.metric = index.L2
		got, err := query.New(f, index.L2, 2).Recommend(t.Context(), query.Request{Like: examples("liked"), Dislike: examples("disliked")})
		if err != nil {
			t.Fatal(err)
		}
		if ids(got.Hits) != "beyond between far" || !near(float64(got.Hits[0].Score), 0, 1e-6) {
			t.Errorf("shifted by %v: got %q, the first with %v", shift, ids(got.Hits), got.Hits[0].Score)
		}
	}
}

func TestRecommendExplainsByTheNearestLikedExamples(t *testing.T) {
	f, e := fan()
	long := strings.Repeat("é", 300)
	f.words[long] = angle(15)
	got, err := e.Recommend(t.Context(), query.Request{
		Like:    []query.Example{{ID: "a"}, {ID: "e"}, {Text: "north"}, {Text: long}},
		Dislike: examples("d"), Explain: true, Limit: 1,
	})
	if err != nil {
		t.Fatal(err)
	}
	hit := got.Hits[0]
	if hit.Document.Vector != nil {
		t.Error("the vector was not asked for")
	}
	because := hit.Explain.Because
	if len(because) != 3 || because[0].Text != strings.Repeat("é", 200)+"…" || because[1].ID != "a" || because[2].ID != "e" {
		t.Fatalf("%s is explained by %+v", hit.ID, because)
	}
	if hit.ID != "c" || !near(float64(because[0].Score), 0.9961947, 1e-6) || !near(float64(because[1].Score), 0.9396926, 1e-6) {
		t.Errorf("%s is explained by %+v", hit.ID, because)
	}
}

func TestRecommendEmbedsAllTextsInOneCall(t *testing.T) {
	f, e := fan()
	_, err := e.Recommend(t.Context(), query.Request{
		Like: []query.Example{{Text: "east"}}, Dislike: []query.Example{{Text: "north"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if n := f.embeds.Load(); n != 1 {
		t.Errorf("the texts were embedded in %d calls", n)
	}
}

func TestRecommendRefusesWhatGivesNoDirection(t *testing.T) {
	_, e := fan()
	_, err := e.Recommend(t.Context(), query.Request{Like: []query.Example{{Vector: []float32{1, 2}}, {Vector: []float32{-2, -4}}}})
	wantInput(t, err, "/like/0", "cancel each other out")
	_, err = e.Recommend(t.Context(), query.Request{})
	wantInput(t, err, "/like", "nothing to recommend by")
	_, err = e.Recommend(t.Context(), query.Request{Text: "east", Like: examples("a")})
	wantInput(t, err, "/text", "starts from examples")
	_, err = e.Recommend(t.Context(), query.Request{Like: examples("a", "b", "lost"), Dislike: examples("c")})
	wantInput(t, err, "/like/2", `no document "lost"`)
	if !errors.Is(err, core.ErrNotFound) {
		t.Errorf("%v does not match ErrNotFound", err)
	}
	_, err = e.Recommend(t.Context(), query.Request{Like: examples("a"), Dislike: examples("lost")})
	wantInput(t, err, "/dislike/0", `no document "lost"`)
}
