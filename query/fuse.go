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

// fuseWeighted scores each candidate by the mean of its cosine and of its
// share of what the words of the query can bring at most. Such a score is the
// same whatever else is found, so it can be compared with a threshold.
func fuseWeighted(dense, words []index.Neighbor, bound float64) []fused {
	return fuse(dense, words,
		func(_ int, score float32) float32 { return (1 - lexicalWeight) * score },
		func(_ int, score float32) float32 { return lexicalWeight * share(score, bound) })
}

// fuseRanks scores each candidate by its ranks: reciprocal rank fusion.
func fuseRanks(dense, words []index.Neighbor) []fused {
	part := func(rank int, _ float32) float32 { return 1 / float32(rankOffset+rank+1) }
	return fuse(dense, words, part, part)
}

// fuse adds up what a candidate gets for its rank, from 0, and score in either
// list, and orders the candidates best first.
func fuse(dense, words []index.Neighbor, densePart, lexicalPart func(rank int, score float32) float32) []fused {
	at := make(map[core.Ord]int, len(dense)+len(words))
	var list []fused
	entry := func(ord core.Ord) *fused {
		i, there := at[ord]
		if !there {
			i = len(list)
			at[ord] = i
			list = append(list, fused{Neighbor: index.Neighbor{Ord: ord}})
		}
		return &list[i]
	}
	for rank, n := range dense {
		entry(n.Ord).dense = densePart(rank, n.Score)
	}
	for rank, n := range words {
		entry(n.Ord).lexical = lexicalPart(rank, n.Score)
	}
	for i := range list {
		list[i].Score = list[i].dense + list[i].lexical
	}
	slices.SortFunc(list, func(a, b fused) int { return index.Compare(a.Neighbor, b.Neighbor) })
	return list
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
