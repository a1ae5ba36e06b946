package query

import (
	"math"

	"github.com/vecdb/vecdb/index"
	"github.com/vecdb/vecdb/internal/core"
)

// What hybrid search is made of. The figures were chosen on one half of public
// queries and measured on the other; docs/decisions tells.
const (
	// lexicalWeight is the weight of words beside that of vectors in a weighted
	// score.
	lexicalWeight = 0.5
	// rankOffset is the k of reciprocal rank fusion (Cormack, Clarke and
	// Büttcher, SIGIR 2009).
	rankOffset = 10
	// hybridBreadth is the least number of candidates that each way brings.
	hybridBreadth = 50
	// feedbackDocuments is how many of the documents that both ways put first
	// the query vector is moved towards, and feedbackWeight by how much of their
	// mean (pseudo-relevance feedback after Rocchio).
	feedbackDocuments = 3
	feedbackWeight    = 0.4
)

// fused is a candidate with its score and what that is made of.
type fused struct {
	index.Neighbor
	parts
}

// fuse returns the candidates under ords, which rise, with what their scores by
// vectors and by words add up to, in the same order. Without either, which is not a
// number and 0, a document has gone while it was searched for, and is left out.
func fuse(f Fusion, bound float64, ords []core.Ord, dense, lexical []float32) []fused {
	list := make([]fused, 0, len(ords))
	for i, ord := range ords {
		if !math.IsNaN(float64(dense[i])) || lexical[i] > 0 {
			list = append(list, fused{index.Neighbor{Ord: ord}, parts{dense: dense[i], lexical: lexical[i]}})
		}
	}
	if f == FusionWeighted {
		weigh(list, bound)
	} else {
		rank(list)
	}
	for i := range list {
		list[i].Score = list[i].denseAdds + list[i].lexicalAdds
	}
	return list
}

// weigh makes the score the mean of the cosine and of the share of what the words of
// the query can bring at most. It is the same whatever else is found, so that it can
// be compared with a threshold.
func weigh(list []fused, bound float64) {
	for i := range list {
		x := &list[i]
		if math.IsNaN(float64(x.dense)) {
			x.dense = 0
		}
		x.denseAdds, x.lexicalAdds = (1-lexicalWeight)*x.dense, lexicalWeight*share(x.lexical, bound)
	}
}

// rank makes the score that of reciprocal rank fusion.
func rank(list []fused) {
	var near, worded []index.Neighbor // by their places in the list, which are in the order of ordinals
	for i := range list {
		if x := &list[i]; math.IsNaN(float64(x.dense)) {
			x.dense = 0
		} else {
			near = append(near, index.Neighbor{Ord: core.Ord(i), Score: x.dense})
		}
		if list[i].lexical > 0 {
			worded = append(worded, index.Neighbor{Ord: core.Ord(i), Score: list[i].lexical})
		}
	}
	index.Sort(near)
	index.Sort(worded)
	for rank, n := range near {
		list[n.Ord].denseAdds = reciprocal(rank)
	}
	for rank, n := range worded {
		list[n.Ord].lexicalAdds = reciprocal(rank)
	}
}

// reciprocal is what a candidate gets for its rank, from 0, in a list.
func reciprocal(rank int) float32 { return 1 / float32(rankOffset+rank+1) }

// bestFirst returns what was fused, best first.
func bestFirst(list []fused) []index.Neighbor {
	out := make([]index.Neighbor, len(list))
	for i, f := range list {
		out[i] = f.Neighbor
	}
	index.Sort(out)
	return out
}

// firstRanks returns those of the candidates under ords, which rise, that
// reciprocal rank fusion puts first, as many as feedback takes.
func firstRanks(ords []core.Ord, lists ...[]index.Neighbor) []core.Ord {
	sums := make([]float32, len(ords))
	for _, list := range lists {
		for rank, n := range list {
			sums[placeOf(ords, n.Ord)] += reciprocal(rank)
		}
	}
	top := index.Top{K: feedbackDocuments}
	for i, sum := range sums {
		top.Offer(index.Neighbor{Ord: ords[i], Score: sum})
	}
	return nearestOrds(top.Sorted())
}

// placeOf returns where ord is among ords, which rise and hold it. It halves without
// a branch, as nobody can foresee which half it is.
func placeOf(ords []core.Ord, ord core.Ord) (at int) {
	for n := len(ords); n > 1; {
		half := n / 2
		below := int((int64(ords[at+half-1]) - int64(ord)) >> 63) // all ones where it is
		at += half & below
		n -= half
	}
	return at
}

// share returns a sum of term scores as a share of its bound, from 0 to 1.
func share(score float32, bound float64) float32 {
	if bound <= 0 {
		return 0
	}
	return float32(min(1, float64(score)/bound))
}

// nearer returns q moved towards the vectors: their mean by feedbackWeight, all
// of unit length.
func nearer(q []float32, vectors [][]float32) []float32 {
	sum := make([]float64, len(q))
	addUnit(sum, q, 1)
	for _, v := range vectors {
		addUnit(sum, v, feedbackWeight/float64(len(vectors)))
	}
	length := norm(sum)
	if length < 1e-6 {
		return q
	}
	out := make([]float32, len(q))
	for i, x := range sum {
		out[i] = float32(x / length)
	}
	return out
}

// addUnit adds weight times v, scaled to unit length, to sum.
func addUnit(sum []float64, v []float32, weight float64) {
	length := norm(v)
	if length == 0 || math.IsInf(length, 0) {
		return
	}
	weight /= length
	for i, x := range v {
		sum[i] += weight * float64(x)
	}
}
