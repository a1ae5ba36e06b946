package indextest

import (
	"maps"
	"math"
	"slices"
	"testing"

	"github.com/vecdb/vecdb/index"
	"github.com/vecdb/vecdb/internal/core"
)

// fixture is an index with its vectors.
type fixture struct {
	x       index.Index
	metric  index.Metric
	slack   float64 // Suite.Tolerance
	vectors map[core.Ord][]float32
}

func build(t *testing.T, s Suite, cfg index.Config, vectors [][]float32) fixture {
	t.Helper()
	x, err := s.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	f := fixture{x: x, metric: cfg.Metric, slack: s.Tolerance, vectors: make(map[core.Ord][]float32)}
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

// ords returns the ordinals present in rising order, for loops that draw
// random numbers and must draw the same ones at every run.
func (f fixture) ords() []core.Ord { return slices.Sorted(maps.Keys(f.vectors)) }

func (f fixture) insert(t *testing.T, ord core.Ord, v []float32) {
	t.Helper()
	if err := f.x.Insert(t.Context(), []index.Item{{Ord: ord, Vector: v}}); err != nil {
		t.Fatal(err)
	}
	f.vectors[ord] = v
}

func (f fixture) delete(ord core.Ord) {
	f.x.Delete(ord)
	delete(f.vectors, ord)
}

func (f fixture) checkLen(t *testing.T) {
	t.Helper()
	if got := f.x.Len(); got != len(f.vectors) {
		t.Fatalf("length %d, want %d", got, len(f.vectors))
	}
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
		want := score(f.metric, q, v)
		if math.Abs(float64(n.Score)-want) > f.allowance(q, v, want) {
			t.Fatalf("ordinal %d has score %v, want %v", n.Ord, n.Score, want)
		}
	}
	return got
}

// allowance is how far a score may be from the wanted one.
func (f fixture) allowance(q, v []float32, want float64) float64 {
	if f.slack == 0 {
		return 1e-4 * (1 + math.Abs(want))
	}
	if f.metric == index.Cosine {
		return 2 * f.slack
	}
	return f.slack * (1 + math.Sqrt(score(index.Dot, q, q)*score(index.Dot, v, v)))
}

// recall searches for the 10 nearest of each query and returns the mean share
// of the true ones that were found.
func (f fixture) recall(t *testing.T, s Suite, queries [][]float32, allow *core.Set) float64 {
	t.Helper()
	var keep func(core.Ord) bool
	if allow != nil {
		keep = allow.Contains
	}
	var sum float64
	for _, q := range queries {
		got, want := f.search(t, q, index.Options{K: 10, Allow: allow}), truth(f.metric, f.vectors, q, 10, keep)
		sum += overlap(got, want)
		if s.exact() && len(got) != len(want) {
			t.Errorf("%d neighbors, want %d", len(got), len(want))
		}
	}
	return sum / float64(len(queries))
}

// meets logs a recall and fails the test when it is below the suite's.
func meets(t *testing.T, s Suite, what string, recall float64) {
	t.Helper()
	t.Logf("%s: recall@10 %.4f", what, recall)
	if recall < s.Recall-1e-9 {
		t.Errorf("%s: recall@10 is %.4f, want at least %.4f", what, recall, s.Recall)
	}
}
