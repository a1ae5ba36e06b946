// Package flat is the exact index: it compares a query with every allowed
// vector. Its answers are the truth that the recall of other indexes is
// measured against, and for small collections nothing is faster.
package flat

import (
	"context"
	"math"
	"slices"
	"sync"

	"github.com/vecdb/vecdb/index"
	"github.com/vecdb/vecdb/internal/core"
	"github.com/vecdb/vecdb/internal/simd"
)

// chunkVectors is how many vectors lie in one piece of memory. Growing adds a
// piece and moves nothing, and a search looks at its context once a piece.
const chunkVectors = 1024

// Index holds the vectors in chunks, one after the other in the order of
// slots; a deleted vector's slot is filled with the last one, so that memory
// follows the number of vectors present.
type Index struct {
	dim    int
	metric index.Metric

	mu     sync.RWMutex // guards the rest
	chunks [][]float32  // chunkVectors*dim floats each
	ords   []core.Ord   // by slot
	slots  map[core.Ord]uint32
}

var _ index.Scorer = (*Index)(nil)

// New returns an empty index.
func New(cfg index.Config) (*Index, error) {
	cfg, err := cfg.Check()
	if err != nil {
		return nil, err
	}
	return &Index{dim: cfg.Dim, metric: cfg.Metric, slots: make(map[core.Ord]uint32)}, nil
}

// Insert implements index.Index.
func (x *Index) Insert(ctx context.Context, items []index.Item) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := index.Check(items, x.dim); err != nil {
		return err
	}
	for batch := range slices.Chunk(items, chunkVectors) {
		if err := ctx.Err(); err != nil {
			return err
		}
		x.insert(batch)
	}
	return nil
}

// insert takes up checked items. Searches wait while it runs, so it is called
// with no more than a chunk.
func (x *Index) insert(items []index.Item) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, it := range items {
		slot, there := x.slots[it.Ord]
		if !there {
			slot = x.grow(it.Ord)
		}
		v := it.Vector
		if x.metric == index.Cosine {
			v = index.Normalize(v)
		}
		copy(x.vector(slot), v)
	}
}

// grow makes room for one more vector and returns its slot.
func (x *Index) grow(ord core.Ord) uint32 {
	slot := uint32(len(x.ords))
	if int(slot) == len(x.chunks)*chunkVectors {
		x.chunks = append(x.chunks, make([]float32, chunkVectors*x.dim))
	}
	x.ords = append(x.ords, ord)
	x.slots[ord] = slot
	return slot
}

// Delete implements index.Index.
func (x *Index) Delete(ords ...core.Ord) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, ord := range ords {
		slot, there := x.slots[ord]
		if !there {
			continue
		}
		last := uint32(len(x.ords) - 1)
		moved := x.ords[last]
		copy(x.vector(slot), x.vector(last))
		x.ords[slot], x.slots[moved] = moved, slot
		x.ords = x.ords[:last]
		delete(x.slots, ord)
		if need := (len(x.ords) + chunkVectors - 1) / chunkVectors; need+1 < len(x.chunks) {
			clear(x.chunks[need+1:])
			x.chunks = x.chunks[:need+1]
		}
	}
}

// Search implements index.Index.
func (x *Index) Search(ctx context.Context, q []float32, o index.Options) ([]index.Neighbor, error) {
	if err := index.CheckQuery(q, x.dim, o); err != nil {
		return nil, err
	}
	if x.metric == index.Cosine {
		q = index.Normalize(q)
	}
	x.mu.RLock()
	defer x.mu.RUnlock()
	top := &index.Top{K: min(o.K, len(x.ords))}
	var err error
	// Looking up a member's slot costs about as much as a few comparisons, so
	// only a small set is walked member by member.
	if o.Allow != nil && o.Allow.Len() < len(x.ords)/4 {
		err = x.walk(ctx, q, o.Allow, top)
	} else {
		err = x.scan(ctx, q, o.Allow, top)
	}
	if err != nil {
		return nil, err
	}
	return top.Sorted(), nil
}

// scan compares q with every vector that allow holds.
func (x *Index) scan(ctx context.Context, q []float32, allow *core.Set, top *index.Top) error {
	scores := make([]float32, chunkVectors)
	for c, chunk := range x.chunks {
		if err := ctx.Err(); err != nil {
			return err
		}
		ords := x.ords[min(c*chunkVectors, len(x.ords)):min((c+1)*chunkVectors, len(x.ords))]
		scores := scores[:len(ords)]
		x.score(q, chunk[:len(ords)*x.dim], scores)
		for i, s := range scores {
			if s >= top.Worst() && (allow == nil || allow.Contains(ords[i])) {
				top.Offer(index.Neighbor{Ord: ords[i], Score: s})
			}
		}
	}
	return nil
}

// walk compares q with the vectors of the members of allow.
func (x *Index) walk(ctx context.Context, q []float32, allow *core.Set, top *index.Top) error {
	n := 0
	var score [1]float32
	for ord := range allow.All() {
		if n++; n%chunkVectors == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		slot, there := x.slots[ord]
		if !there {
			continue
		}
		x.score(q, x.vector(slot), score[:])
		top.Offer(index.Neighbor{Ord: ord, Score: score[0]})
	}
	return ctx.Err()
}

// Scores implements index.Scorer.
func (x *Index) Scores(ctx context.Context, q []float32, ords []core.Ord) ([]float32, error) {
	if err := index.CheckQuery(q, x.dim, index.Options{K: 1}); err != nil {
		return nil, err
	}
	if x.metric == index.Cosine {
		q = index.Normalize(q)
	}
	x.mu.RLock()
	defer x.mu.RUnlock()
	scores := make([]float32, len(ords))
	for i, ord := range ords {
		if i%chunkVectors == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		scores[i] = float32(math.NaN())
		if slot, there := x.slots[ord]; there {
			x.score(q, x.vector(slot), scores[i:i+1])
		}
	}
	return scores, nil
}

// Vectors implements index.Scorer.
func (x *Index) Vectors(ords []core.Ord) ([][]float32, error) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	vectors := make([][]float32, len(ords))
	for i, ord := range ords {
		if slot, there := x.slots[ord]; there {
			vectors[i] = slices.Clone(x.vector(slot))
		}
	}
	return vectors, nil
}

// score puts into out the scores of the vectors in base.
func (x *Index) score(q, base, out []float32) {
	if x.metric == index.L2 {
		simd.SquaredL2Many(q, base, out)
	} else {
		simd.DotMany(q, base, out)
	}
	for i, s := range out {
		switch {
		case x.metric == index.Cosine:
			out[i] = max(-1, min(1, s))
		case math.IsNaN(float64(s)) || math.IsInf(float64(s), 0):
			out[i] = x.metric.Score(q, base[i*x.dim:(i+1)*x.dim])
		case x.metric == index.L2:
			out[i] = -s
		}
	}
}

func (x *Index) vector(slot uint32) []float32 {
	at := int(slot%chunkVectors) * x.dim
	return x.chunks[slot/chunkVectors][at : at+x.dim]
}

// Len implements index.Index.
func (x *Index) Len() int {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return len(x.ords)
}

// SizeBytes implements index.Index.
func (x *Index) SizeBytes() int64 {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return sizeBytes(x.dim, len(x.chunks), len(x.ords))
}

func sizeBytes(dim, chunks, vectors int) int64 {
	const perSlot = 4 + 16 // the ordinal, and about 16 bytes in the map
	return int64(chunks)*chunkVectors*int64(dim)*4 + int64(vectors)*perSlot
}

// BytesFor predicts what SizeBytes tells of an index of n vectors.
func BytesFor(cfg index.Config, n int) int64 {
	return sizeBytes(cfg.Dim, (n+chunkVectors-1)/chunkVectors, n)
}

// Each calls fn with every ordinal and its vector, which for Cosine is
// normalised. fn must not keep the vector nor call the index.
func (x *Index) Each(fn func(core.Ord, []float32)) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	for slot, ord := range x.ords {
		fn(ord, x.vector(uint32(slot)))
	}
}
