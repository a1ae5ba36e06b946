package hnsw

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/vecdb/vecdb/internal/core"
)

// efUpper is the breadth of the search for neighbors above the bottom layer.
const efUpper = 32

// insert adds a vector that fits into the space, in place of the one that was
// under ord.
func (g *graph) insert(s *scratch, ord core.Ord, vector []float32) error {
	ticket := g.readers.enter()
	defer g.readers.leave(ticket)
	g.space.prepare(s.q, vector, true)
	s.q.pack()
	first, level, there := g.entry.get()
	if !there {
		done, err := g.insertFirst(s, ord)
		if done || err != nil {
			return err
		}
		if first, level, there = g.entry.get(); !there {
			return g.insert(s, ord, vector) // emptied meanwhile
		}
	}
	if err := g.findNeighbors(s, first, level); err != nil {
		return err
	}
	if err := g.fillTop(s); err != nil {
		return err
	}
	if v, ok := g.twin(s); ok && g.share(v, ord) {
		g.publish(ord, v)
		return nil
	}
	if len(s.top.keys) == 0 {
		if done, err := g.insertFirst(s, ord); done || err != nil {
			return err
		}
	}
	if leader, ok := g.leader(s); ok {
		if done, err := g.insertMember(s, ord, leader); done || err != nil {
			return err
		}
	}
	v, height, err := g.newSlot()
	if err != nil {
		return err
	}
	g.store(s, v)
	g.link(s, v, ord)
	if height > 0 {
		g.linkUpper(s, v, height)
	}
	g.publish(ord, v)
	return nil
}

// store writes the vector of the query as that of vertex v, and its codes that lie
// elsewhere, where there are some.
func (g *graph) store(s *scratch, v uint32) {
	g.slab.store(v, s.q)
	g.sketch(s, v)
	g.row(s, v)
}

// findNeighbors leaves in s.top what is found near the query, which is to be
// linked: by sketches as long as there are few vertices, else by a walk from the
// entry.
func (g *graph) findNeighbors(s *scratch, node uint32, level int) error {
	s.top.reset(g.opt.EfConstruction)
	ef := min(g.opt.EfConstruction, int(g.n.Load()))
	s.top.loose = true
	if g.nearBySketches(s, ef) {
		return nil
	}
	s.top.keys = s.top.keys[:0]
	if g.slab.withSigns {
		s.q.estimates()
	}
	g.start(s, node, level)
	_, err := g.walk(context.Background(), s, 0, ef, ef, 0, nil)
	s.top.settle()
	g.settle(s)
	return err
}

// insertFirst makes the vector the entry of a graph that is empty or holds only
// deleted vertices, which nothing may be linked to; it returns false, with
// neighbors in s.top, when others have come meanwhile.
func (g *graph) insertFirst(s *scratch, ord core.Ord) (bool, error) {
	g.first.Lock()
	defer g.first.Unlock()
	s.top.reset(degree)
	if err := g.scan(context.Background(), s, nil); err != nil || len(s.top.keys) > 0 {
		g.settle(s)
		g.leaders(s)
		return false, err
	}
	v, level, err := g.newSlot()
	if err != nil {
		return false, err
	}
	level = max(level, 1)
	g.store(s, v)
	g.slab.setParent(v, noParent)
	g.slab.setOrd(v, uint32(ord))
	if i, ok := g.upper.add(v, level); ok {
		g.entry.set(i, level)
	}
	g.publish(ord, v)
	return true, nil
}

// fillTop looks for neighbors everywhere where a walk has found few among
// deleted vertices.
func (g *graph) fillTop(s *scratch) error {
	if len(s.top.keys) >= degree/2 || g.dying.Load() == 0 {
		return nil
	}
	s.top.reset(degree)
	err := g.scan(context.Background(), s, nil)
	g.settle(s)
	g.leaders(s)
	return err
}

// publish makes vertex v the one that holds ord.
func (g *graph) publish(ord core.Ord, v uint32) {
	if old := g.slots.swap(ord, v); old != nobody && old != v {
		g.forget(old, ord)
	}
}

// delete takes ordinals out.
func (g *graph) delete(ords []core.Ord) {
	for _, ord := range ords {
		old := g.slots.swap(ord, nobody)
		if old == nobody {
			continue
		}
		_ = g.guard.run(func() error { // the ordinal is gone, even if its vertex cannot be told
			g.forget(old, ord)
			return nil
		})
	}
}

// twin returns a vertex among those found that holds the very same vector.
func (g *graph) twin(s *scratch) (uint32, bool) {
	for _, c := range s.top.keys {
		if c.dist() > 1e-3*s.q.norm2+1e-9 {
			break
		}
		if v := c.vertex(); g.slab.equals(v, s.q) {
			return v, true
		}
	}
	return 0, false
}

// linkUpper makes v a node of the layers 1 to height.
func (g *graph) linkUpper(s *scratch, v uint32, height int) {
	first, top, _ := g.entry.get()
	i, ok := g.upper.add(v, height)
	if !ok {
		return
	}
	best := g.descend(s, first, top, min(top, height))
	for layer := min(top, height); layer > 0; layer-- {
		g.beam(s, best, layer, efUpper)
		best = s.pool.keys[0] &^ expanded
		cands := s.cands[:0]
		nodes := s.batch[:0]
		for _, c := range s.pool.keys {
			nd := g.upper.node(c.vertex())
			if c.vertex() != i && g.live(nd.slot) {
				cands = append(cands, edge{v: nd.slot, dist: c.dist()})
				nodes = append(nodes, c.vertex())
			}
		}
		g.settleEdges(s, cands)
		s.cands, s.batch = cands, nodes
		s.own = append(s.own[:0], g.choose(s, nobody, cands, upperDegree, 0)...)
		chosen := make([]uint32, len(s.own))
		for j, e := range s.own {
			chosen[j] = nodeOf(cands, nodes, e.v)
		}
		g.setUpper(i, layer, chosen)
		for _, other := range chosen {
			g.connectUpper(s, other, layer, i)
		}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if _, top, _ := g.entry.get(); top < height {
		g.entry.set(i, height)
	}
}

// nodeOf returns the node of the candidate in slot v.
func nodeOf(cands []edge, nodes []uint32, v uint32) uint32 {
	for j, c := range cands {
		if c.v == v {
			return nodes[j]
		}
	}
	return nobody
}

// setUpper makes chosen the neighbors of node i on a layer.
func (g *graph) setUpper(i uint32, layer int, chosen []uint32) {
	lock := g.upper.locks.of(i)
	lock.Lock()
	defer lock.Unlock()
	ids := g.upper.neighbors(i, layer)
	for j := range ids {
		nb := uint32(nobody)
		if j < len(chosen) {
			nb = chosen[j]
		}
		atomic.StoreUint32(&ids[j], nb)
	}
}

// connectUpper adds node nb to the neighbors of node i on a layer.
func (g *graph) connectUpper(s *scratch, i uint32, layer int, nb uint32) {
	lock := g.upper.locks.of(i)
	lock.Lock()
	defer lock.Unlock()
	ids := g.upper.neighbors(i, layer)
	nodes := append([]uint32{}, nb)
	for j := range ids {
		switch ids[j] {
		case nb:
			return
		case nobody:
			atomic.StoreUint32(&ids[j], nb)
			return
		}
		nodes = append(nodes, ids[j])
	}
	g.chooseUpper(s, i, layer, nodes)
}

// chooseUpper picks the neighbors of node i on a layer from nodes. The caller
// holds the lock of the node.
func (g *graph) chooseUpper(s *scratch, i uint32, layer int, nodes []uint32) {
	slot := g.upper.node(i).slot
	slots := make([]uint32, len(nodes))
	for j, nd := range nodes {
		slots[j] = g.upper.node(nd).slot
	}
	cands := g.edgesTo(s, slot, slots)
	order := append([]edge(nil), cands...)
	sortEdges(order)
	ids := g.upper.neighbors(i, layer)
	kept := g.choose(s, nobody, order, upperDegree, 0)
	for j := range ids {
		nb := uint32(nobody)
		if j < len(kept) {
			nb = nodeOf(cands, nodes, kept[j].v)
		}
		atomic.StoreUint32(&ids[j], nb)
	}
}

// parallel calls do with the numbers below n, from so many goroutines at once,
// until one call returns an error.
func (g *graph) parallel(ctx context.Context, workers, n int, do func(s *scratch, i int) error) error {
	var wg sync.WaitGroup
	var at atomic.Int64
	var failed atomic.Pointer[error]
	for range min(workers, n) {
		wg.Go(func() {
			s := g.get()
			defer g.put(s)
			for failed.Load() == nil && ctx.Err() == nil {
				i := int(at.Add(1)) - 1
				if i >= n {
					return
				}
				if err := g.guard.run(func() error { return do(s, i) }); err != nil {
					failed.CompareAndSwap(nil, &err)
				}
			}
		})
	}
	wg.Wait()
	if err := failed.Load(); err != nil {
		return *err
	}
	return ctx.Err()
}
