package simd

import (
	"math"
	"math/bits"
	"unsafe"
)

// dotCodesGeneric: Σ x[i]·q[i].
func dotCodesGeneric(x *uint8, q *int8, n int) int32 {
	xs, qs := unsafe.Slice(x, n), unsafe.Slice(q, n)
	var sum int32
	for i, v := range xs {
		sum += int32(v) * int32(qs[i])
	}
	return sum
}

// dotCodesListGeneric: out[i] = dotCodes(base + slots[i]*stride, q).
func dotCodesListGeneric(base *uint8, stride uintptr, slots []uint32, q *int8, n int, out []int32) {
	for i, s := range slots {
		out[i] = dotCodesGeneric((*uint8)(unsafe.Add(unsafe.Pointer(base), uintptr(s)*stride)), q, n)
	}
}

// dotTwoBitsListGeneric: out[i] = Σ c[j]·q[j] of n bytes of codes. A byte's codes
// and what they are multiplied with lie 16 apart.
func dotTwoBitsListGeneric(base *uint8, stride uintptr, slots []uint32, q *int8, n int, out []int32) {
	qs := unsafe.Slice((*[64]int8)(unsafe.Pointer(q)), n/16)
	for i, s := range slots {
		codes := unsafe.Slice((*[16]uint8)(unsafe.Add(unsafe.Pointer(base), uintptr(s)*stride)), n/16)
		var sum int32
		for g := range codes {
			part := &qs[g]
			for j, c := range codes[g] {
				sum += int32(c&3)*int32(part[j]) + int32(c>>2&3)*int32(part[j+16]) + int32(c>>4&3)*int32(part[j+32]) + int32(c>>6)*int32(part[j+48])
			}
		}
		out[i] = sum
	}
}

// scanBlockGeneric estimates 32 distances from 1-bit codes. It fetches nothing
// ahead, for which plain Go has no means.
func scanBlockGeneric(codes, lut *uint8, groups int, factors *uint16, mul, add, base, limit float32, est *[BlockSize]float32, _ *uint8, _ int) uint32 {
	// As arrays of 16, which need no checks of bounds.
	cs, ls := unsafe.Slice((*[16]uint8)(unsafe.Pointer(codes)), groups), unsafe.Slice((*[16]uint8)(unsafe.Pointer(lut)), groups)
	var acc [BlockSize]uint32
	for g := range cs {
		code, table := &cs[g], &ls[g]
		for j, c := range code {
			acc[j] += uint32(table[c&15])
			acc[j+16] += uint32(table[c>>4])
		}
	}
	f := unsafe.Slice(factors, 2*BlockSize)
	var mask uint32
	for j := range est {
		s := mul*float32(acc[j]) + add
		est[j] = base + half(f[j]) + half(f[BlockSize+j])*s
		if est[j] < limit {
			mask |= 1 << j
		}
	}
	return mask
}

// estimateListGeneric estimates distances from 1-bit codes in rows. As in the tables of
// ScanBlock the sums of four numbers are looked up.
func estimateListGeneric(base *uint8, stride uintptr, slots []uint32, q *int8, words int, mul, add, origin float32, out []float32) {
	tables := make([][16]int16, 16*words)
	qs := unsafe.Slice(q, RowLen(64*words))
	for g := range tables {
		first := g/32*rowPiece + g%2*16 + g%32/2
		for nibble := 1; nibble < 16; nibble++ {
			k := bits.TrailingZeros(uint(nibble))
			tables[g][nibble] = tables[g][nibble&(nibble-1)] + int16(qs[first+32*k])<<k
		}
	}
	for i, s := range slots {
		row := unsafe.Add(unsafe.Pointer(base), uintptr(s)*stride)
		var sum int32
		for j, b := range unsafe.Slice((*uint8)(row), 8*words) {
			sum += int32(tables[2*j][b&15]) + int32(tables[2*j+1][b>>4])
		}
		f := (*[2]float32)(unsafe.Add(row, 8*words))
		out[i] = origin + f[0] + f[1]*(mul*float32(sum)+add)
	}
}

// buildTableGeneric fills the look-up table of a query.
func buildTableGeneric(q *int8, lut *uint8, groups int) {
	qs, ls := unsafe.Slice(q, groups*4), unsafe.Slice(lut, groups*16)
	for g := range groups {
		for nibble := range 16 {
			sum := 64
			for b := range 4 {
				if nibble>>b&1 == 1 {
					sum += int(qs[g*4+b])
				} else {
					sum -= int(qs[g*4+b])
				}
			}
			ls[g*16+nibble] = uint8(sum)
		}
	}
}

// encodeEdgeGeneric: signs and sums of r = so·(o-128) - sc·(c-128). It adds up
// one after the other, for which 32 bits are too few.
func encodeEdgeGeneric(o, c *uint8, so, sc float32, n int, bits *uint8) (l1, l2, sign float32) {
	os, cs, bs := unsafe.Slice(o, n), unsafe.Slice(c, n), unsafe.Slice(bits, n/8)
	clear(bs)
	var sum1, sum2, sumSign float64
	for i, v := range os {
		// The conversions keep the compiler from fusing, so that every processor
		// finds the same signs.
		cv := float32(sc * float32(int(cs[i])-128))
		r := float32(so*float32(int(v)-128)) - cv
		sum2 += float64(r) * float64(r)
		if r >= 0 {
			bs[i/8] |= 1 << (i % 8)
			sum1 += float64(r)
			sumSign += float64(cv)
		} else {
			sum1 -= float64(r)
			sumSign -= float64(cv)
		}
	}
	return float32(sum1), float32(sum2), float32(sumSign)
}

// dotFineGeneric: Σ q[i]·(16·(hi[i]-128) + lo[i] - 8), lo in nibbles, added up
// as in encodeEdgeGeneric.
func dotFineGeneric(q *float32, hi, lo *uint8, n int) float32 {
	qs, hs, ls := unsafe.Slice(q, n), unsafe.Slice(hi, n), unsafe.Slice(lo, n/2)
	var sum float64
	for i, x := range qs {
		// Within 64 numbers, byte i%32 holds number i low and number i+32 high.
		b := ls[i/64*32+i%32]
		nib := int(b & 15)
		if i%64 >= 32 {
			nib = int(b >> 4)
		}
		sum += float64(x) * float64(16*(int(hs[i])-128)+nib-8)
	}
	return float32(sum)
}

// hadamardGeneric applies the Walsh-Hadamard transform and multiplies by scale.
func hadamardGeneric(x []float32, scale float32) {
	for h := 1; h < len(x); h *= 2 {
		for i := 0; i < len(x); i += 2 * h {
			for j := i; j < i+h; j++ {
				a, b := x[j], x[j+h]
				x[j], x[j+h] = a+b, a-b
			}
		}
	}
	for i := range x {
		x[i] *= scale
	}
}

// quantizeGeneric: out[i] = round(x[i]·inv), and their sum.
func quantizeGeneric(x *float32, inv float32, n int, out *int8) int32 {
	xs, os := unsafe.Slice(x, n), unsafe.Slice(out, n)
	var sum int32
	for i, v := range xs {
		c := int32(math.RoundToEven(float64(max(-127, min(127, v*inv)))))
		os[i] = int8(c)
		sum += c
	}
	return sum
}

// maxAbsGeneric: the largest |x[i]|.
func maxAbsGeneric(x []float32) float32 {
	var m float32
	for _, v := range x {
		m = max(m, v, -v)
	}
	return m
}

// multiplyGeneric: x[i] *= y[i].
func multiplyGeneric(x, y []float32) {
	y = y[:len(x)]
	for i := range x {
		x[i] *= y[i]
	}
}

// half converts an IEEE 754 half-precision number.
func half(h uint16) float32 {
	sign, exp, frac := uint32(h>>15)<<31, uint32(h>>10&31), uint32(h&1023)
	switch exp {
	case 0:
		f := float32(frac) / (1 << 24)
		return math.Float32frombits(math.Float32bits(f) | sign)
	case 31:
		return math.Float32frombits(sign | 0xff<<23 | frac<<13)
	}
	return math.Float32frombits(sign | (exp+112)<<23 | frac<<13)
}

// insertSortedGeneric looks for the place by halves.
func insertSortedGeneric(keys *uint64, n int, k uint64) int {
	ks := unsafe.Slice(keys, n+1)
	lo, hi := 0, n
	for lo < hi {
		if mid := int(uint(lo+hi) >> 1); ks[mid] <= k {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	copy(ks[lo+1:], ks[lo:n])
	ks[lo] = k
	return lo
}

// fetchGeneric does nothing: plain Go has no means to.
func fetchGeneric(*uint8, int) {}
