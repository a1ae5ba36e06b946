package hnsw

import (
	"context"
	"math/rand/v2"
	"slices"

	"github.com/vecdb/vecdb/index"
	"github.com/vecdb/vecdb/index/tune"
	"github.com/vecdb/vecdb/internal/core"
)

var _ tune.Graph = (*Index)(nil)

// Plan returns what the breadths of searches for a recall come from, nil as
// long as that is a preset.
func (x *Index) Plan() *tune.Plan { return x.plan.Load() }

// SetPlan makes searches for a recall use p, which passes its Check.
func (x *Index) SetPlan(p *tune.Plan) { x.plan.Store(p) }

// Changes returns how often a vector came into the graph, went or moved since
// it was made or opened.
func (x *Index) Changes() int64 {
	if st := x.state.Load(); st.graph != nil {
		return st.graph.slots.changes.Load()
	}
	return 0
}

// HasGraph reports whether there are enough vectors for a graph. Without one
// every answer is exact.
func (x *Index) HasGraph() bool { return x.state.Load().graph != nil }

// breadth is the Ef of a search for a recall.
func (x *Index) breadth(o index.Options) int {
	p := x.plan.Load()
	if p == nil {
		p = tune.Preset()
	}
	return p.Ef(o.Recall, o.K, x.Len())
}

// Probes implements tune.Graph. Without a graph there are none.
func (x *Index) Probes(n int, seed uint64) []tune.Probe {
	g := x.state.Load().graph
	if g == nil {
		return nil
	}
	var out []tune.Probe
	_ = g.guard.run(func() error { // the searches to come have the same error
		out = g.probes(n, seed)
		return nil
	})
	return out
}

// probes draws up to n vectors that are in the graph.
func (g *graph) probes(n int, seed uint64) []tune.Probe {
	ticket := g.readers.enter()
	defer g.readers.leave(ticket)
	rng := rand.New(rand.NewPCG(seed, 11))
	raised, slots := g.upper.slots(), uint32(g.n.Load())
	taken := make(map[uint32]bool)
	var out []tune.Probe
	for tries := 4 * n; tries > 0 && len(out) < n && slots > 0; tries-- {
		v := rng.Uint32N(slots)
		ord := g.slab.ord(v)
		// A search would begin at a raised vertex even if it may not see it, and
		// does not see the crowd of a leader that is hidden.
		if ord == noOrd || raised[v] || taken[v] || g.slab.leads(v) {
			continue
		}
		taken[v] = true
		out = append(out, tune.Probe{Vector: g.space.restore(g.slab.decode(v)), Without: core.Ord(ord)})
	}
	return out
}

// slots returns the vertices on layers above the bottom.
func (u *upper) slots() map[uint32]bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	out := make(map[uint32]bool)
	for i := range uint32(u.n.Load()) {
		if slot, ok := u.holds(i); ok {
			out[slot] = true
		}
	}
	return out
}

// Ask implements tune.Graph.
func (x *Index) Ask(ctx context.Context, p tune.Probe, o index.Options) ([]index.Neighbor, error) {
	return x.probe(p, func(g *graph, s *scratch) ([]index.Neighbor, error) {
		if s.q.far() {
			return g.answerFar(ctx, p.Vector, o)
		}
		return g.search(ctx, s, o.K, o.Ef, nil)
	})
}

// Scan implements tune.Graph.
func (x *Index) Scan(ctx context.Context, p tune.Probe, k int) ([]index.Neighbor, error) {
	return x.probe(p, func(g *graph, s *scratch) ([]index.Neighbor, error) {
		window := g.slab.scanWindow(k)
		if s.q.far() {
			return g.answerFar(ctx, p.Vector, index.Options{K: window})
		}
		s.top.reset(window)
		if err := g.scan(ctx, s, nil); err != nil {
			return nil, err
		}
		return g.refine(s, window, g.worth(s, k, window), 0, nil), nil
	})
}

// probe looks for the vector of p in the graph with the vertex that holds it
// hidden. Vectors beside the graph, which every search compares, are left out.
func (x *Index) probe(p tune.Probe, look func(*graph, *scratch) ([]index.Neighbor, error)) ([]index.Neighbor, error) {
	st := x.state.Load()
	if st.graph == nil {
		return nil, nil
	}
	g := st.graph
	ticket := g.readers.enter()
	defer g.readers.leave(ticket)
	s := g.get()
	defer g.put(s)
	own := uint32(nobody)
	if p.Without != core.NoOrd {
		own = g.slots.get(p.Without)
	}
	s.hidden = own
	defer func() { s.hidden = nobody }()
	g.space.prepare(s.q, p.Vector, false)
	var found []index.Neighbor
	err := g.guard.run(func() (err error) {
		found, err = look(g, s)
		return err
	})
	if err != nil {
		return nil, err
	}
	if own != nobody {
		found = slices.DeleteFunc(found, func(n index.Neighbor) bool { return g.slots.get(n.Ord) == own })
	}
	return found, nil
}
