package hnsw

import (
	"math"
	"slices"
	"sync/atomic"

	"github.com/vecdb/vecdb/internal/core"
	"github.com/vecdb/vecdb/internal/simd"
)

// edge is a candidate for a neighbor.
type edge struct {
	v     uint32
	dist  float32 // squared
	limit float32 // only a vertex taken that is nearer to v than that passes it over, set by choose
	near  bool    // whether distances from v do not tell it from the vertex that chooses, set by choose
	kin   bool    // set by kinOf
	taken bool    // set by choose
}

// signed puts the codes of v as signed numbers into out.
func (s *slab) signed(v uint32, out []int8) {
	o := wordsOf(&out[0], s.dim)
	for i, w := range wordsOf(s.codes(v), s.dim) {
		o[i] = w ^ flipSigns
	}
}

// between is the squared distance of vertex v, of which m is known, and o by
// 8-bit codes, dot being their product as DotCodesList has it with v's signed.
func (s *slab) between(m *meta, o uint32, dot int32) float32 {
	return max(0, m.apart(s.meta(o), dot))
}

// apart is what between is, but for rounding below 0.
func (m *meta) apart(o *meta, dot int32) float32 {
	return m.norm2 + o.norm2 - 2*m.step*o.step*float32(dot-128*m.total)
}

// edgesTo returns the vertices of a list of any length as candidates for
// neighbors of v, in the order of the list. The result is valid until the next
// call.
func (g *graph) edgesTo(s *scratch, v uint32, list []uint32) []edge {
	sl := g.slab
	sl.signed(v, s.signed)
	m := sl.meta(v)
	g.announce(list)
	cands := s.cands[:0]
	for part := list; len(part) > 0; {
		n := min(len(part), degree)
		simd.DotCodesList(sl.codes0, sl.codesStride, part[:n], &s.signed[0], sl.dim, s.dots[:n])
		for j, o := range part[:n] {
			cands = append(cands, edge{v: o, dist: sl.between(m, o, s.dots[j])})
		}
		part = part[n:]
	}
	s.cands = cands
	return cands
}

// resolution is above the squared distance of the codes of v and those of
// the same vector rounded another way.
func (s *slab) resolution(v uint32) float32 {
	m := s.meta(v)
	return m.step * m.step * float32(s.dim) / 1.5
}

// choose picks up to limit of the candidates, which are sorted by distance: one
// is taken when it is nearer to the vertex than to all taken before it (the
// heuristic of HNSW). Kin of vertex v, unless that is nobody, are taken in any
// case. Up to fill places are filled with the nearest of those that were not
// taken. The result is valid until the next choice.
//
// Distances below the resolution of the codes tell nothing. Candidates that near
// take no more than half of the places, or many vectors that hardly differ would
// link to each other only, and a difference that small passes nobody over.
func (g *graph) choose(s *scratch, v uint32, cands []edge, limit, fill int) []edge {
	kept, open := s.kept[:0], s.open[:0]
	kin := 0 // that are to come
	if v != nobody {
		kin = g.slab.kinOf(v, cands)
	}
	for i := range cands {
		c := &cands[i]
		c.limit, c.taken = c.dist-g.slab.resolution(c.v), false
		c.near, c.kin = c.limit <= 0, c.kin && v != nobody
		if c.near || c.kin {
			c.limit = float32(math.Inf(-1)) // nothing passes it over
		}
		open = append(open, i)
	}
	s.open = open
	same := 0
	for len(open) > 0 && len(kept) < limit {
		c := &cands[open[0]]
		open = open[1:]
		switch {
		case c.kin:
			kin--
		case len(kept)+kin == limit || c.near && same >= limit/2:
			continue
		}
		if c.near {
			same++
		}
		c.taken = true
		if kept = append(kept, *c); len(kept) < limit {
			open = g.passOver(s, c.v, cands, open)
		}
	}
	for i := range cands {
		if len(kept) >= fill {
			break
		}
		if !cands[i].taken {
			kept = append(kept, cands[i])
		}
	}
	s.kept = kept
	return kept
}

// passOver returns the numbers in open of those candidates that are kin or not
// nearer to vertex v, which was taken, than to the vertex that chooses.
func (g *graph) passOver(s *scratch, v uint32, cands []edge, open []int) []int {
	sl := g.slab
	sl.signed(v, s.signed)
	m := sl.meta(v)
	left := 0
	for from := 0; from < len(open); from += len(s.list) {
		part := open[from:min(from+len(s.list), len(open))]
		for j, i := range part {
			s.list[j] = cands[i].v
		}
		dots := s.dots[:len(part)]
		simd.DotCodesList(sl.codes0, sl.codesStride, s.list[:len(part)], &s.signed[0], sl.dim, dots)
		for j, i := range part {
			c := &cands[i]
			// Nobody can foresee which of them stay, so that the sign tells and no
			// branch.
			farther := m.apart(sl.meta(c.v), dots[j]) - c.limit
			open[left] = i
			left += 1 - int(math.Float32bits(farther)>>31)
		}
	}
	return open[:left]
}

// link gives the new vertex v its neighbors on the bottom layer, from what a
// walk has left in s.top, and makes it theirs. It holds ord, by which others may
// link to it, as soon as it has a parent; core.NoOrd is one that it has already.
func (g *graph) link(s *scratch, v uint32, ord core.Ord) {
	s.own = append(s.own[:0], g.chooseFound(s, v)...)
	g.setOwn(s, v)
	parent := g.adopt(s, s.own, v, nil)
	if parent == nobody {
		g.slab.setParent(v, noParent)
	}
	if ord != core.NoOrd {
		g.slab.setOrd(v, uint32(ord))
	}
	for _, e := range s.own {
		if e.v != parent {
			g.connect(s, e.v, e.to(v), false)
		}
	}
}

// setOwn makes s.own the neighbors of v.
func (g *graph) setOwn(s *scratch, v uint32) {
	lock := g.locks.of(v)
	lock.Lock()
	defer lock.Unlock()
	g.setNeighbors(s, v, s.own)
}

// chooseFound picks neighbors of v from what a walk has left in s.top. The result
// is valid until the next choice.
func (g *graph) chooseFound(s *scratch, v uint32) []edge {
	cands := s.cands[:0]
	for _, c := range s.top.keys {
		if c.vertex() != v {
			cands = append(cands, edge{v: c.vertex(), dist: c.dist()})
		}
	}
	s.cands = cands
	return g.choose(s, nobody, cands, degree, fillNew)
}

// setNeighbors makes kept the neighbors of v, leaving those in place that stay.
// The caller holds the lock of v.
func (g *graph) setNeighbors(s *scratch, v uint32, kept []edge) {
	ids := g.slab.neighbors(v)
	var stays [degree]bool
	var added [degree]uint32
	n := 0
	for _, e := range kept {
		if j := slices.Index(ids[:], e.v); j >= 0 {
			stays[j] = true
		} else {
			added[n] = e.v
			n++
		}
	}
	for j := range ids {
		switch {
		case stays[j]:
		case n > 0:
			n--
			g.place(s, v, j, added[n])
		case ids[j] != nobody:
			atomic.StoreUint32(&ids[j], nobody)
			g.slab.clearEdge(v, j)
		}
	}
}

// place makes o the j-th neighbor of v.
func (g *graph) place(s *scratch, v uint32, j int, o uint32) {
	g.slab.encodeEdge(v, j, o, s.bits)
	atomic.StoreUint32(&g.slab.neighbors(v)[j], o)
}

// connect adds e to the neighbors of v; when there is no room it chooses anew.
// It returns whether e is one of them then. As a child e is one in any case,
// unless v has too many.
func (g *graph) connect(s *scratch, v uint32, e edge, child bool) bool {
	lock := g.locks.of(v)
	lock.Lock()
	defer lock.Unlock()
	ids := g.slab.neighbors(v)
	there := slices.Index(ids[:], e.v) >= 0
	if j := slices.Index(ids[:], nobody); !there && j >= 0 {
		g.place(s, v, j, e.v)
		there = true
	}
	if there {
		if child {
			g.slab.setParent(e.v, v)
		}
		return true
	}
	cands := append(g.edgesTo(s, v, g.inUse(ids[:])), e)
	if child {
		if g.slab.kinOf(v, cands) >= kinMost {
			return false
		}
		g.slab.setParent(e.v, v)
	}
	s.cands = cands
	sortEdges(cands)
	g.setNeighbors(s, v, g.choose(s, v, cands, degree, fillOld))
	return slices.Index(ids[:], e.v) >= 0
}

// inUse returns a list of neighbors without what is no vertex, as one that came
// from a damaged snapshot may hold.
func (g *graph) inUse(list []uint32) []uint32 {
	if n := uint32(g.n.Load()); slices.Max(list) >= n {
		return slices.DeleteFunc(slices.Clone(list), func(nb uint32) bool { return nb >= n })
	}
	return list
}

func sortEdges(edges []edge) {
	for i, e := range edges {
		for ; i > 0 && e.dist < edges[i-1].dist; i-- {
			edges[i] = edges[i-1]
		}
		edges[i] = e
	}
}
