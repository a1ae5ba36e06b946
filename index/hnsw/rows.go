package hnsw

import (
	"math"
	"runtime"
	"sync/atomic"
	"unsafe"

	"github.com/vecdb/vecdb/internal/simd"
)

// rows are 1-bit codes of all vertices about the mean of all, in one row of few cache
// lines for each. A scan of what a filter allows compares the query with their rows
// first, which are an eighth of their 8-bit codes and lie closer together, and finds
// nearly all of them too far by these. They are drawn beside the searches once one has
// use for them; from then on each new vertex puts its own there. Snapshots do not have
// them.
type rows struct {
	middle
	mem    []uint8 // of an arena, in huge pages
	stride uintptr
	room   int         // slots that there is room for
	whole  atomic.Bool // whether all vertices are there
	locks  stripes
	copies copies
}

// rowsMost is how many slots have rows at most. Drawing them takes half a microsecond
// each.
const rowsMost = 1 << 20

// rowStride is how many bytes apart rows are: no more than needed where several fit
// into a cache line, or as many lines as they take.
func rowStride(dim int) uintptr {
	const line = 64
	n := dim/8 + 8
	for step := 16; step < line; step *= 2 {
		if n <= step {
			return uintptr(step)
		}
	}
	return uintptr((n + line - 1) / line * line)
}

// rowed returns rows of all vertices, or nil as long as there are none, and has them
// drawn then. The caller is among the readers.
func (g *graph) rowed() *rows {
	p := g.rows.Load()
	switch {
	case p != nil && p.whole.Load():
		return p
	case !g.slab.withSigns || g.slab.exact || g.n.Load() > rowsMost || !g.rowing.TryLock():
		return nil
	}
	go func() {
		defer g.rowing.Unlock()
		ticket := g.readers.enter()
		defer g.readers.leave(ticket)
		// A search that meets the same error tells of it.
		_ = g.guard.run(func() error {
			g.drawRows()
			return nil
		})
	}()
	return nil
}

// drawRows makes rows of all vertices. The caller is among the readers and holds the
// lock of rowing.
func (g *graph) drawRows() {
	if p := g.rows.Load(); p != nil && p.whole.Load() {
		return // others were faster
	}
	sl := g.slab
	n := int(g.n.Load())
	p := &rows{room: n + n/4 + 1024, stride: rowStride(sl.dim)}
	p.center = aligned[uint8](sl.dim)
	p.moveTo(sl, n)
	size := p.room * int(p.stride)
	a, err := newArena(size, size)
	if err == nil {
		err = a.use(size)
	}
	if err != nil {
		a.close()
		return // scans go on without
	}
	p.mem = a.mem
	runtime.AddCleanup(p, func(a *arena) { a.close() }, a)
	// A vertex that is stored from now on puts its row there itself; those stored
	// before are complete.
	g.rows.Store(p)
	buf := make([]uint8, sl.dim/8)
	if n = int(g.n.Load()); n > p.room {
		return // more came meanwhile than there is room for
	}
	for v := range uint32(n) {
		p.put(sl, v, buf)
	}
	p.whole.Store(true)
}

// put writes the row of vertex v; bits are for its use.
func (p *rows) put(sl *slab, v uint32, bits []uint8) {
	lock := p.locks.of(v)
	lock.Lock()
	defer lock.Unlock()
	l1, l2, sign := simd.EncodeEdge(sl.codes(v), &p.center[0], sl.meta(v).step, p.step, sl.dim, &bits[0])
	row := p.mem[uintptr(v)*p.stride:][:p.stride]
	copy(row, bits)
	f := (*[2]float32)(unsafe.Pointer(&row[len(bits)]))
	f[0], f[1] = exactFactorsOf(l1, l2, sign)
}

// copyTo copies the row of vertex v to where out begins and returns how many bytes it has.
func (p *rows) copyTo(out []uint8, v uint32) int {
	lock := p.locks.of(v)
	lock.Lock()
	defer lock.Unlock()
	return copy(out, p.mem[uintptr(v)*p.stride:][:p.stride])
}

// row puts the row of a vertex that was just stored where there are some.
func (g *graph) row(s *scratch, v uint32) {
	p := g.rows.Load()
	switch {
	case p == nil:
	case int(v) < p.room:
		p.put(g.slab, v, s.bits)
	default:
		g.rows.CompareAndSwap(p, nil)
	}
}

// bytes is the memory that rows take, which may be nil.
func (p *rows) bytes() int64 {
	if p == nil {
		return 0
	}
	return int64(len(p.center)+len(p.mem)) + p.copies.bytes()
}

// rowDoubts is how many standard deviations an estimate by a row is taken to be too
// large by at most.
const rowDoubts = 2.5

// lookout is what EstimateList makes distances of.
type lookout struct {
	mul, add, origin float32
}

// prepare makes the short codes of the query and what the kernel needs besides, so that
// estimates are too small by rowDoubts standard deviations.
//
// With q and r the query and a vector less the center, both of D numbers, and c the
// cosine between r and its signs, an estimate has a standard deviation of
// 2·|q|·|r|·sqrt(1/c²-1)/sqrt(D) (RaBitQ, arXiv 2405.12497, theorem 3.2); c is about
// sqrt(2/π). As |r| is c·sqrt(D)·f, with f as in encodeEdge, that is
// 2f·|q|·sqrt(1-2/π), and 2f is what the sum of ±q is multiplied with.
func (p *rows) prepare(s *scratch, sl *slab) lookout {
	s.q.shorten()
	simd.SpreadRow(s.q.small, s.q.spread)
	origin := p.from(s.q, sl)
	sum := int32(0)
	for _, x := range s.q.small {
		sum += int32(x)
	}
	each := s.q.most / shortTop
	doubt := rowDoubts * float32(math.Sqrt(float64(origin)*(1-2/math.Pi)))
	return lookout{mul: 2 * each, add: doubt - each*float32(sum), origin: origin}
}
