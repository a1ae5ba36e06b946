package query

import (
	"math"
	"slices"

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

// fused is a candidate with its score and what both ways add to it.
type fused struct {
	index.Neighbor
	dense, lexical float32 // parts of the score; they add up to it
}

// part is what a candidate gets for its rank, from 0, and its score in a list.
type part func(rank int, score float32) float32

// partsOf returns what candidates get for their places in both lists. Weighted,
// that adds up to the mean of the cosine and of the share of what the words of
// the query can bring at most; such a score is the same whatever else is found, so
// it can be compared with a threshold. By ranks it is reciprocal rank fusion.
func partsOf(f Fusion, bound float64) (dense, lexical part) {
	if f == FusionWeighted {
		return func(_ int, score float32) float32 { return (1 - lexicalWeight) * score },
			func(_ int, score float32) float32 { return lexicalWeight * share(score, bound) }
	}
	return reciprocal, reciprocal
}

func reciprocal(rank int, _ float32) float32 { return 1 / float32(rankOffset+rank+1) }

// fuse adds up what the candidates under ords, which rise, get in either list, and
// leaves them in that order. What else is in a list is left out: when a document goes
// while it is searched for, ordinals of its passages may be there.
func fuse(f Fusion, bound float64, ords []core.Ord, dense, words []index.Neighbor) []fused {
	densePart, lexicalPart := partsOf(f, bound)
	list := make([]fused, len(ords))
	found := make([]bool, len(ords))
	for rank, n := range dense {
		if i, there := slices.BinarySearch(ords, n.Ord); there {
			list[i].dense, found[i] = densePart(rank, n.Score), true
		}
	}
	for rank, n := range words {
		if i, there := slices.BinarySearch(ords, n.Ord); there {
			list[i].lexical, found[i] = lexicalPart(rank, n.Score), true
		}
	}
	kept := list[:0]
	for i, x := range list {
		if found[i] {
			x.Neighbor = index.Neighbor{Ord: ords[i], Score: x.dense + x.lexical}
			kept = append(kept, x)
		}
	}
	return kept
}

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
			i, _ := slices.BinarySearch(ords, n.Ord)
			sums[i] += reciprocal(rank, 0)
		}
	}
	top := index.Top{K: feedbackDocuments}
	for i, sum := range sums {
		top.Offer(index.Neighbor{Ord: ords[i], Score: sum})
	}
	return nearestOrds(top.Sorted())
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
	for i, x := range v {
		sum[i] += weight * float64(x) / length
	}
}
