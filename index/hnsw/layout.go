package hnsw

import (
	"cmp"
	"fmt"
	"math"
	"sync/atomic"
	"unsafe"

	"github.com/vecdb/vecdb/internal/core"
	"github.com/vecdb/vecdb/internal/simd"
)

// degree is how many neighbors a vertex has at most on the bottom layer: as
// many as one pass of ScanBlock looks at.
const degree = simd.BlockSize

// nobody stands in an unused place of a list of neighbors.
const nobody = math.MaxUint32

// noOrd is the ordinal of a slot without a vector.
const noOrd = math.MaxUint32

// layout tells where the parts of a vertex lie. All that a step of a search
// reads is one block of consecutive cache lines:
//
//	codes of its own vector   dim bytes, 8 bits a dimension
//	slots of its neighbors    32 × 4 bytes
//	factors of its neighbors  2 × 32 × 2 bytes  (not if Compact)
//	signs of its neighbors    32 × dim bits     (not if Compact)
//
// If Disk, the block has codes of two bits instead of those of eight, which lie
// in a record in front of the fine codes: see twobits.go.
type layout struct {
	dim       int     // padded
	twoBits   bool    // whether a block begins with codes of two bits
	estimate  uintptr // offsets in a block, in bytes
	ids       uintptr
	factors   uintptr
	signs     uintptr
	stride    uintptr // bytes a block
	groups    int     // of four dimensions
	withSigns bool    // whether there are factors and signs
	fineLen   int     // bytes of fine codes a vertex and what lies with them, 0 for none
	lowsAt    int     // where the fine codes begin in there
	lowsLen   int     // and how many bytes they are
	exact     bool    // the fine codes are the vector itself, in floats
}

// exactUpTo is the dimension up to which vectors are kept in floats: few
// dimensions tell near vectors apart by their last bits only.
const exactUpTo = 64

func newLayout(dim int, o Options) layout {
	l := layout{dim: dim, ids: uintptr(dim), groups: dim / 4, exact: dim <= exactUpTo}
	if o.Disk && !l.exact {
		return l.onDisk()
	}
	l.factors = l.ids + 4*degree
	l.signs = l.factors + 4*degree
	if l.stride = l.factors; !o.Compact && !o.Disk {
		l.withSigns = true
		l.stride = l.signs + uintptr(16*l.groups)
		l.fineLen = dim / 2
	}
	if l.exact {
		l.fineLen = 4 * dim
	}
	l.lowsLen = l.fineLen
	return l
}

// meta is what is known of a vertex besides its block. Distances are computed
// between what codes stand for, with the lengths of that: then those of near
// vectors are nearly exact, as most of the rounding cancels out.
type meta struct {
	step  float32 // what one of its codes is worth
	norm2 float32 // squared length of what its 8-bit codes stand for
	full2 float32 // squared length of its vector
	total int32   // sum of its codes as signed numbers
	ord   uint32  // read and written atomically; noOrd once it is deleted
	up    uint32  // the parent and marks, read and written atomically
}

const metaLen = int(unsafe.Sizeof(meta{}))

// slab is the memory of the vertices.
type slab struct {
	layout
	blocks, metas, fines *arena
	block0, meta0, fine0 unsafe.Pointer
	codes0               unsafe.Pointer // of the 8-bit codes, which lie in blocks or records
	codesStride          uintptr
	max                  int // vertices that fit
}

// Addresses are reserved for maxSlots vertices, or for fewer so that the blocks
// take no more than maxReserve bytes, and all parts together no more than a share
// of the addresses that the process may have.
const (
	maxSlots     = unlinked
	maxReserve   = 1 << 36
	reserveShare = 8
	leastSlots   = 1 << 10
)

func newSlab(l layout, folder string) (*slab, error) {
	s := &slab{layout: l}
	vertex := int(l.stride) + metaLen + l.fineLen
	n := min(maxSlots, maxReserve/int(l.stride), max(leastSlots, addresses()/reserveShare/vertex))
	for _, part := range []struct {
		arena  **arena
		size   int
		onDisk bool
	}{{&s.blocks, int(l.stride), false}, {&s.metas, metaLen, false}, {&s.fines, l.fineLen, l.twoBits}} {
		a, err := newArena(n*part.size, leastSlots*part.size)
		if err == nil && part.onDisk {
			err = a.onDisk(folder)
		}
		if err != nil {
			a.close()
			s.close()
			return nil, err
		}
		*part.arena = a
		if part.size > 0 {
			n = min(n, a.cap()/part.size)
		}
	}
	s.max = n
	s.block0, s.meta0, s.fine0 = s.blocks.base(), s.metas.base(), s.fines.base()
	if s.codes0, s.codesStride = s.block0, s.stride; l.twoBits {
		s.codes0, s.codesStride = s.fine0, uintptr(l.fineLen)
	}
	return s, nil
}

// use makes room for n vertices.
func (s *slab) use(n int) error {
	if n > s.max {
		return fmt.Errorf("an index of %d dimensions holds up to %d vectors here (a higher ulimit -v allows more): %w", s.dim, s.max, core.ErrMemory)
	}
	return cmp.Or(s.blocks.use(n*int(s.stride)), s.metas.use(n*metaLen), s.fines.use(n*s.fineLen))
}

// bytes is the memory in use, but for what lies on disk.
func (s *slab) bytes() int64 {
	n := s.blocks.size() + s.metas.size() + s.fines.size()
	return int64(n) - s.diskBytes()
}

func (s *slab) close() {
	for _, a := range []*arena{s.blocks, s.metas, s.fines} {
		a.close()
	}
}

func (s *slab) block(v uint32) unsafe.Pointer { return unsafe.Add(s.block0, uintptr(v)*s.stride) }
func (s *slab) codes(v uint32) *uint8 {
	return (*uint8)(unsafe.Add(s.codes0, uintptr(v)*s.codesStride))
}
func (s *slab) meta(v uint32) *meta { return (*meta)(unsafe.Add(s.meta0, uintptr(v)*uintptr(metaLen))) }
func (s *slab) fine(v uint32) *uint8 {
	return (*uint8)(unsafe.Add(s.fine0, uintptr(v)*uintptr(s.fineLen)+uintptr(s.lowsAt)))
}

// fetchMeta makes what is known of v come into the cache.
func (s *slab) fetchMeta(v uint32) { simd.Fetch(unsafe.Pointer(s.meta(v)), metaLen) }

// neighbors is the list of v's neighbors; it is read and written atomically,
// number by number.
func (s *slab) neighbors(v uint32) *[degree]uint32 {
	return (*[degree]uint32)(unsafe.Add(s.block(v), s.ids))
}

func (s *slab) ord(v uint32) uint32 { return atomic.LoadUint32(&s.meta(v).ord) }

func (s *slab) setOrd(v, ord uint32) { atomic.StoreUint32(&s.meta(v).ord, ord) }

// highs and fines are the codes of v.
func (s *slab) highs(v uint32) []uint8 { return unsafe.Slice(s.codes(v), s.dim) }
func (s *slab) lows(v uint32) []uint8 {
	if s.lowsLen == 0 {
		return nil
	}
	return unsafe.Slice(s.fine(v), s.lowsLen)
}

// store writes a packed vector into vertex v, which has no neighbors and no
// ordinal then.
func (s *slab) store(v uint32, q *query) {
	m := s.meta(v)
	copy(s.highs(v), q.high)
	copy(s.lows(v), s.fineOf(q))
	ids := s.neighbors(v)
	for j := range ids {
		s.clearEdge(v, j)
		atomic.StoreUint32(&ids[j], nobody)
	}
	m.step, m.norm2, m.full2, m.total = q.step, q.high2, q.full2, q.total
	if s.twoBits {
		s.storeTwoBits(v, q.high, q.step)
	}
	atomic.StoreUint32(&m.up, unlinked)
	s.setOrd(v, noOrd)
}

// fineOf is what is stored of a packed vector besides its 8-bit codes.
func (s *slab) fineOf(q *query) []uint8 {
	switch {
	case s.exact:
		return unsafe.Slice((*uint8)(unsafe.Pointer(&q.rot[0])), s.lowsLen)
	case s.lowsLen == 0:
		return nil
	}
	return q.fine
}

// floats is the vector of v where it is kept exactly.
func (s *slab) floats(v uint32) []float32 {
	return unsafe.Slice((*float32)(unsafe.Add(s.fine0, uintptr(v)*uintptr(s.fineLen))), s.dim)
}

// decode returns the vector of v in the space of the index.
func (s *slab) decode(v uint32) []float32 {
	if s.exact {
		return append([]float32(nil), s.floats(v)...)
	}
	y := make([]float32, s.dim)
	high, fine, step := s.highs(v), s.lows(v), s.meta(v).step/16
	if fine == nil {
		for i := range y {
			y[i] = step * float32(16*(int32(high[i])-128))
		}
		return y
	}
	const offset = 16*128 + 8 // of both codes together
	for at := 0; at < s.dim; at += 64 {
		lo, hi := y[at:][:32], y[at+32:][:32]
		for j, both := range fine[at/2:][:32] {
			lo[j] = step * float32(16*int32(high[at+j])+int32(both&15)-offset)
			hi[j] = step * float32(16*int32(high[at+32+j])+int32(both>>4)-offset)
		}
	}
	return y
}

// equals reports whether vertex v holds just what is packed.
func (s *slab) equals(v uint32, q *query) bool {
	m := s.meta(v)
	return m.step == q.step && string(s.highs(v)) == string(q.high) && string(s.lows(v)) == string(s.fineOf(q))
}

// distance is the squared distance of the query and vertex v, from 8-bit codes
// unless the vector is kept exactly or only codes of two bits are in memory.
func (s *slab) distance(q *query, v uint32) float32 {
	switch {
	case s.exact:
		return simd.SquaredL2(q.rot, s.floats(v))
	case s.twoBits:
		return s.estimateOne(q, v)
	}
	m := s.meta(v)
	dot := simd.DotCodes(s.codes(v), &q.codes[0], s.dim) - 128*q.sum
	return max(0, q.norm2+m.norm2-2*q.scale*m.step*float32(dot))
}

// dot is the inner product of the query and vertex v by all bits stored.
func (s *slab) dot(q *query, v uint32) float32 {
	m := s.meta(v)
	if s.exact {
		return simd.Dot(q.rot, s.floats(v))
	}
	if s.lowsLen == 0 {
		return q.scale * m.step * float32(simd.DotCodes(s.codes(v), &q.codes[0], s.dim)-128*q.sum)
	}
	return m.step / 16 * simd.DotFine(&q.rot[0], s.codes(v), s.fine(v), s.dim)
}
