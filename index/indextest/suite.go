// Package indextest holds the suite that every index passes: what it may and
// may not do with good and bad input, deletes, filters and concurrent use, and
// its recall against a truth computed in 64 bits.
package indextest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/vecdb/vecdb/index"
	"github.com/vecdb/vecdb/internal/core"
)

// Suite says what is tested.
type Suite struct {
	// New makes an empty index.
	New func(index.Config) (index.Index, error)
	// Recall is the least recall@10 that the index must reach on 2,000
	// clustered vectors, from 0 to 1. At 1 the answers must be exact.
	Recall float64
	// Seed is the seed of the random vectors; 0 is a fixed one.
	Seed uint64
}

// Run runs the suite as subtests of t.
func Run(t *testing.T, s Suite) {
	if s.Seed == 0 {
		s.Seed = 20_240_817
	}
	t.Logf("seed %d", s.Seed)
	for name, test := range map[string]func(*testing.T, Suite){
		"recall":            testRecall,
		"filters":           testFilters,
		"deletes":           testDeletes,
		"churn":             testChurn,
		"replace":           testReplace,
		"bad input":         testBadInput,
		"small and empty":   testSmall,
		"equal scores":      testTies,
		"cancelled context": testCancel,
		"concurrent use":    testConcurrent,
	} {
		t.Run(name, func(t *testing.T) { test(t, s) })
	}
}

// Vectors returns n vectors of dim numbers in clusters, as texts have topics.
func Vectors(rng *rand.Rand, n, dim int) [][]float32 {
	centers := make([][]float32, max(1, n/100))
	for i := range centers {
		centers[i] = gaussian(rng, dim, nil, 1)
	}
	out := make([][]float32, n)
	for i := range out {
		out[i] = gaussian(rng, dim, centers[rng.IntN(len(centers))], 0.6)
	}
	return out
}

func gaussian(rng *rand.Rand, dim int, center []float32, spread float64) []float32 {
	v := make([]float32, dim)
	for i := range v {
		v[i] = float32(spread * rng.NormFloat64())
		if center != nil {
			v[i] += center[i]
		}
	}
	return v
}

// score is the metric in 64 bits.
func score(m index.Metric, a, b []float32) float64 {
	var dot, aa, bb, l2 float64
	for i := range a {
		x, y := float64(a[i]), float64(b[i])
		dot, aa, bb, l2 = dot+x*y, aa+x*x, bb+y*y, l2+(x-y)*(x-y)
	}
	switch m {
	case index.Dot:
		return dot
	case index.L2:
		return -l2
	default:
		return dot / math.Sqrt(aa*bb)
	}
}

// truth returns the k best ordinals of those that keep holds, best first.
func truth(m index.Metric, vectors map[core.Ord][]float32, q []float32, k int, keep func(core.Ord) bool) []index.Neighbor {
	var all []index.Neighbor
	for ord, v := range vectors {
		if keep == nil || keep(ord) {
			all = append(all, index.Neighbor{Ord: ord, Score: float32(score(m, q, v))})
		}
	}
	slices.SortFunc(all, index.Compare)
	return all[:min(k, len(all))]
}

// overlap returns the share of want that got holds. An answer with a score as
// good as the last wanted one counts, so that ties cannot fail a test.
func overlap(got, want []index.Neighbor) float64 {
	if len(want) == 0 {
		return 1
	}
	last := want[len(want)-1].Score
	slack := 1e-5 * (1 + float32(math.Abs(float64(last))))
	n := 0
	for _, g := range got {
		if g.Score >= last-slack {
			n++
		}
	}
	return float64(min(n, len(want))) / float64(len(want))
}

// fixture is an index with its vectors.
type fixture struct {
	x       index.Index
	metric  index.Metric
	vectors map[core.Ord][]float32
}

func build(t *testing.T, s Suite, cfg index.Config, vectors [][]float32) fixture {
	t.Helper()
	x, err := s.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	f := fixture{x: x, metric: cfg.Metric, vectors: make(map[core.Ord][]float32)}
	var items []index.Item
	for i, v := range vectors {
		ord := core.Ord(3 * i) // ordinals have holes
		f.vectors[ord] = v
		items = append(items, index.Item{Ord: ord, Vector: v})
	}
	if err := x.Insert(t.Context(), items); err != nil {
		t.Fatal(err)
	}
	return f
}

// search searches and checks what holds for every answer.
func (f fixture) search(t *testing.T, q []float32, o index.Options) []index.Neighbor {
	t.Helper()
	got, err := f.x.Search(t.Context(), q, o)
	if err != nil {
		t.Fatal(err)
	}
	if len(got) > o.K {
		t.Fatalf("%d neighbors for k %d", len(got), o.K)
	}
	seen := make(map[core.Ord]bool)
	for i, n := range got {
		v, there := f.vectors[n.Ord]
		if !there || seen[n.Ord] {
			t.Fatalf("ordinal %d is not in the index or comes twice", n.Ord)
		}
		seen[n.Ord] = true
		if o.Allow != nil && !o.Allow.Contains(n.Ord) {
			t.Fatalf("ordinal %d is not allowed", n.Ord)
		}
		if i > 0 && index.Compare(got[i-1], n) > 0 {
			t.Fatalf("neighbors %d and %d are in the wrong order", i-1, i)
		}
		if want := score(f.metric, q, v); math.Abs(float64(n.Score)-want) > 1e-4*(1+math.Abs(want)) {
			t.Fatalf("ordinal %d has score %v, want %v", n.Ord, n.Score, want)
		}
	}
	return got
}

// meets fails the test when the mean overlap of an answer is below the bound.
func meets(t *testing.T, s Suite, what string, sum float64, n int) {
	t.Helper()
	got := sum / float64(n)
	t.Logf("%s: recall@10 %.4f", what, got)
	if got < s.Recall-1e-9 {
		t.Errorf("%s: recall@10 is %.4f, want at least %.4f", what, got, s.Recall)
	}
}

func testRecall(t *testing.T, s Suite) {
	for _, m := range []index.Metric{index.Cosine, index.Dot, index.L2} {
		for _, dim := range []int{2, 3, 15, 16, 17, 64, 384} {
			t.Run(fmt.Sprintf("%s/%d", m, dim), func(t *testing.T) {
				rng := rand.New(rand.NewPCG(s.Seed, uint64(dim)))
				vectors := Vectors(rng, 2000+20, dim)
				f := build(t, s, index.Config{Dim: dim, Metric: m}, vectors[20:])
				var sum float64
				for _, q := range vectors[:20] {
					sum += overlap(f.search(t, q, index.Options{K: 10}), truth(m, f.vectors, q, 10, nil))
				}
				meets(t, s, "all vectors", sum, 20)
			})
		}
	}
}

func testFilters(t *testing.T, s Suite) {
	rng := rand.New(rand.NewPCG(s.Seed, 1))
	vectors := Vectors(rng, 2000+10, 32)
	f := build(t, s, index.Config{Dim: 32, Metric: index.Cosine}, vectors[10:])
	for _, share := range []float64{1, 0.5, 0.1, 0.01, 0.001, 0} {
		allow := core.NewSet(7_000_001) // an ordinal that does not exist
		for ord := range f.vectors {
			if rng.Float64() < share {
				allow.Add(ord)
			}
		}
		var sum float64
		for _, q := range vectors[:10] {
			want := truth(index.Cosine, f.vectors, q, 10, allow.Contains)
			sum += overlap(f.search(t, q, index.Options{K: 10, Allow: allow}), want)
		}
		meets(t, s, fmt.Sprintf("%g of the vectors allowed", share), sum, 10)
	}
}

func testDeletes(t *testing.T, s Suite) {
	rng := rand.New(rand.NewPCG(s.Seed, 2))
	vectors := Vectors(rng, 1000+10, 24)
	f := build(t, s, index.Config{Dim: 24, Metric: index.L2}, vectors[10:])
	for ord := range f.vectors {
		if rng.IntN(2) == 0 {
			f.x.Delete(ord, ord) // twice is no error
			delete(f.vectors, ord)
		}
	}
	f.x.Delete(9_999_999)
	if got := f.x.Len(); got != len(f.vectors) {
		t.Errorf("length %d, want %d", got, len(f.vectors))
	}
	var sum float64
	for _, q := range vectors[:10] {
		sum += overlap(f.search(t, q, index.Options{K: 10}), truth(index.L2, f.vectors, q, 10, nil))
	}
	meets(t, s, "half deleted", sum, 10)
	for ord := range f.vectors {
		f.x.Delete(ord)
		delete(f.vectors, ord)
	}
	if got := f.search(t, vectors[0], index.Options{K: 10}); len(got) != 0 {
		t.Errorf("an emptied index returns %d neighbors", len(got))
	}
}

func testChurn(t *testing.T, s Suite) {
	rng := rand.New(rand.NewPCG(s.Seed, 3))
	f := build(t, s, index.Config{Dim: 16, Metric: index.Cosine}, Vectors(rng, 300, 16))
	next := core.Ord(10_000)
	for range 10 {
		for ord := range f.vectors {
			if rng.IntN(2) == 0 {
				f.x.Delete(ord)
				delete(f.vectors, ord)
			}
		}
		for _, v := range Vectors(rng, 150, 16) {
			if err := f.x.Insert(t.Context(), []index.Item{{Ord: next, Vector: v}}); err != nil {
				t.Fatal(err)
			}
			f.vectors[next] = v
			next++
		}
		if got := f.x.Len(); got != len(f.vectors) {
			t.Fatalf("length %d, want %d", got, len(f.vectors))
		}
		f.search(t, gaussian(rng, 16, nil, 1), index.Options{K: 20})
	}
}

func testReplace(t *testing.T, s Suite) {
	rng := rand.New(rand.NewPCG(s.Seed, 4))
	f := build(t, s, index.Config{Dim: 12, Metric: index.Cosine}, Vectors(rng, 50, 12))
	for ord := range f.vectors {
		v := gaussian(rng, 12, nil, 1)
		if err := f.x.Insert(t.Context(), []index.Item{{Ord: ord, Vector: v}}); err != nil {
			t.Fatal(err)
		}
		f.vectors[ord] = v
	}
	if got := f.x.Len(); got != len(f.vectors) {
		t.Errorf("length %d after replacing, want %d", got, len(f.vectors))
	}
	f.search(t, gaussian(rng, 12, nil, 1), index.Options{K: 50}) // checks every score against the new vectors
}

func testBadInput(t *testing.T, s Suite) {
	rng := rand.New(rand.NewPCG(s.Seed, 5))
	f := build(t, s, index.Config{Dim: 4, Metric: index.Cosine}, Vectors(rng, 20, 4))
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	for name, v := range map[string][]float32{
		"nil": nil, "empty": {}, "short": {1, 2, 3}, "long": {1, 2, 3, 4, 5},
		"NaN": {1, nan, 0, 0}, "Inf": {0, 0, inf, 1}, "-Inf": {-inf, 0, 0, 1}, "zero": {0, 0, 0, 0},
	} {
		if err := f.x.Insert(t.Context(), []index.Item{{Ord: 1, Vector: v}}); !errors.Is(err, core.ErrInvalid) {
			t.Errorf("inserting a %s vector: error %v, want ErrInvalid", name, err)
		}
		if _, err := f.x.Search(t.Context(), v, index.Options{K: 3}); !errors.Is(err, core.ErrInvalid) {
			t.Errorf("searching with a %s vector: error %v, want ErrInvalid", name, err)
		}
	}
	for _, k := range []int{0, -1} {
		if _, err := f.x.Search(t.Context(), []float32{1, 2, 3, 4}, index.Options{K: k}); !errors.Is(err, core.ErrInvalid) {
			t.Errorf("k %d: error %v, want ErrInvalid", k, err)
		}
	}
	if _, err := s.New(index.Config{Dim: 0}); !errors.Is(err, core.ErrInvalid) {
		t.Errorf("dimension 0: error %v, want ErrInvalid", err)
	}
	if _, err := s.New(index.Config{Dim: 4, Metric: "hamming"}); !errors.Is(err, core.ErrInvalid) {
		t.Errorf("unknown metric: error %v, want ErrInvalid", err)
	}
	if got := f.x.Len(); got != 20 {
		t.Errorf("length %d after refused inserts, want 20", got)
	}
}

func testSmall(t *testing.T, s Suite) {
	x, err := s.New(index.Config{Dim: 2})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := x.Search(t.Context(), []float32{1, 0}, index.Options{K: 5}); err != nil || len(got) != 0 {
		t.Errorf("an empty index returns %v, %v", got, err)
	}
	if err := x.Insert(t.Context(), nil); err != nil {
		t.Errorf("inserting nothing: %v", err)
	}
	v := []float32{3, 4}
	if err := x.Insert(t.Context(), []index.Item{{Ord: 7, Vector: v}}); err != nil {
		t.Fatal(err)
	}
	v[0] = -3 // the index has a copy
	got, err := x.Search(t.Context(), []float32{6, 8}, index.Options{K: 5})
	if err != nil || len(got) != 1 || got[0].Ord != 7 || math.Abs(float64(got[0].Score)-1) > 1e-6 {
		t.Errorf("the only vector is not found: %v, %v", got, err)
	}
}

func testTies(t *testing.T, s Suite) {
	x, err := s.New(index.Config{Dim: 3})
	if err != nil {
		t.Fatal(err)
	}
	for _, ord := range []core.Ord{9, 4, 6, 1} {
		if err := x.Insert(t.Context(), []index.Item{{Ord: ord, Vector: []float32{0, 1, 0}}}); err != nil {
			t.Fatal(err)
		}
	}
	got, err := x.Search(t.Context(), []float32{0, 2, 0}, index.Options{K: 4})
	if err != nil || !slices.IsSortedFunc(got, index.Compare) {
		t.Errorf("equal vectors come as %v, %v; want rising ordinals", got, err)
	}
}

func testCancel(t *testing.T, s Suite) {
	rng := rand.New(rand.NewPCG(s.Seed, 6))
	f := build(t, s, index.Config{Dim: 8, Metric: index.Cosine}, Vectors(rng, 100, 8))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := f.x.Search(ctx, f.vectors[0], index.Options{K: 1}); !errors.Is(err, context.Canceled) {
		t.Errorf("search with a cancelled context: error %v", err)
	}
	if err := f.x.Insert(ctx, []index.Item{{Ord: 1, Vector: f.vectors[0]}}); !errors.Is(err, context.Canceled) {
		t.Errorf("insert with a cancelled context: error %v", err)
	}
}

// testConcurrent inserts, deletes and searches at once. Even ordinals are
// deleted before the searches that must not return them begin.
func testConcurrent(t *testing.T, s Suite) {
	rng := rand.New(rand.NewPCG(s.Seed, 7))
	vectors := Vectors(rng, 400, 16)
	f := build(t, s, index.Config{Dim: 16, Metric: index.Cosine}, vectors[:200])
	gone := core.NewSet()
	for ord := range f.vectors {
		if ord%2 == 0 {
			f.x.Delete(ord)
			gone.Add(ord)
		}
	}
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for i := 200 + w; i < 400; i += 4 {
				if err := f.x.Insert(t.Context(), []index.Item{{Ord: core.Ord(10_000 + i), Vector: vectors[i]}}); err != nil {
					t.Error(err)
				}
				if i%3 == 0 {
					f.x.Delete(core.Ord(10_000 + i))
				}
			}
		})
		wg.Go(func() {
			for i := w; i < 200; i += 4 {
				got, err := f.x.Search(t.Context(), vectors[i], index.Options{K: 10})
				if err != nil {
					t.Error(err)
				}
				for _, n := range got {
					if gone.Contains(n.Ord) {
						t.Errorf("deleted ordinal %d was returned", n.Ord)
					}
				}
			}
		})
	}
	wg.Wait()
}
