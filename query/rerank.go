package query

import (
	"context"
	"fmt"

	"github.com/vecdb/vecdb/index"
	"github.com/vecdb/vecdb/internal/core"
)

// Rerank orders documents as a hybrid search would in a collection that holds
// just these: by their cosines with q, which is moved towards those that vectors
// and words both put first, and by the words that they share with the query. The
// ordinals are places in vectors, and words has looked the query up in an index
// of the same documents. Without a word in common the cosines decide alone. The
// best comes first, all documents are there; scores are from -1 to 1.
func Rerank(ctx context.Context, q []float32, vectors [][]float32, words Words) ([]index.Neighbor, error) {
	dense := cosines(q, vectors)
	if words.Bound() == 0 {
		return inOrder(dense), nil
	}
	ords := make([]core.Ord, len(vectors))
	for i := range ords {
		ords[i] = core.Ord(i)
	}
	found, scores, err := words.SearchKnowing(ctx, index.Options{K: len(vectors)}, ords)
	if err != nil {
		return nil, fmt.Errorf("search the words: %w", err)
	}
	var first [][]float32
	for _, ord := range firstRanks(ords, inOrder(dense), found) {
		first = append(first, vectors[ord])
	}
	return bestFirst(fuse(FusionWeighted, words.Bound(), ords, cosines(nearer(q, first), vectors), scores)), nil
}

// cosines compares vectors with q.
func cosines(q []float32, vectors [][]float32) []float32 {
	scores := make([]float32, len(vectors))
	for i, v := range vectors {
		scores[i] = cosine(q, v)
	}
	return scores
}

// inOrder returns the places of scores, the best first.
func inOrder(scores []float32) []index.Neighbor {
	list := make([]index.Neighbor, len(scores))
	for i, score := range scores {
		list[i] = index.Neighbor{Ord: core.Ord(i), Score: score}
	}
	index.Sort(list)
	return list
}
