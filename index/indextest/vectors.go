package indextest

import (
	"math"
	"math/rand/v2"
	"slices"

	"github.com/vecdb/vecdb/index"
	"github.com/vecdb/vecdb/internal/core"
)

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
// good as the last wanted one counts too, so that ties cannot fail a test.
func overlap(got, want []index.Neighbor) float64 {
	if len(want) == 0 {
		return 1
	}
	wanted := make(map[core.Ord]bool)
	for _, w := range want {
		wanted[w.Ord] = true
	}
	last := want[len(want)-1].Score
	slack := 1e-5 * (1 + float32(math.Abs(float64(last))))
	n := 0
	for _, g := range got {
		if wanted[g.Ord] || g.Score >= last-slack {
			n++
		}
	}
	return float64(min(n, len(want))) / float64(len(want))
}
