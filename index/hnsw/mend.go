package hnsw

import (
	"cmp"
	"context"
	"runtime"
	"slices"
	"sync/atomic"
)

// Mending is due when more than this many vertices are deleted and they are
// more than one in mendShare.
const (
	mendFrom  = 64
	mendShare = 8
)

// mendChunk is how many vertices are mended at a time.
const mendChunk = 1024

// mendMost is how many candidates for a mended list are looked at.
const mendMost = 256

// mendDue reports whether enough vertices are deleted.
func (g *graph) mendDue() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	dead := len(g.dead)
	return dead >= mendFrom && dead*mendShare >= int(g.n.Load())-len(g.free)
}

// mend takes the deleted vertices out of the lists that hold them, putting
// their neighbors in their place (as FreshDiskANN does, arXiv 2105.09613), and
// sets their slots free. Searches and insertions go on meanwhile. It does
// nothing when another one is at work. The caller is not among the readers.
func (g *graph) mend() {
	if !g.mending.TryLock() {
		return
	}
	defer g.mending.Unlock()
	g.mu.Lock()
	dead := g.dead
	g.dead = nil
	g.mu.Unlock()
	if len(dead) == 0 {
		return
	}
	// Insertions that began before these were deleted may still link to them.
	g.readers.wait()
	n := int(g.n.Load())
	gone := make([]bool, n)
	for _, v := range dead {
		gone[v] = true
	}
	var nodes []uint32
	err := g.parallel(context.Background(), max(1, runtime.GOMAXPROCS(0)/2), (n+mendChunk-1)/mendChunk, func(s *scratch, i int) error {
		for v := i * mendChunk; v < min(n, (i+1)*mendChunk); v++ {
			if !gone[v] {
				g.mendVertex(s, uint32(v), gone)
			}
		}
		return nil
	})
	if err == nil {
		err = g.guard.run(func() error {
			g.adoptOrphans(gone)
			nodes = g.mendUpper(gone)
			return nil
		})
	}
	if err != nil {
		return // a page cannot be read: the index has to be made anew
	}
	g.pivots.Store(nil) // so that no search begins at one of them
	g.readers.wait()
	for _, v := range dead {
		g.slab.setParent(v, unlinked)
	}
	for _, i := range nodes {
		g.upper.remove(i)
	}
	g.mu.Lock()
	g.free = append(g.free, dead...)
	g.dying.Add(-int64(len(dead)))
	g.mu.Unlock()
}

// mendVertex takes the gone out of the list of v.
func (g *graph) mendVertex(s *scratch, v uint32, gone []bool) {
	ids := g.slab.neighbors(v)
	hurt := false
	for j := range ids {
		hurt = hurt || isGone(gone, atomic.LoadUint32(&ids[j]))
	}
	if !hurt || !g.live(v) && g.slab.beingLinked(v) {
		return
	}
	ticket := g.readers.enter()
	defer g.readers.leave(ticket)
	if g.replaceGone(s, v, gone) < degree/2 && g.vertices() > degree {
		g.relink(s, v)
	}
}

// replaceGone chooses the neighbors of v anew, without the gone and with their
// neighbors, and returns among how many.
func (g *graph) replaceGone(s *scratch, v uint32, gone []bool) int {
	lock := g.locks.of(v)
	lock.Lock()
	defer lock.Unlock()
	ids := g.slab.neighbors(v)
	list := s.batch[:0]
	n := int(g.n.Load())
	s.seen.reset(n)
	s.seen.add(v)
	add := func(nb uint32) {
		if int(nb) < n && !isGone(gone, nb) && (g.live(nb) || g.slab.kin(v, nb)) && s.seen.add(nb) && len(list) < mendMost {
			list = append(list, nb)
		}
	}
	for j := range ids {
		add(ids[j])
	}
	for j := range ids {
		if isGone(gone, ids[j]) {
			for _, nb := range g.slab.neighbors(ids[j]) {
				add(nb)
			}
		}
	}
	s.batch = list
	cands := g.edgesTo(s, v, list)
	slices.SortFunc(cands, func(a, b edge) int { return cmp.Or(cmp.Compare(a.dist, b.dist), cmp.Compare(a.v, b.v)) })
	g.setNeighbors(s, v, g.choose(s, v, cands, degree, fillOld))
	return len(cands)
}

// relink looks for neighbors of v anew.
func (g *graph) relink(s *scratch, v uint32) {
	node, level, there := g.entry.get()
	if !there {
		return
	}
	copy(s.q.rot, g.slab.decode(v))
	s.q.encode()
	if err := g.findNeighbors(s, node, level); err != nil {
		return
	}
	for _, e := range slices.Clone(g.chooseFound(s, v)) {
		g.connect(s, v, e, false)
		g.connect(s, e.v, e.to(v), false)
	}
}

// mendUpper takes the nodes of gone vertices out of the layers above the bottom
// and returns them.
func (g *graph) mendUpper(gone []bool) []uint32 {
	u := g.upper
	s := g.get()
	defer g.put(s)
	n := uint32(u.n.Load())
	var out []uint32
	isGone := func(i uint32) bool {
		slot := atomic.LoadUint32(&u.node(i).slot)
		return int(slot) < len(gone) && gone[slot]
	}
	entry, top := uint32(nobody), 0
	for i := range n {
		level := int(atomic.LoadUint32(&u.node(i).level))
		switch {
		case level == 0:
		case isGone(i):
			out = append(out, i)
		default:
			if level > top && g.live(u.node(i).slot) {
				entry, top = i, level
			}
			for layer := 1; layer <= level; layer++ {
				g.mendNode(s, i, layer, isGone)
			}
		}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if i, _, there := g.entry.get(); there && !isGone(i) {
		return out
	}
	if entry == nobody {
		// No node is left; any vertex becomes one.
		for v := range uint32(g.n.Load()) {
			if !g.live(v) || g.slab.member(v) {
				continue
			}
			if i, ok := u.add(v, 1); ok {
				entry, top = i, 1
				break
			}
		}
	}
	if entry == nobody {
		g.entry.clear()
	} else {
		g.entry.set(entry, top)
	}
	return out
}

// mendNode takes gone nodes out of a list.
func (g *graph) mendNode(s *scratch, i uint32, layer int, isGone func(uint32) bool) {
	u := g.upper
	lock := u.locks.of(i)
	lock.Lock()
	defer lock.Unlock()
	var list, far [upperDegree]uint32
	m := u.load(i, layer, list[:])
	hurt := false
	nodes := make([]uint32, 0, 2*upperDegree)
	add := func(nb uint32) {
		if nb != i && !isGone(nb) && !slices.Contains(nodes, nb) {
			nodes = append(nodes, nb)
		}
	}
	for _, nb := range list[:m] {
		hurt = hurt || isGone(nb)
		add(nb)
	}
	if !hurt {
		return
	}
	for _, nb := range list[:m] {
		if isGone(nb) && int(u.node(nb).level) >= layer {
			for _, other := range far[:u.load(nb, layer, far[:])] {
				add(other)
			}
		}
	}
	g.chooseUpper(s, i, layer, nodes)
}
