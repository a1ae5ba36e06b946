package hnsw

import (
	"math"
	"unsafe"

	"github.com/vecdb/vecdb/internal/simd"
)

const halfInf = 0x7c00

func at8(p unsafe.Pointer, off uintptr) *uint8   { return (*uint8)(unsafe.Add(p, off)) }
func at16(p unsafe.Pointer, off uintptr) *uint16 { return (*uint16)(unsafe.Add(p, off)) }

func (s *slab) factor(v uint32, j int) (a, b *uint16) {
	p := unsafe.Add(s.block(v), s.factors)
	return at16(p, uintptr(2*j)), at16(p, uintptr(2*(degree+j)))
}

// clearEdge makes the estimate of place j infinite, so that no search looks at
// it.
func (s *slab) clearEdge(v uint32, j int) {
	if s.withSigns {
		a, b := s.factor(v, j)
		*a, *b = halfInf, 0
	}
}

// encodeEdge writes what ScanBlock needs to estimate the distance of place j,
// where vertex o is to stand, when a search comes by vertex v.
//
// With c the vector of v, o of the neighbor, r = o - c and s its signs, RaBitQ
// (arXiv 2405.12497) estimates <q-c, r> by |r|²/<s,r>·<s, q-c>, so that
//
//	|q-o|² = |q-c|² + |r|² - 2<q-c, r> = |q-c|² + (|r|² + 2f·<s,c>) - 2f·<s,q>
//
// with f = |r|²/<s,r>, and only <s,q> depends on the query. Lengths are about 1
// in the space of the index, which keeps all that in the range of half
// precision.
func (s *slab) encodeEdge(v uint32, j int, o uint32, bits []uint8) {
	if !s.withSigns {
		return
	}
	a, b := s.factor(v, j)
	*a, *b = s.edgeFactors(v, o, bits)
	putSigns(unsafe.Slice(at8(s.block(v), s.signs), s.signsLen()), j, bits)
}

// signsLen is how many bytes the signs of a block take.
func (s *slab) signsLen() int { return 16 * s.groups }

// putSigns writes the signs in bits to place j of a block.
func putSigns(block []uint8, j int, bits []uint8) {
	shift, keep := 0, uint8(0xf0)
	if j >= 16 {
		shift, keep = 4, 0x0f
	}
	at := j & 15
	for _, two := range bits {
		block[at] = block[at]&keep | (two&15)<<shift
		block[at+16] = block[at+16]&keep | (two>>4)<<shift
		at += 32
	}
}

// edgeFactors puts the signs of the edge from v to o into bits and returns its
// factors in half precision.
func (s *slab) edgeFactors(v, o uint32, bits []uint8) (a, b uint16) {
	l1, l2, sign := simd.EncodeEdge(s.codes(o), s.codes(v), s.meta(o).step, s.meta(v).step, s.dim, &bits[0])
	return factorsOf(l1, l2, sign)
}

// factorsOf returns the factors of an edge by what EncodeEdge tells of it.
func factorsOf(l1, l2, sign float32) (a, b uint16) {
	x, y := exactFactorsOf(l1, l2, sign)
	return toHalf(x), toHalf(y)
}

// exactFactorsOf is factorsOf in full precision.
func exactFactorsOf(l1, l2, sign float32) (a, b float32) {
	f := float32(0)
	if l1 > 0 {
		f = l2 / l1
	}
	return l2 + 2*f*sign, -2 * f
}

// toHalf converts to half precision, to the largest finite number where x is
// too large.
func toHalf(x float32) uint16 {
	b := math.Float32bits(x)
	sign := uint16(b >> 16 & 0x8000)
	b &= 0x7fffffff
	switch {
	case b >= 0x477ff000:
		return sign | 0x7bff
	case b < 0x38800000: // subnormal
		return sign | uint16(math.Float32frombits(b)*(1<<24)+0.5)
	}
	b += 0xfff + (b >> 13 & 1)
	return sign | uint16((b-0x38000000)>>13)
}
