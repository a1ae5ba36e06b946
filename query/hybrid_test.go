package query_test

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/vecdb/vecdb/index"
	"github.com/vecdb/vecdb/internal/core"
	"github.com/vecdb/vecdb/query"
)

// seeded returns a source of random numbers: from VECDB_TEST_SEED where it is
// set, from another seed at each run where it is not.
func seeded(t *testing.T) *rand.Rand {
	t.Helper()
	seed := rand.Uint64()
	if s := os.Getenv("VECDB_TEST_SEED"); s != "" {
		var err error
		if seed, err = strconv.ParseUint(s, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("seed %d; set VECDB_TEST_SEED to repeat it", seed)
	return rand.New(rand.NewPCG(seed, 1))
}

// library returns random documents of few words.
func library(rng *rand.Rand, n int) (*fake, *query.Engine) {
	var docs []*core.Document
	for i := range n {
		doc := at(fmt.Sprint(i), 360*rng.Float64(), map[string]any{"year": int64(rng.IntN(10))})
		doc.Text = text(rng, rng.IntN(6))
		docs = append(docs, doc)
	}
	return newFake(docs...)
}

func text(rng *rand.Rand, n int) string {
	words := make([]string, n)
	for i := range words {
		words[i] = fmt.Sprintf("w%d", rng.IntN(12))
	}
	return strings.Join(words, " ")
}

// asking returns random requests for a text that can be embedded.
func asking(rng *rand.Rand, f *fake, words string) query.Request {
	f.words[words] = angle(360 * rng.Float64())
	r := query.Request{Text: words, Limit: 1 + rng.IntN(80)}
	if rng.IntN(2) == 0 {
		r.Filter = &query.Filter{Field: "year", Lt: int64(rng.IntN(11))}
	}
	for range rng.IntN(3) {
		r.Exclude = append(r.Exclude, fmt.Sprint(rng.IntN(len(f.docs))))
	}
	if rng.IntN(3) == 0 {
		least := rng.Float32() / 2
		r.MinScore = &least
	}
	return r
}

func hits(t *testing.T, e *query.Engine, r query.Request, mode query.Mode) []query.Hit {
	t.Helper()
	r.Mode = mode
	got, err := e.Search(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	return got.Hits
}

func TestHybridOfOneWayIsThatWay(t *testing.T) {
	rng := seeded(t)
	for range 50 {
		f, e := library(rng, 1+rng.IntN(200))
		r := asking(rng, f, "nobody wrote this")
		if got, want := hits(t, e, r, query.Hybrid), hits(t, e, r, query.Dense); !reflect.DeepEqual(got, want) {
			t.Fatalf("without words: %v, dense %v", got, want)
		}
		r = asking(rng, f, text(rng, 3))
		f.blind = true
		if got, want := hits(t, e, r, query.Hybrid), hits(t, e, r, query.Lexical); !reflect.DeepEqual(got, want) {
			t.Fatalf("without vectors: %v, lexical %v", got, want)
		}
	}
}

func TestTheScoreIsMadeOfTheExplainedParts(t *testing.T) {
	rng := seeded(t)
	for i := range 50 {
		f, e := library(rng, 1+rng.IntN(300))
		r := asking(rng, f, text(rng, 1+rng.IntN(3)))
		r.Explain, r.MinScore = true, nil
		if i%2 == 1 {
			r.Params.Fusion = query.FusionRRF
		}
		last := float32(math.Inf(1))
		for _, h := range hits(t, e, r, query.Hybrid) {
			x := h.Explain
			if h.Score > last {
				t.Fatalf("%v comes after %v", h.Score, last)
			}
			last = h.Score
			if x.Mode == query.Dense {
				continue // no document within the filter has the words
			}
			if !near(float64(h.Score), float64(x.Fusion.Dense+x.Fusion.Lexical), 1e-6) {
				t.Fatalf("%v is explained by %+v", h.Score, x.Fusion)
			}
			want := 0.5*x.Dense + 0.5*x.Lexical.Score/x.Lexical.Bound
			if x.Fusion.Method == query.FusionWeighted && !near(float64(h.Score), float64(want), 1e-6) {
				t.Fatalf("%v is explained by %v and %+v", h.Score, x.Dense, x.Lexical)
			}
			if r.Filter != nil && h.Document.Fields["year"].(int64) >= r.Filter.Lt.(int64) || slices.Contains(r.Exclude, h.ID) {
				t.Fatalf("%s must not be found", h.ID)
			}
		}
	}
}

func TestHybridFindsWhatEitherWayFinds(t *testing.T) {
	f, e := newFake()
	for i := range 200 {
		f.docs = append(f.docs, at(fmt.Sprint("near", i), float64(i)/10, nil))
	}
	f.docs = append(f.docs, at("word", 60, nil))
	f.docs[200].Text = strings.Repeat("rare ", 8)
	f.words["rare"] = angle(0)
	got := hits(t, e, query.Request{Text: "rare", Limit: 3}, "")
	if got[0].ID != "word" || !strings.HasPrefix(got[1].ID, "near") {
		t.Errorf("found %s", ids(got))
	}
	if got := hits(t, e, query.Request{Text: "rare", Limit: 3}, query.Lexical); ids(got) != "word" || !near(float64(got[0].Score), 0.8, 1e-6) {
		t.Errorf("by words: %s", ids(got))
	}
}

func TestTheScoreOfAHitDoesNotDependOnTheLimit(t *testing.T) {
	rng := seeded(t)
	f, e := library(rng, 40)
	r := asking(rng, f, "w1 w2 w3")
	r.MinScore, r.Limit = nil, 40
	all := hits(t, e, r, query.Hybrid)
	for limit := 1; limit < len(all); limit++ {
		r.Limit = limit
		if got := hits(t, e, r, query.Hybrid); !reflect.DeepEqual(got, all[:limit]) {
			t.Fatalf("%d hits are %v", limit, got)
		}
	}
	if len(all) == 0 { // the filter asks for years before the first
		return
	}
	least := all[len(all)/2].Score
	r.Limit, r.MinScore = 40, &least
	for _, h := range hits(t, e, r, query.Hybrid) {
		if h.Score < least {
			t.Errorf("%s scores %v, below %v", h.ID, h.Score, least)
		}
	}
}

// leaving is a source with a long document that goes between the search of the
// index and the look whose passages were found.
type leaving struct{ *fake }

func (l leaving) Nearest(ctx context.Context, q []float32, o index.Options, exact bool) ([]index.Neighbor, error) {
	list, err := l.fake.Nearest(ctx, q, o, exact)
	for _, ord := range []core.Ord{1, 99} { // within those of the others and behind all
		if o.Allow != nil {
			list = append(list, index.Neighbor{Ord: ord, Score: 0.9})
		}
	}
	return list, err
}

func TestHybridBesideTheEndOfALongDocument(t *testing.T) {
	f, _ := newFake(at("a", 0, nil), nil, at("b", 20, nil))
	f.words["text"] = angle(0)
	got, err := query.New(leaving{f}, index.Cosine, 2).Search(t.Context(), query.Request{Text: "text"})
	if err != nil {
		t.Fatal(err)
	}
	want, err := query.New(f, index.Cosine, 2).Search(t.Context(), query.Request{Text: "text"})
	if err != nil || !reflect.DeepEqual(got.Hits, want.Hits) || len(got.Hits) != 2 {
		t.Errorf("found %+v, want %+v (%v)", got.Hits, want.Hits, err)
	}
}

func TestLexicalSearchNeedsNoModel(t *testing.T) {
	f, e := newFake(at("a", 0, nil))
	if got := hits(t, e, query.Request{Text: "text"}, query.Lexical); ids(got) != "a" || f.embeds.Load() != 0 {
		t.Errorf("found %q after %d embeddings", ids(got), f.embeds.Load())
	}
}

func TestOtherMetricsAreFusedByRanks(t *testing.T) {
	f, _ := newFake(at("a", 0, nil), at("b", 5, nil))
	f.metric = index.L2
	f.words["text"] = angle(0)
	e := query.New(f, index.L2, 2)
	got := hits(t, e, query.Request{Text: "text", Explain: true}, query.Hybrid)
	if ids(got) != "a b" || got[0].Explain.Fusion.Method != query.FusionRRF || !near(float64(got[0].Score), 2.0/11, 1e-6) {
		t.Errorf("found %+v", got)
	}
}

func TestModesThatCannotBe(t *testing.T) {
	_, e := fan()
	for _, c := range []struct {
		r               query.Request
		pointer, detail string
	}{
		{query.Request{Text: "east", Mode: "psychic"}, "/mode", `unknown mode "psychic"`},
		{query.Request{Vector: angle(0), Mode: query.Hybrid}, "/mode", "the request has none"},
		{query.Request{ID: "a", Mode: query.Lexical}, "/mode", "the request has none"},
		{query.Request{Text: "east", Params: query.Params{Fusion: "sum"}}, "/params/fusion", `unknown fusion "sum"`},
	} {
		_, err := e.Search(t.Context(), c.r)
		wantInput(t, err, c.pointer, c.detail)
	}
	_, err := e.Classify(t.Context(), query.ClassifyRequest{Request: query.Request{Text: "east", Mode: query.Hybrid}})
	wantInput(t, err, "/mode", "neighbors vote by their vectors")
}

// Fused by ranks, the hits are those of going through all documents.
func TestHybridIsWhatRankingAllDocumentsBothWaysGives(t *testing.T) {
	rng := seeded(t)
	for range 100 {
		f, e := library(rng, 1+rng.IntN(50)) // all of which are candidates
		r := asking(rng, f, text(rng, 1+rng.IntN(4)))
		r.Limit, r.MinScore = len(f.docs), nil
		sums, both := map[string]float32{}, true
		for _, mode := range []query.Mode{query.Dense, query.Lexical} {
			r.Mode = mode
			answer, err := e.Search(t.Context(), r)
			if err != nil {
				t.Fatal(err)
			}
			both = both && len(answer.Hits) > 0
			for rank, hit := range answer.Hits {
				sums[hit.ID] += 1 / float32(11+rank)
			}
		}
		if !both {
			continue
		}
		r.Mode, r.Params.Fusion = query.Hybrid, query.FusionRRF
		r.Limit = 1 + rng.IntN(len(f.docs))
		answer, err := e.Search(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		want := slices.SortedFunc(maps.Values(sums), func(a, b float32) int { return cmp.Compare(b, a) })
		want = want[:min(len(want), r.Limit)]
		if len(answer.Hits) != len(want) {
			t.Fatalf("%d hits, not %d", len(answer.Hits), len(want))
		}
		for i, hit := range answer.Hits {
			if hit.Score != sums[hit.ID] || hit.Score != want[i] {
				t.Fatalf("hit %d, %s: %v, by ranks %v; the place has %v", i, hit.ID, hit.Score, sums[hit.ID], want[i])
			}
		}
	}
}
