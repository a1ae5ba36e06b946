package vecdb

import (
	"context"
	"math"

	"github.com/vecdb/vecdb/index"
	"github.com/vecdb/vecdb/index/flat"
	"github.com/vecdb/vecdb/internal/core"
	"github.com/vecdb/vecdb/query"
	"github.com/vecdb/vecdb/storage"
)

// A document that was cut counts for what its best passage does. The nearest
// documents are those of the nearest passages, so that firstBreadth times as many
// vectors are asked for as documents, and nextBreadth times as many again while
// they are of too few documents.
const (
	firstBreadth = 2
	nextBreadth  = 4
)

// Nearest searches the index for documents.
func (s source) Nearest(ctx context.Context, q []float32, o index.Options, exact bool) ([]index.Neighbor, error) {
	idx := s.c.index()
	if exact && s.c.db.options.Index != IndexFlat {
		var err error
		if idx, err = s.scan(ctx); err != nil {
			return nil, err
		}
	} else if o.Allow == nil {
		s.c.applier.tuner.asked.note(q)
	}
	return s.nearest(ctx, q, o, idx)
}

// nearest searches an index of the collection's vectors for documents.
func (s source) nearest(ctx context.Context, q []float32, o index.Options, idx index.Index) ([]index.Neighbor, error) {
	parts := s.c.applier.parts
	if parts.Len() == 0 || o.K < 1 {
		return idx.Search(ctx, q, o)
	}
	k, total, all := o.K, idx.Len(), false
	if o.Allow != nil {
		all = k >= o.Allow.Len()
		o.Allow = parts.Vectors(o.Allow)
		total = o.Allow.Len()
	}
	for breadth := firstBreadth * k; ; breadth *= nextBreadth {
		if all {
			breadth = total
		}
		o.K = max(k, min(breadth, total))
		list, err := idx.Search(ctx, q, o)
		if err != nil {
			return nil, err
		}
		last := len(list) < o.K || o.K >= total
		if list = parts.Documents(list); last || len(list) >= k {
			return list[:min(k, len(list))], nil
		}
	}
}

// Similarities scores documents by the index, where that can be told which and
// none was cut, and else searches among them.
func (s source) Similarities(ctx context.Context, q []float32, ords []core.Ord, exact bool) ([]float32, error) {
	if scorer, ok := s.c.index().(index.Scorer); ok && !exact && s.c.applier.parts.Len() == 0 {
		return scorer.Scores(ctx, q, ords)
	}
	list, err := s.Nearest(ctx, q, index.Options{K: max(1, len(ords)), Allow: core.NewSet(ords...)}, exact)
	found := make(map[core.Ord]float32, len(list))
	for _, n := range list {
		found[n.Ord] = n.Score
	}
	scores := make([]float32, len(ords))
	for i, ord := range ords {
		score, there := found[ord]
		if scores[i] = score; !there {
			scores[i] = float32(math.NaN())
		}
	}
	return scores, err
}

// Rounded takes vectors from the index, where that gives them out and no document
// was cut, and else from the store.
func (s source) Rounded(ctx context.Context, ords []core.Ord) ([][]float32, error) {
	if scorer, ok := s.c.index().(index.Scorer); ok && s.c.applier.parts.Len() == 0 {
		return scorer.Vectors(ords)
	}
	return s.Vectors(ctx, ords)
}

// scan reads all stored vectors into an exact index.
func (s source) scan(ctx context.Context) (index.Index, error) {
	exact, err := flat.New(index.Config{Dim: s.c.Info().Dim, Metric: index.Metric(s.c.Info().Metric)})
	if err != nil {
		return nil, err
	}
	return exact, s.c.stored.Snapshot(func(snap storage.Snapshot) error {
		return snap.Vectors(func(ord core.Ord, v []float32) error {
			return exact.Insert(ctx, []index.Item{{Ord: ord, Vector: v}})
		})
	})
}

// cutPassages is how many passages are compared with a query at a time.
const cutPassages = 4096

// Cuts implements query.Source.
func (s source) Cuts(ctx context.Context, ords []core.Ord, q []float32) ([]query.Cut, error) {
	out := make([]query.Cut, len(ords))
	if s.c.applier.parts.Len() == 0 {
		return out, nil
	}
	readings, err := s.c.stored.Readings(ords)
	if err != nil {
		return nil, err
	}
	places, allow := make(map[core.Ord]*float32), core.NewSet()
	for i, x := range readings {
		if x == nil || len(x.Passages) == 0 {
			continue
		}
		out[i].Passages = x.Passages
		if q == nil {
			continue
		}
		out[i].Scores = make([]float32, len(x.Passages))
		for j := range x.Passages {
			ord := ords[i] + 1 + core.Ord(j)
			out[i].Scores[j] = -math.MaxFloat32 // of what is gone meanwhile
			places[ord] = &out[i].Scores[j]
			allow.Add(ord)
		}
		if len(places) >= cutPassages {
			if err := s.compare(ctx, q, allow, places); err != nil {
				return nil, err
			}
			places, allow = make(map[core.Ord]*float32), core.NewSet()
		}
	}
	return out, s.compare(ctx, q, allow, places)
}

// compare puts the similarity of each vector in a set to q in its place.
func (s source) compare(ctx context.Context, q []float32, allow *core.Set, places map[core.Ord]*float32) error {
	if len(places) == 0 {
		return nil
	}
	list, err := s.c.index().Search(ctx, q, index.Options{K: len(places), Allow: allow})
	for _, n := range list {
		*places[n.Ord] = n.Score
	}
	return err
}
