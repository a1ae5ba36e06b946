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
	dense := byCosine(q, vectors)
	if words.Bound() == 0 {
		return dense, nil
	}
	ords := make([]core.Ord, len(vectors))
	for i := range ords {
		ords[i] = core.Ord(i)
	}
	found, err := words.Search(ctx, index.Options{K: len(vectors)})
	if err != nil {
		return nil, fmt.Errorf("search the words: %w", err)
	}
	var first [][]float32
	for _, ord := range firstRanks(ords, dense, found) {
		first = append(first, vectors[ord])
	}
	dense = byCosine(nearer(q, first), vectors)
	return bestFirst(fuse(FusionWeighted, words.Bound(), ords, dense, found)), nil
}

// byCosine orders vectors by their cosines with q, the nearest first.
func byCosine(q []float32, vectors [][]float32) []index.Neighbor {
	list := make([]index.Neighbor, len(vectors))
	for i, v := range vectors {
		list[i] = index.Neighbor{Ord: core.Ord(i), Score: cosine(q, v)}
	}
	index.Sort(list)
	return list
}
