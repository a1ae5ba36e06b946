package query_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vecdb/vecdb/internal/core"
	"github.com/vecdb/vecdb/query"
	"github.com/vecdb/vecdb/recommender"
)

// did adds an event to the behavior of a fake.
func (f *fake) did(user, action, item string) {
	if f.behavior == nil {
		f.behavior = recommender.NewBehavior()
	}
	seq := f.behavior.Size().Seq + 1
	f.behavior.Add([]core.Event{{User: user, Action: action, Item: item, Seq: seq, Time: time.UnixMicro(int64(seq))}})
}

// learn trains the model of a fake on what users did.
func (f *fake) learn(t *testing.T) {
	t.Helper()
	m, err := recommender.Train(t.Context(), f.behavior, func(ids []string) ([][]float32, error) {
		out := make([][]float32, len(ids))
		ords, err := f.Ordinals(context.Background(), ids)
		for i, ord := range ords {
			if ord != core.NoOrd {
				out[i] = f.docs[ord].Vector
			}
		}
		return out, err
	}, recommender.Options{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	f.model = m
}

// tasteful returns a source of two kinds of documents, x and y, that each kind
// of users likes: u1 to u9 the first, v1 to v9 the second. Of n0 to n3, two of
// each kind, nobody knows anything yet.
func tasteful(t *testing.T) (*fake, *query.Engine) {
	t.Helper()
	var docs []*core.Document
	for i := range 12 {
		docs = append(docs, at(fmt.Sprint("x", i), float64(i), map[string]any{"year": int64(i)}), at(fmt.Sprint("y", i), 80+float64(i), map[string]any{"year": int64(i)}))
	}
	docs = append(docs, at("n0", 5.5, map[string]any{"year": int64(99)}), at("n1", 5.6, map[string]any{"year": int64(99)}),
		at("n2", 85.5, map[string]any{"year": int64(99)}), at("n3", 85.6, map[string]any{"year": int64(99)}))
	f, e := newFake(docs...)
	rng := rand.New(rand.NewPCG(5, 5))
	for u := range 9 {
		for _, i := range rng.Perm(12)[:7] {
			f.did(fmt.Sprint("u", u+1), "like", fmt.Sprint("x", i))
			f.did(fmt.Sprint("v", u+1), "like", fmt.Sprint("y", i))
		}
	}
	f.learn(t)
	return f, e
}

func recommend(t *testing.T, e *query.Engine, r query.Request) []query.Hit {
	t.Helper()
	got, err := e.Recommend(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	return got.Hits
}

// allOf fails the test unless there are n hits, all with ids that begin so.
func allOf(t *testing.T, hits []query.Hit, n int, prefixes string) {
	t.Helper()
	if len(hits) != n {
		t.Errorf("there are %d hits, want %d: %s", len(hits), n, ids(hits))
	}
	for _, h := range hits {
		if !strings.Contains(prefixes, h.ID[:1]) {
			t.Errorf("%s is among %s", h.ID, ids(hits))
		}
	}
}

func TestUsersGetWhatOthersOfTheirKindLike(t *testing.T) {
	f, e := tasteful(t)
	allOf(t, recommend(t, e, query.Request{User: "u1", Limit: 5}), 5, "x")
	allOf(t, recommend(t, e, query.Request{User: "v1", Limit: 5}), 5, "y")
	t.Run("a new event counts before anything is learnt from it", func(t *testing.T) {
		f.did("new", "like", "y3")
		f.did("new", "view", "y4")
		hits := recommend(t, e, query.Request{User: "new", Limit: 5})
		allOf(t, hits, 5, "y")
		if slices.ContainsFunc(hits, func(h query.Hit) bool { return h.ID == "y3" || h.ID == "y4" }) {
			t.Errorf("what is known is among %s", ids(hits))
		}
	})
	t.Run("a session", func(t *testing.T) {
		allOf(t, recommend(t, e, query.Request{Session: []string{"x1", "no such document", "x2"}, Limit: 5}), 5, "x")
	})
	t.Run("an item", func(t *testing.T) {
		allOf(t, recommend(t, e, query.Request{ID: "y1", Limit: 5}), 5, "y")
	})
	t.Run("examples that events know", func(t *testing.T) {
		hits := recommend(t, e, query.Request{Like: examples("x1"), Dislike: examples("y1"), Limit: 5, Explain: true})
		allOf(t, hits, 5, "x")
		if hits[0].Explain.Mode != query.Behavioral {
			t.Errorf("mode %s", hits[0].Explain.Mode)
		}
	})
	t.Run("examples that no event knows", func(t *testing.T) {
		hits := recommend(t, e, query.Request{Like: examples("n0"), Limit: 5, Explain: true})
		if allOf(t, hits, 5, "xn"); hits[0].Explain.Mode != query.Dense {
			t.Errorf("mode %s", hits[0].Explain.Mode)
		}
	})
	t.Run("new documents by their texts", func(t *testing.T) {
		year := &query.Filter{Field: "year", Eq: int64(99)}
		hits := recommend(t, e, query.Request{User: "v2", Filter: year, Limit: 2, Explain: true})
		if len(hits) != 2 || !strings.Contains("n2 n3", hits[0].ID) || !strings.Contains("n2 n3", hits[1].ID) || len(hits[0].Explain.Because) == 0 {
			t.Errorf("got %s", ids(hits))
		}
	})
	t.Run("by vectors alone", func(t *testing.T) {
		if hits := recommend(t, e, query.Request{User: "u1", Mode: query.Dense, Limit: 3, Explain: true}); hits[0].Explain.Mode != query.Dense {
			t.Errorf("mode %s", hits[0].Explain.Mode)
		}
	})
}

func TestStrangersGetWhatIsPopular(t *testing.T) {
	f, e := tasteful(t)
	for range 3 {
		f.did("a crowd", "buy", "y7")
	}
	f.did("a crowd", "buy", "y8")
	f.learn(t)
	hits := recommend(t, e, query.Request{User: "nobody", Limit: 24, Explain: true})
	if len(hits) != 24 || !hits[0].Explain.Behavior.Popular || hits[0].Score != 1 || len(hits[0].Explain.Because) != 0 {
		t.Errorf("got %d hits, the first %+v", len(hits), hits[0])
	}
	allOf(t, recommend(t, e, query.Request{User: "nobody", Filter: &query.Filter{Field: "year", Eq: int64(3)}}), 2, "xy")
	f.model = nil
	if hits := recommend(t, e, query.Request{User: "nobody"}); len(hits) != 0 {
		t.Errorf("before anything was learnt: %s", ids(hits))
	}
	if hits := recommend(t, e, query.Request{User: "u1", Limit: 3}); len(hits) != 3 {
		t.Errorf("the likeness to what is liked serves before anything was learnt: %s", ids(hits))
	}
}

func TestReasonsAreWhatTheUserLiked(t *testing.T) {
	f, e := tasteful(t)
	for _, h := range recommend(t, e, query.Request{User: "u1", Limit: 3, Explain: true}) {
		if x := h.Explain; x.Mode != query.Behavioral || x.Behavior == nil || len(x.Because) == 0 || !near(float64(x.Behavior.Items+x.Behavior.Text), float64(h.Score), 1e-4) {
			t.Fatalf("%s: %+v", h.ID, h.Explain)
		}
		for _, b := range h.Explain.Because {
			liked := slices.ContainsFunc(f.behavior.History("u1"), func(x recommender.Taste) bool { return x.Item == b.ID })
			if !liked || b.Text != "text of "+b.ID || !(b.Score > 0 && b.Score <= 1) {
				t.Errorf("%s because of %+v", h.ID, b)
			}
		}
	}
}

// TestNothingUnwantedIsRecommended asks for users with random histories, after
// random deletions, with random filters and lists of what to leave out.
func TestNothingUnwantedIsRecommended(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 9))
	f, e := tasteful(t)
	all := slices.Clone(f.docs)
	anyID := func() string { return all[rng.IntN(len(all))].ID }
	actions := core.Actions()
	for round := range 400 {
		user := fmt.Sprint("u", rng.IntN(20))
		for range rng.IntN(4) {
			f.did(user, actions[rng.IntN(len(actions))], anyID())
		}
		if i := rng.IntN(len(all)); rng.IntN(10) == 0 {
			f.docs[i] = nil
		} else if f.docs[i] == nil {
			f.docs[i] = all[i]
		}
		if round%50 == 49 {
			f.learn(t)
		}
		r := query.Request{User: user, Limit: 1 + rng.IntN(30), Explain: rng.IntN(2) == 0, Diversity: float32(rng.IntN(2)) / 2}
		for range rng.IntN(5) {
			r.Exclude = append(r.Exclude, anyID())
		}
		for range rng.IntN(3) {
			r.Session = append(r.Session, anyID())
		}
		year := int64(rng.IntN(12))
		if rng.IntN(3) == 0 {
			r.Filter = &query.Filter{Field: "year", Gte: year}
		}
		for _, id := range []string{anyID(), anyID()} {
			if ords, _ := f.Ordinals(t.Context(), []string{id}); ords[0] != core.NoOrd && rng.IntN(4) == 0 {
				r.Dislike = append(r.Dislike, query.Example{ID: id})
			}
		}
		unwanted := slices.Clone(r.Exclude)
		unwanted = append(unwanted, r.Session...)
		for _, x := range f.behavior.History(user) {
			unwanted = append(unwanted, x.Item)
		}
		for _, x := range r.Dislike {
			unwanted = append(unwanted, x.ID)
		}
		got, err := e.Recommend(t.Context(), r)
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		seen := make(map[string]bool)
		for _, h := range got.Hits {
			i := slices.IndexFunc(f.docs, func(d *core.Document) bool { return d != nil && d.ID == h.ID })
			if i < 0 || slices.Contains(unwanted, h.ID) || seen[h.ID] || r.Filter != nil && f.docs[i].Fields["year"].(int64) < year {
				t.Fatalf("round %d: %s should not be among %s", round, h.ID, ids(got.Hits))
			}
			seen[h.ID] = true
		}
		if len(got.Hits) > r.Limit {
			t.Fatalf("round %d: %d hits, the limit is %d", round, len(got.Hits), r.Limit)
		}
	}
}

func TestUsersAreForRecommendationsAlone(t *testing.T) {
	_, e := fan()
	_, err := e.Search(t.Context(), query.Request{Text: "east", User: "u"})
	wantInput(t, err, "/user", "not for a user")
	_, err = e.Classify(t.Context(), query.ClassifyRequest{Request: query.Request{Text: "east", Session: []string{"a"}}})
	wantInput(t, err, "/session", "not for a user")
	_, err = e.Recommend(t.Context(), query.Request{User: "u", Text: "east"})
	wantInput(t, err, "/text", "starts from examples")
	_, err = e.Recommend(t.Context(), query.Request{User: "u", Mode: query.Hybrid})
	wantInput(t, err, "/mode", "finds words")
	_, err = e.Recommend(t.Context(), query.Request{User: "\xff"})
	wantInput(t, err, "/user", "UTF-8")
	_, err = e.Recommend(t.Context(), query.Request{Session: []string{""}})
	wantInput(t, err, "/session/0", "empty")
}
