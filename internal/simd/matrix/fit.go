package matrix

import (
	"math"
	"unsafe"
)

// VPMADDUBSW does more at once than any other multiplication of AVX2, but keeps
// the sum of two products of bytes in 16 bits. Fitted weights leave room there for
// four: those with bytes 0 and 1, or 2 and 3, of a group of 4 bytes and of the next
// one. The bytes of rows go up to 255, so that the positive ones of four such
// weights may add up to 128 at most, and the negative ones to -128.
const fittedMost = 128

// Fit returns the matrix as the kernels in use multiply fastest with it. With
// AVX2 alone that is for Int8 a copy whose weights are rounded again, to about 7
// bits, and which is not for Bytes; else it is the matrix itself.
func (m *Matrix) Fit() *Matrix {
	if m.kind != Int8 || m.fitted || !usesFitted() {
		return m
	}
	return m.fit()
}

func (m *Matrix) fit() *Matrix {
	padded, size := len(m.scale), m.kind.steps(m.in)*tileBytes
	f := &Matrix{kind: m.kind, in: m.in, out: m.out, fitted: true, scale: make([]float32, padded), sum: make([]float32, padded)}
	f.data = alignedBytes(padded / tileRows * size)
	var most, sums [tileRows]int32
	var factors [4 * tileRows]int16
	for p := 0; p < padded; p += tileRows {
		at := p / tileRows * size
		greatestSums(&m.data[at], size, &most[0])
		for o, n := range most {
			f.scale[p+o] = m.scale[p+o]
			factor := int16(math.MaxInt16) // a little less than 1, which changes no byte
			if n > fittedMost {            // Rounding adds up to ½ to each of four.
				factor = int16((fittedMost - 2) << 15 / n)
				f.scale[p+o] *= float32(1<<15) / float32(factor)
			}
			for i := range 4 {
				factors[4*o+i] = factor
			}
		}
		roundAgain(&f.data[at], &m.data[at], size, &factors[0], &sums[0])
		for o, sum := range sums {
			f.sum[p+o] = float32(sum)
		}
	}
	return f
}

// greatestSumsGeneric finds for each output of a panel the greatest sum that must
// fit.
func greatestSumsGeneric(panel *byte, n int, most *int32) {
	groups, high := unsafe.Slice((*int8)(unsafe.Pointer(panel)), n), unsafe.Slice(most, tileRows)
	clear(high)
	for ; len(groups) > 0; groups = groups[2*stepBytes:] {
		for i := 0; i < stepBytes; i += 2 {
			var plus, minus int32
			for _, w := range [4]int8{groups[i], groups[i+1], groups[stepBytes+i], groups[stepBytes+i+1]} {
				plus, minus = plus+max(int32(w), 0), minus-min(int32(w), 0)
			}
			high[i/4] = max(high[i/4], plus, minus)
		}
	}
}

// roundAgainGeneric multiplies the weights of a panel by the factors / 2^15 of
// their places in a group, and adds up those of each output.
func roundAgainGeneric(to, from *byte, n int, factors *int16, sums *int32) {
	a, b := unsafe.Slice((*int8)(unsafe.Pointer(from)), n), unsafe.Slice((*int8)(unsafe.Pointer(to)), n)
	by, total := unsafe.Slice(factors, stepBytes), unsafe.Slice(sums, tileRows)
	clear(total)
	for i, w := range a {
		at := i % stepBytes
		b[i] = int8((int32(w)*int32(by[at]) + 1<<14) >> 15)
		total[at/4] += int32(b[i])
	}
}
