package simd

import (
	"math"
	"unsafe"
)

// BlockSize is how many neighbors' codes ScanBlock looks at together.
const BlockSize = 32

// DotCodes returns Σ x[i]·q[i] of n unsigned codes and n signed ones; n is a
// multiple of 64.
func DotCodes(x *uint8, q *int8, n int) int32 { return dotCodes(x, q, n) }

// DotCodesList puts into out[i] the DotCodes of q and the n codes at
// base + slots[i]*stride, fetching ahead. The addresses are multiples of 64.
func DotCodesList(base unsafe.Pointer, stride uintptr, slots []uint32, q *int8, n int, out []int32) {
	dotCodesList((*uint8)(base), stride, slots, q, n, out[:len(slots)])
}

// DotTwoBitsList puts into out[i] the sum Σ c[j]·q[j] of the n codes of two bits,
// 0 to 3, at base + slots[i]*stride, fetching ahead. They lie 64 at a time in 16
// bytes: byte j holds the numbers j, j+16, j+32 and j+48, the first in its lowest
// bits. n is a multiple of 64.
func DotTwoBitsList(base unsafe.Pointer, stride uintptr, slots []uint32, q *int8, n int, out []int32) {
	dotTwoBitsList((*uint8)(base), stride, slots, q, n/4, out[:len(slots)])
}

// ScanBlock estimates the distances of a block of BlockSize neighbors from
// their 1-bit codes (RaBitQ, arXiv 2405.12497, looked up as in FastScan). With
// acc[j] the sum of the neighbor's table entries over all groups of four
// dimensions, est[j] = base + factors[j] + factors[32+j]·(mul·acc[j] + add),
// the factors in half precision. Bit j of the result is set where est[j] <
// limit. Meanwhile ahead bytes (a multiple of 64) from next on are fetched into
// the cache; next may be nil when ahead is 0.
//
// The codes lie group by group, 16 bytes a group: byte j holds the four bits of
// neighbor j low and those of neighbor j+16 high. groups is a multiple of 16,
// at most 1024+16.
func ScanBlock(codes, lut *uint8, groups int, factors *uint16, mul, add, base, limit float32, est *[BlockSize]float32, next unsafe.Pointer, ahead int) uint32 {
	return scanBlock(codes, lut, groups, factors, mul, add, base, limit, est, (*uint8)(next), ahead)
}

// EstimateList estimates distances from 1-bit codes as ScanBlock does, of vectors
// each of which has a row of its own, at base + slots[i]*stride: the n bits of its
// code, the first the lowest of the first byte, and behind them two factors a and b of
// 32 bits. With s the sum of the numbers whose bits are set, of those that SpreadRow
// made q of, out[i] = origin + a + b·(mul·s + add). n is a multiple of 64, at most
// RowMost. Rows to come are fetched ahead, so that they best lie in few cache lines.
func EstimateList(base unsafe.Pointer, stride uintptr, slots []uint32, q *int8, n int, mul, add, origin float32, out []float32) {
	estimateList((*uint8)(base), stride, slots, q, n/64, mul/rowUnit, add, origin, out[:len(slots)])
}

const (
	// RowMost is how many numbers EstimateList adds up at most: sums of more may not
	// fit into the 16 bits of each of its sums.
	RowMost = 34 * rowPiece

	rowPiece = 128 // bits of a row that are looked at together
	rowUnit  = 8   // as what a bit counts that is set
)

// RowLen is how many numbers SpreadRow makes of n.
func RowLen(n int) int { return (n + rowPiece - 1) / rowPiece * rowPiece }

// SpreadRow puts the numbers of q, which are from -15 to 15, into out as EstimateList
// wants them: of RowLen of them. Of 128 numbers there are first the ones at 0, 8, 16 …,
// then those at 4, 12, 20 …, then those at 1 and so on, and at 5, …; each is multiplied
// so that it is worth the same for whichever bit of a half byte is set.
func SpreadRow(q, out []int8) {
	clear(out)
	for i, x := range q {
		k := i % 4
		out[i/rowPiece*rowPiece+k*32+i%8/4*16+i%rowPiece/8] = x * (rowUnit >> k)
	}
}

// BuildTable fills the look-up table of a query for ScanBlock: entry b of group
// g is 64 + Σ ±q[4g+i] over the four bits i of b, plus where the bit is set.
// The numbers of q are from -15 to 15, so that the sum of two entries fits in a
// byte; groups is a multiple of 16.
func BuildTable(q *int8, lut *uint8, groups int) { buildTable(q, lut, groups) }

// EncodeEdge compares two vectors of n codes with the scales so and sc: with
// c[i] standing for sc·(c[i]-128), o likewise, and r = o - c, it puts the signs
// of r into bits (1 where r ≥ 0, lowest bit first, n/8 bytes) and returns
// Σ|r|, Σr² and Σ±c, plus where the bit is set. n is a multiple of 64.
func EncodeEdge(o, c *uint8, so, sc float32, n int, bits *uint8) (l1, l2, sign float32) {
	return encodeEdge(o, c, so, sc, n, bits)
}

// DotFine returns Σ q[i]·(16·(hi[i]-128) + lo[i]-8), where lo holds four bits a
// number: in each 32 bytes byte j holds number j low and number j+32 high. n is
// a multiple of 64.
func DotFine(q *float32, hi, lo *uint8, n int) float32 { return dotFine(q, hi, lo, n) }

// Hadamard applies the Walsh-Hadamard transform in place, scaled so that
// lengths stay. The length of x is a power of two.
func Hadamard(x []float32) { hadamard(x, float32(1/math.Sqrt(float64(len(x))))) }

// Quantize puts x[i]·inv, rounded to the nearest integer (ties to even) and
// clipped to ±127, into out[i] and returns the sum of what it put there. n is a
// multiple of 64.
func Quantize(x *float32, inv float32, n int, out *int8) int32 {
	return quantize(x, inv, n, out)
}

// MaxAbs returns the largest |x[i]|; 0 for no numbers.
func MaxAbs(x []float32) float32 { return maxAbs(x) }

// Multiply multiplies each number of x with the one of y, which is as long.
func Multiply(x, y []float32) {
	multiply(x, y[:len(x)])
}

// InsertSorted puts k into its place among the n keys, which ascend, behind
// those that are equal, moving the larger ones one place up, and returns the
// place. There is room for n+1 keys.
func InsertSorted(keys *uint64, n int, k uint64) int { return insertSorted(keys, n, k) }

// Fetch brings the cache lines of the n bytes (1 or more) at p into the
// second-level cache, where the processor has instructions for that. They only
// tell it what will be read: nothing happens where p cannot be read.
func Fetch(p unsafe.Pointer, n int) { fetch((*uint8)(p), n) }
