package hnsw

import (
	"context"
	"math"
	"slices"
	"unsafe"

	"github.com/vecdb/vecdb/index"
	"github.com/vecdb/vecdb/internal/core"
	"github.com/vecdb/vecdb/internal/simd"
)

var _ index.Scorer = (*Index)(nil)

// scoreAhead is how many vertices are on their way from memory while one is scored.
const scoreAhead = 8

// Scores implements index.Scorer.
func (x *Index) Scores(ctx context.Context, q []float32, ords []core.Ord) ([]float32, error) {
	if err := index.CheckQuery(q, x.cfg.Dim, index.Options{K: 1}); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	st := x.state.Load()
	if st.graph == nil {
		return st.flat.Scores(ctx, q, ords)
	}
	var scores []float32
	err := st.graph.guard.run(func() error {
		scores = st.graph.scores(q, ords)
		return nil
	})
	if err != nil || st.flat.Len() == 0 {
		return scores, err
	}
	apart, err := st.flat.Scores(ctx, q, ords)
	for i, score := range apart {
		if scores[i] != scores[i] {
			scores[i] = score
		}
	}
	return scores, err
}

// Vectors implements index.Scorer.
func (x *Index) Vectors(ords []core.Ord) ([][]float32, error) {
	st := x.state.Load()
	if st.graph == nil {
		return st.flat.Vectors(ords)
	}
	vectors := make([][]float32, len(ords))
	err := st.graph.guard.run(func() error {
		st.graph.vectors(ords, vectors)
		return nil
	})
	if err != nil || st.flat.Len() == 0 {
		return vectors, err
	}
	apart, err := st.flat.Vectors(ords)
	for i, v := range apart {
		if vectors[i] == nil {
			vectors[i] = v
		}
	}
	return vectors, err
}

// scores returns the scores of the vertices that hold ords, NaN where none does.
func (g *graph) scores(q []float32, ords []core.Ord) []float32 {
	ticket := g.readers.enter()
	defer g.readers.leave(ticket)
	s := g.get()
	defer g.put(s)
	g.space.prepare(s.q, q, false)
	list := g.holding(s, ords)
	scores := make([]float32, len(ords))
	for _, v := range list[:min(scoreAhead, len(list))] {
		g.fetch(v)
	}
	for i, v := range list {
		if i+scoreAhead < len(list) {
			g.fetch(list[i+scoreAhead])
		}
		switch {
		case v == nobody:
			scores[i] = float32(math.NaN())
		case s.q.far():
			scores[i] = g.space.metric.Score(q, g.space.restore(g.slab.decode(v)))
		default:
			scores[i] = g.space.score(s.q, g.slab.dot(s.q, v), g.slab.meta(v).full2)
		}
	}
	return scores
}

// vectors puts into out the vectors of the vertices that hold ords, nil where none
// does.
func (g *graph) vectors(ords []core.Ord, out [][]float32) {
	ticket := g.readers.enter()
	defer g.readers.leave(ticket)
	s := g.get()
	defer g.put(s)
	list := g.holding(s, ords)
	for _, v := range list {
		g.fetch(v)
	}
	for i, v := range list {
		if v != nobody {
			out[i] = g.space.restore(g.slab.decode(v))
		}
	}
}

// holding returns the vertices that hold ords, nobody where none does, and has
// records on disk brought. They are in s.batch.
func (g *graph) holding(s *scratch, ords []core.Ord) []uint32 {
	list := s.batch[:0]
	for _, ord := range ords {
		list = append(list, g.slots.get(ord))
	}
	s.batch = list
	if g.slab.twoBits {
		g.bringRecords(s, slices.DeleteFunc(slices.Clone(list), func(v uint32) bool { return v == nobody }))
	}
	return list
}

// fetch makes all that is stored of vertex v, or of nobody, come into the cache.
func (g *graph) fetch(v uint32) {
	sl := g.slab
	if v == nobody {
		return
	}
	sl.fetchMeta(v)
	if !sl.exact {
		simd.Fetch(unsafe.Pointer(sl.codes(v)), sl.dim)
	}
	if sl.lowsLen > 0 {
		simd.Fetch(unsafe.Pointer(sl.fine(v)), sl.lowsLen)
	}
}
