// Package coder puts the graph of github.com/coder/hnsw behind guards, for
// comparison with our own indexes. The released version (v0.6.1) bounds its
// result heap by k and compares candidates with the best result in place of
// the worst, so that its recall stays low (about 0.1 at recall@10 on text
// vectors) whatever EfSearch is, and it panics after deletions. The guards keep
// that from doing harm: one lock around every call, no deletions in the graph,
// answers that are scored and sorted again, and panics that become errors.
// Use it to compare, not to serve.
package coder

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"sync"

	"github.com/coder/hnsw"

	"github.com/vecdb/vecdb/index"
	"github.com/vecdb/vecdb/internal/core"
	"github.com/vecdb/vecdb/internal/simd"
)

// Options of New. Zero values are the library's own defaults.
type Options struct {
	M        int   // neighbors of a vertex; default 16
	EfSearch int   // breadth of a search unless the search names one; default 20
	Seed     int64 // of the vertices' levels; the library enters the graph at random all the same
}

// Index is a coder/hnsw graph. A vertex is never deleted or replaced: its
// ordinal moves to another vertex or to none, and answers with such vertices
// are left out. The graph is made anew when they outnumber the others.
type Index struct {
	cfg     index.Config
	options Options

	mu       sync.Mutex // guards the rest; the library is not safe for concurrent use
	graph    *hnsw.Graph[uint32]
	vectors  map[core.Ord][]float32
	vertices map[core.Ord]uint32 // the live vertex of an ordinal
	owners   []core.Ord          // by vertex; core.NoOrd when it is dead
	broken   error               // the library panicked; calls return this until the graph is made anew
}

var _ index.Index = (*Index)(nil)

// New returns an empty index.
func New(cfg index.Config, o Options) (*Index, error) {
	cfg, err := cfg.Check()
	if err != nil {
		return nil, err
	}
	x := &Index{cfg: cfg, options: o, vectors: make(map[core.Ord][]float32)}
	x.reset()
	return x, nil
}

// reset makes an empty graph, which nothing has broken yet.
func (x *Index) reset() {
	g := hnsw.NewGraph[uint32]()
	g.Rng = rng(x.options.Seed)
	if x.options.M > 0 {
		g.M = x.options.M
	}
	if x.options.EfSearch > 0 {
		g.EfSearch = x.options.EfSearch
	}
	g.Distance = x.distance()
	x.graph, x.owners, x.vertices, x.broken = g, nil, make(map[core.Ord]uint32), nil
}

// distance is what the library minimises.
func (x *Index) distance() hnsw.DistanceFunc {
	if x.cfg.Metric == index.L2 {
		return simd.SquaredL2
	}
	return func(a, b []float32) float32 { return -simd.Dot(a, b) }
}

// Insert implements index.Index.
func (x *Index) Insert(ctx context.Context, items []index.Item) error {
	if err := index.Check(items, x.cfg.Dim); err != nil {
		return err
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.broken != nil {
		return x.broken
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	for _, it := range items {
		if err := ctx.Err(); err != nil {
			return err
		}
		v := append([]float32(nil), it.Vector...)
		if x.cfg.Metric == index.Cosine {
			v = index.Normalize(v)
		}
		x.retire(it.Ord)
		x.vectors[it.Ord] = v
		if err := x.add(it.Ord, v); err != nil {
			return err
		}
	}
	return x.compact()
}

// add puts a vector into the graph under a new vertex.
func (x *Index) add(ord core.Ord, v []float32) (err error) {
	defer x.guard(&err)
	vertex := uint32(len(x.owners))
	x.owners = append(x.owners, ord)
	x.vertices[ord] = vertex
	x.graph.Add(hnsw.MakeNode(vertex, v))
	return nil
}

// retire takes ord out of use; its vertex stays in the graph, dead.
func (x *Index) retire(ord core.Ord) {
	if vertex, there := x.vertices[ord]; there {
		x.owners[vertex] = core.NoOrd
		delete(x.vertices, ord)
	}
	delete(x.vectors, ord)
}

// compact makes the graph anew when more than half of its vertices are dead.
func (x *Index) compact() error {
	if len(x.owners) < 64 || 2*len(x.vertices) >= len(x.owners) {
		return nil
	}
	x.reset()
	for _, ord := range slices.Sorted(maps.Keys(x.vectors)) {
		if err := x.add(ord, x.vectors[ord]); err != nil {
			return err
		}
	}
	return nil
}

// guard turns a panic of the library into an error that every later call
// returns too, because the graph may be half changed.
func (x *Index) guard(err *error) {
	if p := recover(); p != nil {
		x.broken = fmt.Errorf("index: coder/hnsw panicked, reopen the collection to rebuild it: %v", p)
		*err = x.broken
	}
}

// Delete implements index.Index.
func (x *Index) Delete(ords ...core.Ord) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, ord := range ords {
		x.retire(ord)
	}
	if len(x.vertices) == 0 {
		x.reset()
	}
}

// Search implements index.Index. The library knows neither filters nor dead
// vertices, so it is asked for more than K, and when a filter leaves little of
// that, fewer than K are returned. A filter that allows only a few times K is
// answered by comparing with each.
func (x *Index) Search(ctx context.Context, q []float32, o index.Options) ([]index.Neighbor, error) {
	if err := index.CheckQuery(q, x.cfg.Dim, o); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if x.cfg.Metric == index.Cosine {
		q = index.Normalize(q)
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	o.K = min(o.K, max(1, len(x.vertices)))
	if o.Allow != nil && o.Allow.Len() <= scanFactor*o.K {
		return x.scan(q, o), nil
	}
	k := min(o.K+len(x.owners)-len(x.vertices), len(x.owners))
	if o.Allow != nil {
		k = min(scanFactor*k, len(x.owners))
	}
	found, err := x.search(q, k, o.Ef)
	if err != nil {
		return nil, err
	}
	top := &index.Top{K: o.K}
	for _, n := range found {
		ord := x.owners[n.Key]
		if ord != core.NoOrd && (o.Allow == nil || o.Allow.Contains(ord)) {
			top.Offer(index.Neighbor{Ord: ord, Score: x.score(q, n.Value)})
		}
	}
	return top.Sorted(), nil
}

// scanFactor is how many times K a filter must allow to be worth the graph,
// and how much more the graph is then asked for.
const scanFactor = 10

// scan compares q with every allowed vector.
func (x *Index) scan(q []float32, o index.Options) []index.Neighbor {
	top := &index.Top{K: o.K}
	for ord := range o.Allow.All() {
		if v, there := x.vectors[ord]; there {
			top.Offer(index.Neighbor{Ord: ord, Score: x.score(q, v)})
		}
	}
	return top.Sorted()
}

func (x *Index) search(q []float32, k, ef int) (nodes []hnsw.Node[uint32], err error) {
	if x.broken != nil {
		return nil, x.broken
	}
	if k == 0 || len(x.vertices) == 0 {
		return nil, nil
	}
	defer x.guard(&err)
	if ef > 0 {
		before := x.graph.EfSearch
		x.graph.EfSearch = min(ef, len(x.owners)) // the library allocates that much
		defer func() { x.graph.EfSearch = before }()
	}
	return x.graph.Search(q, k), nil
}

func (x *Index) score(a, b []float32) float32 {
	var s float32
	switch x.cfg.Metric {
	case index.L2:
		s = -simd.SquaredL2(a, b)
	case index.Cosine:
		return max(-1, min(1, simd.Dot(a, b)))
	default:
		s = simd.Dot(a, b)
	}
	if math.IsNaN(float64(s)) || math.IsInf(float64(s), 0) {
		return x.cfg.Metric.Score(a, b)
	}
	return s
}

// Len implements index.Index.
func (x *Index) Len() int {
	x.mu.Lock()
	defer x.mu.Unlock()
	return len(x.vertices)
}

// SizeBytes implements index.Index. The library does not tell its own size;
// measured, a vertex takes about 1.9 kB beside its vector.
func (x *Index) SizeBytes() int64 {
	x.mu.Lock()
	defer x.mu.Unlock()
	return BytesFor(x.cfg, len(x.owners))
}

// BytesFor predicts what SizeBytes tells of an index of n vectors.
func BytesFor(cfg index.Config, n int) int64 {
	const perVertex = 1900
	return int64(n) * (perVertex + 4*int64(cfg.Dim))
}
