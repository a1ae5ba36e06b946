package hnsw

import (
	"math/bits"
	"unsafe"

	"github.com/vecdb/vecdb/internal/simd"
)

// pivots are vertices from all over the graph whose 1-bit codes lie together as
// ScanBlock reads them. A search compares the query with all of them, which takes
// a microsecond, and begins at the nearest; going down layer by layer, whose
// vertices lie far apart in memory, takes several times as long. They do not
// change once they are drawn.
type pivots struct {
	slots   []uint32
	signs   []uint8  // of the vectors themselves, block by block
	factors []uint16 // 2·degree a block
	n       int      // vertices of the graph when they were drawn, but for dead ones
}

// There are mostPivots, or as many as there are vertices above the bottom layer, but
// no fewer than leastPivots.
const (
	leastPivots = degree
	mostPivots  = 1 << 10
)

// starts is how many of the nearest pivots a walk begins at.
const starts = 2

// drawn returns pivots of the graph as it is, more or less; nil, or some without
// slots, where there are too few vertices.
func (g *graph) drawn() *pivots {
	n := g.vertices()
	p := g.pivots.Load()
	if p != nil && n < p.n+p.n/2 || !g.slab.withSigns || !g.drawing.TryLock() {
		return p
	}
	defer g.drawing.Unlock()
	if now := g.pivots.Load(); now != p {
		return now // others were faster
	}
	if next := g.draw(n); next != nil {
		g.pivots.Store(next)
		return next
	}
	return p
}

// draw takes pivots from the layers above the bottom. When too few of these are
// alive they have no slots, so that not each search looks at all of them; it
// returns nil where that takes no time. The caller is among the readers.
func (g *graph) draw(n int) *pivots {
	raised := int(g.upper.n.Load())
	if raised < leastPivots {
		return nil
	}
	p := &pivots{n: n}
	for i := range raised {
		// As many as wanted, evenly from all.
		if i > 0 && i*mostPivots/raised == (i-1)*mostPivots/raised {
			continue
		}
		if slot, ok := g.upper.holds(uint32(i)); ok && g.live(slot) {
			p.slots = append(p.slots, slot)
		}
	}
	if len(p.slots) < leastPivots {
		return &pivots{n: n}
	}
	sl := g.slab
	blocks := (len(p.slots) + degree - 1) / degree
	p.signs = aligned[uint8](blocks * sl.signsLen())
	p.factors = make([]uint16, blocks*2*degree)
	origin, buf := aligned[uint8](sl.dim), make([]uint8, sl.dim/8)
	for i := range origin {
		origin[i] = 128 // stands for 0
	}
	for j := range blocks * degree {
		a, b := p.factor(j)
		if j >= len(p.slots) {
			*a, *b = halfInf, 0
			continue
		}
		v := p.slots[j]
		l1, l2, _ := simd.EncodeEdge(sl.codes(v), &origin[0], sl.meta(v).step, 1, sl.dim, &buf[0])
		*a, *b = factorsOf(l1, l2, 0)
		putSigns(p.signs[j/degree*sl.signsLen():][:sl.signsLen()], j%degree, buf)
	}
	return p
}

// bytes is the memory that pivots take, which may be nil.
func (p *pivots) bytes() int64 {
	if p == nil {
		return 0
	}
	return int64(len(p.signs) + 2*len(p.factors) + 4*len(p.slots))
}

// factor returns the factors of pivot j.
func (p *pivots) factor(j int) (a, b *uint16) {
	at := j / degree * 2 * degree
	return &p.factors[at+j%degree], &p.factors[at+degree+j%degree]
}

// nearest puts the slots of the pivots nearest to the query into s.starts, by
// estimates, best first.
func (p *pivots) nearest(s *scratch, sl *slab) {
	s.pool.reset(starts)
	for at := 0; at < len(p.slots); at += degree {
		mask := simd.ScanBlock(&p.signs[at/degree*sl.signsLen()], &s.q.table[0], sl.groups, &p.factors[2*at], s.q.mul, s.q.add, s.q.full2, s.pool.limit(), &s.est, unsafe.Pointer(nil), 0)
		for ; mask != 0; mask &= mask - 1 {
			j := bits.TrailingZeros32(mask)
			s.pool.insert(makeKey(max(0, s.est[j]), p.slots[at+j]))
		}
	}
	s.started = copy(s.starts[:], s.pool.keys)
}
