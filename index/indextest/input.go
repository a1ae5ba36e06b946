package indextest

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/vecdb/vecdb/index"
	"github.com/vecdb/vecdb/internal/core"
)

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
		if _, err := f.x.Search(t.Context(), v, index.Options{K: 3}); len(v) != 4 && !errors.Is(err, core.ErrDimension) {
			t.Errorf("searching with a %s vector: error %v, want ErrDimension", name, err)
		}
	}
	for _, k := range []int{0, -1, math.MinInt} {
		if _, err := f.x.Search(t.Context(), []float32{1, 2, 3, 4}, index.Options{K: k}); !errors.Is(err, core.ErrInvalid) {
			t.Errorf("k %d: error %v, want ErrInvalid", k, err)
		}
	}
	for _, cfg := range []index.Config{{Dim: 0}, {Dim: -1}, {Dim: core.MaxDim + 1}, {Dim: 4, Metric: "hamming"}} {
		if _, err := s.New(cfg); !errors.Is(err, core.ErrInvalid) {
			t.Errorf("%+v: error %v, want ErrInvalid", cfg, err)
		}
	}
	f.checkLen(t)
}

// testExtremes uses the largest k and breadth, and numbers whose products and
// squares do not fit a float32.
func testExtremes(t *testing.T, s Suite) {
	rng := rand.New(rand.NewPCG(s.Seed, 9))
	for _, m := range []index.Metric{index.Cosine, index.Dot, index.L2} {
		f := build(t, s, index.Config{Dim: 5, Metric: m}, Vectors(rng, 30, 5))
		for _, o := range []index.Options{{K: math.MaxInt}, {K: 3, Ef: math.MaxInt}, {K: math.MaxInt, Allow: core.NewSet(0, 3)}} {
			got := f.search(t, gaussian(rng, 5, nil, 1), o)
			if len(got) == 0 || s.exact() && o.K > 30 && o.Allow == nil && len(got) != 30 {
				t.Errorf("%s: %+v gives %d of 30 neighbors", m, o, len(got))
			}
		}
		const huge, tiny = math.MaxFloat32, math.SmallestNonzeroFloat32
		for i, v := range [][]float32{{huge, huge, -huge, huge, huge}, {-huge, 1, 1, 1, huge}, {tiny, 0, 0, 0, 0}} {
			f.insert(t, core.Ord(1000+i), v)
			for _, n := range must(t, f.x, v, 40) {
				if score := float64(n.Score); math.IsNaN(score) || math.IsInf(score, 0) {
					t.Errorf("%s: ordinal %d has the score %v", m, n.Ord, score)
				}
			}
		}
	}
}

func must(t *testing.T, x index.Index, q []float32, k int) []index.Neighbor {
	t.Helper()
	got, err := x.Search(t.Context(), q, index.Options{K: k})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// testInputKept changes vectors after they were given and looks whether given
// ones were changed.
func testInputKept(t *testing.T, s Suite) {
	for _, m := range []index.Metric{index.Cosine, index.Dot, index.L2} {
		f := build(t, s, index.Config{Dim: 2, Metric: m}, nil)
		v, q := []float32{3, 4}, []float32{6, 8}
		f.insert(t, 1, slices.Clone(v))
		f.search(t, q, index.Options{K: 1})
		if given := f.vectors[1]; !slices.Equal(given, v) || !slices.Equal(q, []float32{6, 8}) {
			t.Errorf("%s: the vectors became %v and %v", m, given, q)
		}
		f.vectors[1][0] = -3
		f.vectors[1] = v
		if got := f.search(t, q, index.Options{K: 1}); len(got) != 1 { // checks the score
			t.Errorf("%s: the vector is not found", m)
		}
	}
}

func testCancel(t *testing.T, s Suite) {
	rng := rand.New(rand.NewPCG(s.Seed, 6))
	f := build(t, s, index.Config{Dim: 8, Metric: index.Cosine}, Vectors(rng, 100, 8))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, allow := range []*core.Set{nil, core.NewSet(0, 3)} {
		if _, err := f.x.Search(ctx, f.vectors[0], index.Options{K: 1, Allow: allow}); !errors.Is(err, context.Canceled) {
			t.Errorf("search with a cancelled context: error %v", err)
		}
	}
	if err := f.x.Insert(ctx, []index.Item{{Ord: 1, Vector: f.vectors[0]}}); !errors.Is(err, context.Canceled) {
		t.Errorf("insert with a cancelled context: error %v", err)
	}
	f.checkLen(t)
}
