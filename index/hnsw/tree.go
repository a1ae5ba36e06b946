package hnsw

import (
	"slices"
	"sync/atomic"
)

// Every vertex but one has a parent: a vertex that holds it among its neighbors
// and that it holds among its own. A choice of neighbors never drops those two
// edges, so that each vertex can be reached from each other, whatever else is
// chosen. A new vertex gets the nearest as its parent that has room; when a
// parent is taken out of the graph, its children get others.

const (
	// What a meta's up holds in place of a parent: that there is none, or that
	// the vertex is being linked. Two bits above it are marks.
	noParent = 1<<30 - 1
	unlinked = 1<<30 - 2
	slotMask = 1<<30 - 1

	// kinMost is how many of its neighbors may be children or the parent of a
	// vertex when it is to take another child.
	kinMost = degree * 3 / 4
	// climbMost is how far up the way to the root is followed.
	climbMost = 1 << 10
)

// parent returns the parent of v, or nobody.
func (s *slab) parent(v uint32) uint32 {
	if p := atomic.LoadUint32(&s.meta(v).up) & slotMask; p < unlinked {
		return p
	}
	return nobody
}

// beingLinked reports whether v has no parent yet.
func (s *slab) beingLinked(v uint32) bool {
	return atomic.LoadUint32(&s.meta(v).up)&slotMask == unlinked
}

// setParent makes p, or noParent, the parent of v.
func (s *slab) setParent(v, p uint32) {
	up := &s.meta(v).up
	for {
		old := atomic.LoadUint32(up)
		if atomic.CompareAndSwapUint32(up, old, old&^slotMask|p) {
			return
		}
	}
}

// kin reports whether a and b are parent and child.
func (s *slab) kin(a, b uint32) bool { return s.parent(a) == b || s.parent(b) == a }

// kinOf marks the candidates that are kin of v and returns how many there are.
func (s *slab) kinOf(v uint32, cands []edge) int {
	n := 0
	parent := s.parent(v)
	for i := range cands {
		c := &cands[i]
		if c.kin = c.v == parent || atomic.LoadUint32(&s.meta(c.v).up)&slotMask == v; c.kin {
			n++
		}
	}
	return n
}

// adopt makes v the child of the first of the candidates, nearest first, that
// has room for it or else of a descendant of one of them that is not gone, and
// returns the parent.
func (g *graph) adopt(s *scratch, cands []edge, v uint32, gone []bool) uint32 {
	for _, c := range cands {
		if g.connect(s, c.v, c.to(v), true) {
			return c.v
		}
	}
	// All are full of children, which are full in their turn or not.
	for _, c := range cands {
		for p, steps := c.v, 0; steps < climbMost; steps++ {
			if p = g.child(p, v, gone); p == nobody {
				break
			}
			if g.connect(s, p, g.edgesTo(s, v, []uint32{p})[0].to(v), true) {
				g.insist(s, v, p)
				return p
			}
		}
	}
	return nobody
}

// to is e seen from its other end.
func (e edge) to(v uint32) edge { return edge{v: v, dist: e.dist} }

// child returns one of the children of p, other than v and not gone, or nobody.
func (g *graph) child(p, v uint32, gone []bool) uint32 {
	n := uint32(g.n.Load())
	ids := g.slab.neighbors(p)
	for j := range ids {
		nb := atomic.LoadUint32(&ids[(j+int(v))%degree])
		if nb < n && nb != v && g.slab.parent(nb) == p && !isGone(gone, nb) {
			return nb
		}
	}
	return nobody
}

func isGone(gone []bool, v uint32) bool { return int(v) < len(gone) && gone[v] }

// insist puts o into the list of v, in the place of the farthest that is no kin
// when there is no room.
func (g *graph) insist(s *scratch, v, o uint32) {
	lock := g.locks.of(v)
	lock.Lock()
	defer lock.Unlock()
	ids := g.slab.neighbors(v)
	if slices.Contains(ids[:], o) {
		return
	}
	at := slices.Index(ids[:], nobody)
	if at < 0 {
		far := float32(-1)
		for j, e := range g.edgesTo(s, v, g.inUse(ids[:])) {
			if !g.slab.kin(v, e.v) && e.dist > far {
				at, far = j, e.dist
			}
		}
	}
	if at >= 0 {
		g.place(s, v, at, o)
	}
}

// below reports whether o is v or one of those above it, or whether that could
// not be found out.
func (g *graph) below(v, o uint32) bool {
	n := uint32(g.n.Load())
	for range climbMost {
		if v == o {
			return true
		}
		if v = g.slab.parent(v); v >= n {
			return false
		}
	}
	return true
}

// adoptOrphans gives those whose parent is gone, or who have none, new parents,
// so that one vertex without a parent remains. It follows the parents of the
// gone too, so that no circle can come about. Only the one who mends changes
// parents that there are.
func (g *graph) adoptOrphans(gone []bool) {
	s := g.get()
	defer g.put(s)
	ticket := g.readers.enter()
	defer g.readers.leave(ticket)
	root := uint32(nobody)
	var orphans []uint32
	for v := range uint32(len(gone)) { // free slots look like those being linked
		if gone[v] || g.slab.member(v) || g.slab.beingLinked(v) {
			continue
		}
		switch p := g.slab.parent(v); {
		case p != nobody && isGone(gone, p):
			orphans = append(orphans, v)
		case p == nobody && root == nobody:
			root = v
		case p == nobody:
			orphans = append(orphans, v)
		}
	}
	for _, v := range orphans {
		if g.adoptNear(s, v, gone) {
			continue
		}
		p := g.slab.parent(v)
		for steps := 0; p != nobody && isGone(gone, p) && steps < len(gone); steps++ {
			p = g.slab.parent(p)
		}
		if p == nobody {
			p = root
		}
		if p == nobody || p == v || isGone(gone, p) {
			root = v
			g.slab.setParent(v, noParent)
			continue
		}
		e := g.edgesTo(s, v, []uint32{p})[0]
		if p = g.adopt(s, []edge{e}, v, gone); p != nobody {
			g.insist(s, v, p)
		}
	}
}

// adoptNear makes one of its neighbors the parent of v.
func (g *graph) adoptNear(s *scratch, v uint32, gone []bool) bool {
	var list [degree]uint32
	m, n := 0, uint32(g.n.Load())
	ids := g.slab.neighbors(v)
	for j := range ids {
		nb := atomic.LoadUint32(&ids[j])
		if nb < n && !isGone(gone, nb) && g.live(nb) && !g.slab.member(nb) {
			list[m] = nb
			m++
		}
	}
	cands := slices.Clone(g.edgesTo(s, v, list[:m]))
	sortEdges(cands)
	for _, c := range cands {
		if !g.below(c.v, v) && g.connect(s, c.v, c.to(v), true) {
			g.insist(s, v, c.v)
			return true
		}
	}
	return false
}
