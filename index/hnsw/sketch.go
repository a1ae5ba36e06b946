package hnsw

import (
	"math"
	"math/bits"
	"slices"
	"sync/atomic"
	"unsafe"

	"github.com/vecdb/vecdb/index"
	"github.com/vecdb/vecdb/internal/core"
	"github.com/vecdb/vecdb/internal/simd"
)

// sketches are 1-bit codes of all vertices of a small graph, in the order of their
// slots and block by block as ScanBlock reads them. Comparing the query with a
// block of 32 takes as long as a few comparisons of 8-bit codes, so that looking
// at all of them and scoring those again that look nearest is faster than walking
// past a hundred. They are drawn when the first search has use for them, or enough
// insertions; from then on each new vertex puts its own there.
type sketches struct {
	middle
	signs   []uint8 // of the vectors less the center
	factors []uint16
	room    int         // slots that there is room for
	enough  int         // how many candidates tell most queries' nearest
	whole   atomic.Bool // whether all vertices are there
	locks   stripes     // of blocks
}

const (
	// sketchShare is how many sketches are compared in the time of one comparison
	// of 8-bit codes.
	sketchShare = 8
	// sketchMost is how many slots have sketches at most; drawing them takes some
	// milliseconds.
	sketchMost = 1 << 14
	// sketchSure is how many of the neighbors that are found for a new vertex have to
	// be the nearest beyond doubt.
	sketchSure = 10
	// sketchLinks is up to how many slots the neighbors of a new vertex are found
	// by sketches.
	sketchLinks = 1 << 15
	// sketchWait is for which share of the vertices neighbors are found by walks
	// before sketches are drawn for that, which takes as long as that many save.
	sketchWait = 128
	// sketchAsks is how many times as much as expected may be looked up in vain:
	// under a filter that allows only what is far all that is near is.
	sketchAsks = 4
)

// sketchCost is what a search by sketches costs that scores wanted vertices again
// and of whose vertices a filter allows a share: those that are not allowed are
// looked up too, as long as they are nearer than the last one wanted so far.
func sketchCost(n, wanted int, share float64) int {
	cost := float64(n/sketchShare + wanted)
	if share < 1 {
		near := float64(wanted) / share
		cost += near * (1 + math.Log(max(1, float64(n)/near)))
	}
	return int(min(cost, math.MaxInt32))
}

// sketched returns sketches of all vertices, or nil as long as there are none.
// The caller is among the readers.
func (g *graph) sketched() *sketches {
	if p := g.sketches.Load(); p != nil && p.whole.Load() {
		return p
	}
	if !g.sketching.TryLock() {
		return nil
	}
	defer g.sketching.Unlock()
	if p := g.sketches.Load(); p != nil && p.whole.Load() {
		return p // others were faster
	}
	return g.drawSketches()
}

// drawSketches makes sketches of all vertices. The caller is among the readers
// and holds the lock of sketching.
func (g *graph) drawSketches() *sketches {
	sl := g.slab
	n := int(g.n.Load())
	blocks := (n + n/2 + 1024) / degree
	p := &sketches{
		room: blocks * degree, signs: aligned[uint8](blocks * sl.signsLen()), factors: make([]uint16, blocks*2*degree),
	}
	p.center = aligned[uint8](sl.dim)
	p.moveTo(sl, n)
	for i := 0; i < len(p.factors); i += 2 * degree {
		for j := range degree {
			p.factors[i+j] = halfInf
		}
	}
	// A vertex that is stored from now on puts its sketch there itself; those
	// stored before are complete.
	g.sketches.Store(p)
	buf := make([]uint8, sl.dim/8)
	if n = int(g.n.Load()); n > p.room {
		return nil // more came meanwhile than there is room for
	}
	for v := range uint32(n) {
		p.put(sl, v, buf)
	}
	p.enough = g.candidatesOf(p)
	p.whole.Store(true)
	return p
}

// candidatesOf returns how many of those that look nearest a search has to score
// again so that the last of them is farther than the tenth nearest beyond doubt,
// for half of some vertices that are taken as queries.
func (g *graph) candidatesOf(p *sketches) int {
	const queries, k, most = 15, 10, 512
	s := g.get()
	defer g.put(s)
	defer func() { s.hidden = nobody }()
	var needs []int
	n := int(g.n.Load())
	for v := uint32(0); int(v) < n; v += uint32(1 + n/queries) {
		if !g.live(v) {
			continue
		}
		s.hidden = v
		g.space.prepare(s.q, g.space.restore(g.slab.decode(v)), false)
		s.top.reset(k)
		p.look(s, g.slab)
		g.scanSketches(s, p, most, 0, nil)
		need := most
		if len(s.top.keys) == k {
			need = k
			limit := s.top.keys[k-1].dist() + sketchDoubt*p.doubt(s)
			for _, c := range s.near.keys {
				if c.dist() < limit {
					need++
				}
			}
		}
		needs = append(needs, need)
	}
	slices.Sort(needs)
	if len(needs) == 0 {
		return most
	}
	return needs[len(needs)/2]
}

// put writes the sketch of vertex v; bits are for its use.
func (p *sketches) put(sl *slab, v uint32, bits []uint8) {
	// Two places share each byte.
	lock := p.locks.of(v / degree)
	lock.Lock()
	defer lock.Unlock()
	l1, l2, sign := simd.EncodeEdge(sl.codes(v), &p.center[0], sl.meta(v).step, p.step, sl.dim, &bits[0])
	block, j := int(v/degree), int(v%degree)
	p.factors[block*2*degree+j], p.factors[block*2*degree+degree+j] = factorsOf(l1, l2, sign)
	putSigns(p.signs[block*sl.signsLen():][:sl.signsLen()], j, bits)
}

// sketch puts the sketch of a vertex that was just stored where there are some.
func (g *graph) sketch(s *scratch, v uint32) {
	p := g.sketches.Load()
	switch {
	case p == nil:
	case int(v) < p.room:
		p.put(g.slab, v, s.bits)
	default:
		g.sketches.CompareAndSwap(p, nil)
	}
}

// bytes is the memory that sketches take, which may be nil.
func (p *sketches) bytes() int64 {
	if p == nil {
		return 0
	}
	return int64(len(p.center) + len(p.signs) + 2*len(p.factors))
}

// nearby gathers the nearest candidates, in any order.
type nearby struct {
	keys  []key
	max   int
	limit float32 // what is as far is none of them
}

func (c *nearby) reset(size int) {
	c.keys, c.max, c.limit = c.keys[:0], size, float32(math.Inf(1))
}

// add takes k, which is nearer than the limit.
func (c *nearby) add(k key) {
	if c.keys = append(c.keys, k); len(c.keys) >= 2*c.max {
		c.settle()
	}
}

// settle keeps the nearest only.
func (c *nearby) settle() {
	if len(c.keys) < c.max {
		return
	}
	selectLeast(c.keys, c.max)
	c.keys = c.keys[:c.max]
	c.limit = slices.Max(c.keys).dist()
}

// selectLeast puts the n least of keys in front (Hoare, "Algorithm 65: Find",
// 1961).
func selectLeast(keys []key, n int) {
	lo, hi := 0, len(keys)-1
	for lo < hi {
		mid := lo + (hi-lo)/2
		pivot := keys[mid]
		keys[mid] = keys[hi]
		at := lo // where the next that is less goes
		for i, k := range keys[lo:hi] {
			keys[lo+i] = keys[at]
			keys[at] = k
			less := 0 // nobody can foresee which are, hence no branch
			if k < pivot {
				less = 1
			}
			at += less
		}
		keys[hi], keys[at] = keys[at], pivot
		switch {
		case n-1 < at:
			hi = at - 1
		case n-1 > at:
			lo = at + 1
		default:
			return
		}
	}
}

// look prepares the query for comparisons with sketches.
func (p *sketches) look(s *scratch, sl *slab) {
	s.q.estimates()
	s.base = p.from(s.q, sl)
}

// sketchSample is of one in how many blocks of sketches it is taken how near the
// wanted vertices look at most.
const sketchSample = 16

// scanSketches compares the query with all sketches and leaves the nearest of the
// wanted allowed vertices that look nearest in s.top, with their distances by
// 8-bit codes. It returns false when it has met more that are not allowed than
// most. There may be somewhat fewer than wanted; all that look nearer than
// s.near.limit are among them.
func (g *graph) scanSketches(s *scratch, p *sketches, wanted, most int, allow *core.Set) bool {
	near := &s.near
	limit := float32(math.Inf(1))
	if n := int(g.n.Load()); allow == nil && n >= 2*sketchSample*degree && wanted <= n/4 {
		// Twice the deviation of the number in a sample above the mean, so that
		// there are hardly ever fewer.
		mean := float64(wanted) / sketchSample
		near.reset(int(mean + 2*math.Sqrt(mean) + 2))
		g.seekSketches(s, p, sketchSample, most, nil)
		near.settle()
		limit = near.limit
	}
	near.reset(wanted)
	near.limit = limit
	if !g.seekSketches(s, p, 1, most, allow) {
		return false
	}
	near.settle()
	s.batch = s.batch[:0]
	for _, c := range near.keys {
		// Without a filter hardly any is not allowed, so that it is looked up late.
		if v := c.vertex(); allow != nil || g.allowed(v, nil) {
			s.batch = append(s.batch, v)
		}
	}
	g.score(s, s.batch)
	s.top.settle()
	return true
}

// seekSketches compares the query with one in step blocks of sketches and gathers
// the allowed vertices that look nearest in s.near, without a filter all. It returns
// false when it has met more that are not allowed than most.
func (g *graph) seekSketches(s *scratch, p *sketches, step, most int, allow *core.Set) bool {
	sl := g.slab
	n := min(int(g.n.Load()), p.room) // more may have come meanwhile
	near := &s.near
	for at := 0; at < n; at += step * degree {
		mask := simd.ScanBlock(&p.signs[at/degree*sl.signsLen()], &s.q.table[0], sl.groups, &p.factors[2*at], s.q.mul, s.q.add, s.base, near.limit, &s.est, unsafe.Pointer(nil), 0)
		for ; mask != 0; mask &= mask - 1 {
			j := bits.TrailingZeros32(mask)
			v := uint32(at + j)
			if int(v) >= n || v == s.hidden || s.est[j] >= near.limit {
				continue
			}
			if allow == nil || g.allowed(v, allow) {
				near.add(makeKey(max(0, s.est[j]), v))
			} else if most--; most < 0 {
				return false
			}
		}
	}
	return true
}

// sketchDoubt is by how many standard deviations of the estimates the last of the
// candidates has to look farther than the k-th nearest is.
const sketchDoubt = 1

// bySketches searches by sketches where that is faster than a walk of so many
// steps and, under a filter, than comparing the query with the vertices of all
// allowed ordinals, count of them. It returns nil where it is not, or where the
// sketches do not tell what is near.
func (g *graph) bySketches(s *scratch, k, ef, steps, count, window int, allow *core.Set) []index.Neighbor {
	n, total := int(g.n.Load()), g.vertices()
	if !g.slab.withSigns || g.slab.exact || n > sketchMost || g.crowded.Load() > 0 {
		return nil
	}
	others, share, least := walkCost(steps), 1.0, min(k, total)
	if allow != nil {
		share = min(1, float64(count)/float64(total))
		others, least = min(others, count), min(k, count)
	}
	cost := sketchCost(n, ef, share)
	if cost >= others {
		return nil
	}
	p := g.sketched()
	if p == nil || ef < p.enough {
		return nil
	}
	p.look(s, g.slab)
	s.top.reset(window)
	if !g.scanSketches(s, p, ef, sketchAsks*cost, allow) || len(s.top.keys) < least {
		return nil
	}
	last := s.top.keys[least-1].dist()
	if s.near.limit < last+sketchDoubt*p.doubt(s) {
		return nil
	}
	return g.refine(s, k, g.worth(s, k, window), 0, allow)
}

// nearBySketches leaves in s.top the ef vertices that look nearest to the query,
// which is to be inserted. It returns false where a walk is faster, or where the
// sketches do not tell what is near.
func (g *graph) nearBySketches(s *scratch, ef int) bool {
	n := int(g.n.Load())
	if !g.slab.withSigns || g.slab.exact || n > sketchLinks || g.crowded.Load() > 0 || sketchCost(n, ef, 1) >= walkCost(ef) {
		return false
	}
	p := g.sketches.Load()
	if p == nil || !p.whole.Load() {
		if g.wanting.Add(1) < int64(n/sketchWait) {
			return false
		}
		g.wanting.Store(0)
		if p = g.sketched(); p == nil {
			return false
		}
	}
	if ef < p.enough {
		return false
	}
	p.look(s, g.slab)
	g.scanSketches(s, p, ef, n, nil)
	least := min(ef, sketchSure)
	return len(s.top.keys) >= least && s.near.limit >= s.top.keys[least-1].dist()+sketchDoubt*p.doubt(s)
}

// doubt is the standard deviation of an estimate (RaBitQ, arXiv 2405.12497,
// theorem 3.2, at the mean length of a projection).
func (p *sketches) doubt(s *scratch) float32 {
	dims := float64(len(p.center))
	return float32(2 * math.Sqrt(float64(s.base*p.spread)*(math.Pi/2-1)/dims))
}
