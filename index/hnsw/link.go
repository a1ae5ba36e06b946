package hnsw

import (
	"slices"
	"sync/atomic"

	"github.com/vecdb/vecdb/internal/simd"
)

// edge is a candidate for a neighbor.
type edge struct {
	v    uint32
	dist float32 // squared
}

// signed puts the codes of v as signed numbers into out.
func (s *slab) signed(v uint32, out []int8) {
	o := wordsOf(&out[0], s.dim)
	for i, w := range wordsOf(s.codes(v), s.dim) {
		o[i] = w ^ flipSigns
	}
}

// between puts into out the squared distances of vertex v, whose signed codes
// are given, to the vertices of a list of at most 2·degree, from 8-bit codes.
func (s *slab) between(v uint32, signed []int8, list []uint32, dots []int32, out func(j int, dist float32) bool) {
	simd.DotCodesList(s.block0, s.stride, list, &signed[0], s.dim, dots[:len(list)])
	m := s.meta(v)
	for j, nb := range list {
		mb := s.meta(nb)
		if !out(j, max(0, m.norm2+mb.norm2-2*m.step*mb.step*float32(dots[j]-128*m.total))) {
			return
		}
	}
}

// edgesTo returns the vertices of a list of any length as candidates for
// neighbors of v, in the order of the list. The result is valid until the next
// call, and s.signed holds the signed codes of v.
func (g *graph) edgesTo(s *scratch, v uint32, list []uint32) []edge {
	g.slab.signed(v, s.signed)
	cands := s.cands[:0]
	for part := list; len(part) > 0; {
		m := min(len(part), degree)
		g.slab.between(v, s.signed, part[:m], s.dots[:], func(j int, d float32) bool {
			cands = append(cands, edge{part[j], d})
			return true
		})
		part = part[m:]
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

// chosenAtOnce is how many chosen neighbors a candidate is compared with before
// it is asked whether the comparison goes on.
const chosenAtOnce = 8

// choose picks up to limit of the candidates, which are sorted by distance: one
// is taken when it is nearer to the vertex than to all taken before it (the
// heuristic of HNSW). Up to fill places are filled with the nearest of those that
// were not taken. The result is valid until the next call.
//
// Distances below the resolution of the codes tell nothing. Candidates that near
// take no more than half of the places, or many vectors that hardly differ would
// link to each other only, and a difference that small passes nobody over.
func (g *graph) choose(s *scratch, cands []edge, limit, fill int) []edge {
	kept, rest := s.kept[:0], s.rest[:0]
	same := 0
	ids := s.list[:0]
	for _, c := range cands {
		if len(kept) == limit {
			break
		}
		blur := g.slab.resolution(c.v)
		ok := c.dist > blur || same < limit/2
		if ok && len(kept) > 0 {
			g.slab.signed(c.v, s.signed)
		}
		for part := ids; ok && len(part) > 0; {
			m := min(len(part), chosenAtOnce)
			g.slab.between(c.v, s.signed, part[:m], s.dots[:], func(_ int, d float32) bool {
				ok = d >= c.dist-blur
				return ok
			})
			part = part[m:]
		}
		if ok {
			if c.dist <= blur {
				same++
			}
			kept = append(kept, c)
			ids = append(ids, c.v)
		} else if len(rest) < fill {
			rest = append(rest, c)
		}
	}
	if room := fill - len(kept); room > 0 {
		kept = append(kept, rest[:min(len(rest), room)]...)
	}
	s.kept, s.rest = kept, rest
	return kept
}

// link gives the new vertex v its neighbors on the bottom layer, from what a
// walk has left in s.top, and makes it theirs.
func (g *graph) link(s *scratch, v uint32) {
	cands := s.cands[:0]
	for _, c := range s.top.keys {
		if c.vertex() != v {
			cands = append(cands, edge{c.vertex(), c.dist()})
		}
	}
	s.cands = cands
	s.own = append(s.own[:0], g.choose(s, cands, degree, fillNew)...)
	lock := g.locks.of(v)
	lock.Lock()
	g.setNeighbors(s, v, s.own)
	lock.Unlock()
	known := len(s.own) == 0
	for _, e := range s.own {
		if g.connect(s, e.v, edge{v, e.dist}) {
			known = true
		}
	}
	if !known {
		g.force(s, s.own[0].v, v)
	}
}

// force puts v, which none of its neighbors has taken, into the list of one of
// them, and gives v the neighbor that loses its place, so that both can be
// reached.
func (g *graph) force(s *scratch, at, v uint32) {
	lock := g.locks.of(at)
	lock.Lock()
	j := int(v*0x9e3779b1>>16) % degree
	x := g.slab.neighbors(at)[j]
	g.place(s, at, j, v)
	lock.Unlock()
	if x == nobody || x == v || g.slab.ord(x) == noOrd {
		return
	}
	lock = g.locks.of(v)
	lock.Lock()
	defer lock.Unlock()
	ids := g.slab.neighbors(v)
	if slices.Index(ids[:], x) >= 0 {
		return
	}
	if j = slices.Index(ids[:], nobody); j < 0 {
		j = degree - 1
	}
	g.place(s, v, j, x)
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
// It returns whether e is one of them then.
func (g *graph) connect(s *scratch, v uint32, e edge) bool {
	lock := g.locks.of(v)
	lock.Lock()
	defer lock.Unlock()
	ids := g.slab.neighbors(v)
	if slices.Index(ids[:], e.v) >= 0 {
		return true
	}
	if j := slices.Index(ids[:], nobody); j >= 0 {
		g.place(s, v, j, e.v)
		return true
	}
	// A list that came from a damaged snapshot may hold what is no vertex.
	list := ids[:]
	if n := uint32(g.n.Load()); slices.Max(list) >= n {
		list = slices.DeleteFunc(slices.Clone(list), func(nb uint32) bool { return nb >= n })
	}
	cands := append(g.edgesTo(s, v, list), e)
	s.cands = cands
	sortEdges(cands)
	g.setNeighbors(s, v, g.choose(s, cands, degree, fillOld))
	return slices.Index(ids[:], e.v) >= 0
}

func sortEdges(edges []edge) {
	for i := 1; i < len(edges); i++ {
		for j := i; j > 0 && edges[j].dist < edges[j-1].dist; j-- {
			edges[j], edges[j-1] = edges[j-1], edges[j]
		}
	}
}
