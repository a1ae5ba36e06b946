package hnsw

import (
	"slices"
	"time"
	"unsafe"

	"github.com/vecdb/vecdb/internal/simd"
)

// In mode Disk a block begins with codes of two bits a dimension, by which walks
// go, and all other codes lie in a file. A code c stands for 2c-3 times a step of
// its own: with w the 8-bit codes of a vector y, it tells the sign of w and
// whether |w| is above 1.25 times its mean, which is where two bits of a normal
// distribution are best cut (Max, "Quantizing for minimum distortion", 1960).
// With u what the codes stand for, <y, q> is estimated by f·<u, q>, f being
// |y|²/<u, y>, as in RaBitQ (arXiv 2405.12497, 2409.09913), which is right on
// average in a space rotated at random and exact where q is y. Behind the codes
// stand f and |y|².
//
// The best of a walk are then scored by their records. These are spread over the
// file, so that the system is told of all of them before the first is read.

// blockAlign is what the blocks of mode Disk begin at multiples of.
const blockAlign = 32

// onDisk completes the layout of mode Disk.
func (l layout) onDisk() layout {
	l.twoBits = true
	l.estimate = uintptr(l.dim / 4)
	l.ids = l.estimate + 8
	l.stride = (l.ids + 4*degree + blockAlign - 1) / blockAlign * blockAlign
	l.lowsAt, l.lowsLen = l.dim, l.dim/2
	l.fineLen = (l.lowsAt + l.lowsLen + 63) / 64 * 64
	return l
}

// diskBytes is how many bytes lie in a file rather than in memory.
func (s *slab) diskBytes() int64 {
	if !s.twoBits {
		return 0
	}
	return int64(s.fines.size())
}

// DiskBytes returns how many bytes the codes take that lie in a file rather than
// in memory, which is what SizeBytes tells.
func (x *Index) DiskBytes() int64 {
	if g := x.state.Load().graph; g != nil {
		return g.slab.diskBytes()
	}
	return 0
}

// estimator is what a block says besides its codes of two bits.
type estimator struct{ factor, norm2 float32 }

func (s *slab) estimator(v uint32) *estimator {
	return (*estimator)(unsafe.Add(s.block(v), s.estimate))
}

// twoBitsOf puts the codes of two bits of a vector in 8-bit codes with that step
// into out and returns what else an estimate needs.
func twoBitsOf(high []uint8, step float32, out []uint8) estimator {
	sum, squares, dot := int32(0), int32(0), int32(0)
	for _, h := range high {
		w := int32(h) - 128
		sum += max(w, -w)
		squares += w * w
	}
	cut := (5*sum + 2*int32(len(high))) / (4 * int32(len(high)))
	clear(out)
	for i, h := range high {
		w, c := int32(h)-128, int32(0)
		switch {
		case w >= cut && w > 0:
			c = 3
		case w >= 0:
			c = 2
		case w > -cut:
			c = 1
		}
		dot += w * (2*c - 3)
		out[i/64*16+i%16] |= uint8(c) << (i % 64 / 16 * 2)
	}
	e := estimator{norm2: step * step * float32(squares)}
	if dot > 0 {
		e.factor = step * float32(squares) / float32(dot)
	}
	return e
}

// storeTwoBits writes the codes of two bits of vertex v.
func (s *slab) storeTwoBits(v uint32, high []uint8, step float32) {
	*s.estimator(v) = twoBitsOf(high, step, s.twoBitCodes(v))
}

func (s *slab) twoBitCodes(v uint32) []uint8 {
	return unsafe.Slice((*uint8)(s.block(v)), s.dim/4)
}

// estimates puts into est the squared distances of the query and up to degree
// vertices by their codes of two bits.
func (s *slab) estimates(q *query, list []uint32, dots []int32, est *[degree]float32) {
	simd.DotTwoBitsList(s.block0, s.stride, list, &q.codes[0], s.dim, dots[:len(list)])
	for j, v := range list {
		e := s.estimator(v)
		est[j] = max(0, q.norm2+e.norm2-2*e.factor*q.scale*float32(2*dots[j]-3*q.sum))
	}
}

// estimateOne is estimates for one vertex.
func (s *slab) estimateOne(q *query, v uint32) float32 {
	var dots [1]int32
	var est [degree]float32
	s.estimates(q, []uint32{v}, dots[:], &est)
	return est[0]
}

// distances is estimates by 8-bit codes. What is known of the vertices besides
// comes into the cache while the codes are multiplied.
func (s *slab) distances(q *query, list []uint32, dots []int32, est *[degree]float32) {
	for _, v := range list {
		s.fetchMeta(v)
	}
	simd.DotCodesList(s.codes0, s.codesStride, list, &q.codes[0], s.dim, dots[:len(list)])
	for j, v := range list {
		est[j] = s.between8(q, v, dots[j])
	}
}

// between8 is the squared distance of the query and vertex v by 8-bit codes, dot
// being their product as DotCodesList has it.
func (s *slab) between8(q *query, v uint32, dot int32) float32 {
	m := s.meta(v)
	return max(0, q.norm2+m.norm2-2*q.scale*m.step*float32(dot-128*q.sum))
}

// window is how many of the best that a walk of breadth ef has found are scored
// again to return k, and scanWindow how many of a scan. Codes of two bits leave
// more open than those of eight. Far from the query many are about as near, so
// that after a scan more are scored again.
func (s *slab) window(k, ef int) int {
	if s.twoBits {
		return max(3*k+20, k+ef/2)
	}
	return k + k/2 + 4
}

func (s *slab) scanWindow(k int) int {
	if s.twoBits {
		return 4*k + 2*scanWindow
	}
	return 2*k + scanWindow
}

// settle puts the distances by 8-bit codes in the place of estimates by two bits
// in s.top.
func (g *graph) settle(s *scratch) {
	if !g.slab.twoBits {
		return
	}
	keys := s.top.keys
	g.bring(s, keys)
	list := s.batch
	for at := 0; at < len(list); at += degree {
		part := list[at:min(len(list), at+degree)]
		g.slab.distances(s.q, part, s.dots[:], &s.est)
		for j, v := range part {
			keys[at+j] = makeKey(s.est[j], v)
		}
	}
	slices.Sort(keys)
}

// settleEdges does that to candidates for neighbors of the query.
func (g *graph) settleEdges(s *scratch, cands []edge) {
	if !g.slab.twoBits {
		return
	}
	for i := range cands {
		var dots [1]int32
		g.slab.distances(s.q, []uint32{cands[i].v}, dots[:], &s.est)
		cands[i].dist = s.est[0]
	}
}

const (
	// coldFrom is how long reading a page from a disk takes at least, and coldFor
	// how many reads after one that took that long tell the system before.
	coldFrom = 40 * time.Microsecond
	coldFor  = 64
	// warmRead is more than reading a record from memory takes.
	warmRead = 2 * time.Microsecond
)

// bring reads what the vertices of keys are scored by, so that all of it comes
// at the same time from memory or, if it has to, from the disk. In mode Disk it
// leaves the vertices in s.batch.
func (g *graph) bring(s *scratch, keys []key) {
	sl := g.slab
	if !sl.twoBits {
		for _, c := range keys {
			s.touched += touch(sl.lows(c.vertex()))
		}
		return
	}
	s.batch = s.batch[:0]
	for _, c := range keys {
		s.batch = append(s.batch, c.vertex())
	}
	g.bringRecords(s, s.batch)
}

// bringRecords is bring in mode Disk.
func (g *graph) bringRecords(s *scratch, list []uint32) {
	begin := time.Now()
	g.announce(list)
	for _, v := range list {
		s.touched += touch(g.slab.record(v))
	}
	cold := g.cold.Load()
	switch {
	case time.Since(begin) > coldFrom+warmRead*time.Duration(len(list)):
		g.cold.Store(coldFor)
	case cold > 0:
		g.cold.CompareAndSwap(cold, cold-1)
	}
}

// announce tells the system that the records of vertices will be read, if it had
// to read some from the disk of late.
func (g *graph) announce(list []uint32) {
	if !g.slab.twoBits || g.cold.Load() <= 0 {
		return
	}
	for _, v := range list {
		g.slab.fines.announce(int(v)*g.slab.fineLen, g.slab.fineLen)
	}
}

// record is all that lies in the file of vertex v.
func (s *slab) record(v uint32) []uint8 {
	return unsafe.Slice((*uint8)(unsafe.Add(s.fine0, uintptr(v)*uintptr(s.fineLen))), s.fineLen)
}

// sameTwoBits reports whether the codes of two bits of vertex v are those of its
// 8-bit codes.
func (s *slab) sameTwoBits(v uint32, buf []uint8) bool {
	want := twoBitsOf(s.highs(v), s.meta(v).step, buf[:s.dim/4])
	return *s.estimator(v) == want && slices.Equal(s.twoBitCodes(v), buf[:s.dim/4])
}
