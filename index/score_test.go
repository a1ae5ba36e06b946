package index_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/vecdb/vecdb/index"
	"github.com/vecdb/vecdb/internal/core"
)

func TestTopKeepsWhatSortingWould(t *testing.T) {
	const seed = 5
	rng := rand.New(rand.NewPCG(seed, seed))
	for _, k := range []int{-1, 0, 1, 2, 7, 50, 1000} {
		top := index.Top{K: k}
		var all []index.Neighbor
		for range 300 {
			n := index.Neighbor{Ord: core.Ord(rng.IntN(1000)), Score: float32(rng.IntN(40))}
			all = append(all, n)
			before := top.Worst()
			top.Offer(n)
			if n.Score < before && top.Worst() != before {
				t.Errorf("k %d: a score of %v moved the bound of %v", k, n.Score, before)
			}
		}
		slices.SortFunc(all, index.Compare)
		want := all[:min(max(k, 0), len(all))]
		if got := top.Sorted(); !slices.Equal(got, want) {
			t.Errorf("seed %d, k %d: kept %v, want %v", seed, k, got, want)
		}
		if got := top.Sorted(); len(got) != 0 {
			t.Errorf("k %d: %d neighbors are left after Sorted", k, len(got))
		}
	}
}

func TestNormalizeGivesUnitLength(t *testing.T) {
	for _, v := range [][]float32{{3, 4}, {math.MaxFloat32, -math.MaxFloat32, 1}, {math.SmallestNonzeroFloat32}, {1e-30, 1e-30}} {
		before := slices.Clone(v)
		var sum float64
		for _, x := range index.Normalize(v) {
			sum += float64(x) * float64(x)
		}
		if math.Abs(sum-1) > 1e-6 || !slices.Equal(v, before) {
			t.Errorf("%v has the squared length %v after Normalize and became %v", before, sum, v)
		}
	}
}

func TestScoreIsFinite(t *testing.T) {
	const huge = math.MaxFloat32
	for _, tc := range []struct {
		m    index.Metric
		a, b []float32
		want float32
	}{
		{index.Dot, []float32{huge, 2}, []float32{huge, 3}, huge},
		{index.Dot, []float32{huge, huge}, []float32{huge, -huge}, 0},
		{index.Dot, []float32{1, 2}, []float32{3, 4}, 11},
		{index.L2, []float32{huge, 0}, []float32{-huge, 0}, -huge},
		{index.L2, []float32{1, 2}, []float32{3, 5}, -13},
		{index.Cosine, []float32{huge, huge}, []float32{huge, huge}, 1},
		{index.Cosine, []float32{1, 0}, []float32{0, 5}, 0},
	} {
		if got := tc.m.Score(tc.a, tc.b); math.Abs(float64(got)-float64(tc.want)) > 1e-6*(1+math.Abs(float64(tc.want))) {
			t.Errorf("%s of %v and %v is %v, want %v", tc.m, tc.a, tc.b, got, tc.want)
		}
	}
}

func TestCheckNamesTheBadItem(t *testing.T) {
	items := []index.Item{{Ord: 5, Vector: []float32{1, 2}}, {Ord: 6, Vector: []float32{1, float32(math.NaN())}}}
	err := index.Check(items, 2)
	var in *core.InputError
	if !errors.As(err, &in) || in.Pointer != "/1/1" {
		t.Errorf("the error is %v, want an input error at /1/1", err)
	}
	if err := index.Check(items[:1], 2); err != nil {
		t.Errorf("good items give %v", err)
	}
}

func TestParseMetric(t *testing.T) {
	for name, want := range map[string]index.Metric{"": index.Cosine, "cosine": index.Cosine, "dot": index.Dot, "l2": index.L2} {
		if got, err := index.ParseMetric(name); err != nil || got != want {
			t.Errorf("%q is %q, %v, want %q", name, got, err, want)
		}
	}
	if _, err := index.ParseMetric("Cosine"); !errors.Is(err, core.ErrInvalid) {
		t.Errorf("an unknown name gives error %v, want ErrInvalid", err)
	}
}

func TestSortIsTheOrderOfCompare(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	negativeZero := float32(math.Copysign(0, -1))
	odd := []float32{0, 1, -1, 1e-45, -1e-45, math.MaxFloat32, -math.MaxFloat32, float32(math.Inf(1)), float32(math.Inf(-1)), negativeZero, float32(math.NaN())}
	for range 500 {
		kinds := len(odd) - rng.IntN(3) // often without the last ones, which are sorted otherwise
		list := make([]index.Neighbor, rng.IntN(300))
		for i := range list {
			list[i] = index.Neighbor{Ord: core.Ord(rng.Uint32() >> rng.IntN(32)), Score: float32(rng.NormFloat64())}
			if rng.IntN(2) == 0 {
				list[i].Score = odd[rng.IntN(kinds)]
			}
		}
		want := slices.Clone(list)
		slices.SortFunc(want, index.Compare)
		index.Sort(list)
		for i := range want {
			if index.Compare(list[i], want[i]) != 0 {
				t.Fatalf("at %d: %v, not %v", i, list[i], want[i])
			}
		}
	}
}
