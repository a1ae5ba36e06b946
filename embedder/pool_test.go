package embedder_test

import (
	"math"
	"slices"
	"testing"

	"github.com/vecdb/vecdb/embedder"
)

func TestPool(t *testing.T) {
	const padding = 1e9
	// Two sequences, the first of one token and padded to two.
	padded := embedder.Hidden{Dim: 2, Offsets: []int{0, 2}, Data: []float32{
		3, 4, padding, padding,
		0, 5, 6, 3,
	}}
	huge := float32(math.MaxFloat32)
	for _, tc := range []struct {
		name    string
		h       embedder.Hidden
		i, n    int
		pooling embedder.Pooling
		want    []float32
	}{
		{"mean leaves out the padding", padded, 0, 1, embedder.PoolMean, []float32{0.6, 0.8}},
		{"mean is over all tokens", padded, 1, 2, embedder.PoolMean, []float32{0.6, 0.8}},
		{"mean leaves out what is masked", padded, 1, 1, embedder.PoolMean, []float32{0, 1}},
		{"cls is the first token", padded, 1, 2, embedder.PoolCLS, []float32{0, 1}},
		{"cls is scaled", padded, 0, 1, embedder.PoolCLS, []float32{0.6, 0.8}},
		{"last is the last token", padded, 1, 2, embedder.PoolLast, []float32{0.8944272, 0.4472136}},
		{"last leaves out the padding", padded, 0, 1, embedder.PoolLast, []float32{0.6, 0.8}},
		{"max is by number", padded, 1, 2, embedder.PoolMax, []float32{0.7682213, 0.6401844}},
		{"max leaves out the padding", padded, 0, 1, embedder.PoolMax, []float32{0.6, 0.8}},
		{"max of negative numbers", embedder.Hidden{Dim: 2, Offsets: []int{0}, Data: []float32{-9, -4, -3, -8}}, 0, 2, embedder.PoolMax, []float32{-0.6, -0.8}},
		{"last of no tokens gives zeros", embedder.Hidden{Dim: 2, Offsets: []int{0}}, 0, 0, embedder.PoolLast, []float32{0, 0}},
		{"large numbers do not overflow", embedder.Hidden{Dim: 2, Offsets: []int{0}, Data: []float32{huge, huge, huge, huge}},
			0, 2, embedder.PoolMean, []float32{math.Sqrt2 / 2, math.Sqrt2 / 2}},
		{"small numbers do not vanish", embedder.Hidden{Dim: 2, Offsets: []int{0}, Data: []float32{3e-30, -4e-30}},
			0, 1, embedder.PoolMean, []float32{0.6, -0.8}},
		{"no direction gives zeros", embedder.Hidden{Dim: 2, Offsets: []int{0}, Data: []float32{1, 2, -1, -2}},
			0, 2, embedder.PoolMean, []float32{0, 0}},
		{"mean of no tokens gives zeros", embedder.Hidden{Dim: 2, Offsets: []int{0}}, 0, 0, embedder.PoolMean, []float32{0, 0}},
		{"cls of no tokens gives zeros", embedder.Hidden{Dim: 2, Offsets: []int{0}}, 0, 0, embedder.PoolCLS, []float32{0, 0}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			before := slices.Clone(tc.h.Data)
			got := embedder.Pool(tc.h, tc.i, tc.n, tc.pooling)
			if !near(got, tc.want) {
				t.Errorf("got %v, want %v", got, tc.want)
			}
			if !slices.Equal(tc.h.Data, before) {
				t.Error("the hidden states were changed")
			}
		})
	}
}

// near tells whether two vectors are equal but for rounding.
func near(a, b []float32) bool {
	return slices.EqualFunc(a, b, func(x, y float32) bool { return math.Abs(float64(x-y)) < 1e-6 })
}
