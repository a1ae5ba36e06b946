package matrix

import "encoding/binary"

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
	for p := 0; p < padded; p += tileRows {
		at := p / tileRows * size
		factors := greatestSums(m.data[at : at+size])
		for o, most := range factors {
			factors[o] = 1 << 16
			if most > fittedMost { // Rounding adds up to ½ to each of four.
				factors[o] = (fittedMost - 2) << 16 / most
			}
		}
		for o, sum := range roundAgain(f.data[at:at+size], m.data[at:at+size], &factors) {
			f.scale[p+o] = m.scale[p+o] * (1 << 16) / float32(factors[o])
			f.sum[p+o] = float32(sum)
		}
	}
	return f
}

// The numbers that are worked on at once in a machine word.
const (
	eachByte = 0x0101010101010101 // a bit of each byte
	evenByte = 0x00ff00ff00ff00ff // the lower byte of 16 bits
	eachWord = 0x0001000100010001 // a bit of each 16 bits
)

// greatestSums finds for each output of a panel the greatest sum that must fit.
func greatestSums(panel []byte) (most [tileRows]int32) {
	var high [tileRows / 2]uint64 // two outputs in each, with two sums of 16 bits
	for ; len(panel) >= 2*stepBytes; panel = panel[2*stepBytes:] {
		groups := (*[2 * stepBytes]byte)(panel)
		for o := range high {
			aPlus, aMinus := sides(binary.LittleEndian.Uint64(groups[8*o:]))
			bPlus, bMinus := sides(binary.LittleEndian.Uint64(groups[stepBytes+8*o:]))
			high[o] = greater(high[o], greater(aPlus+bPlus, aMinus+bMinus))
		}
	}
	for o := range most {
		sums := high[o/2] >> (o % 2 * 32)
		most[o] = int32(max(sums&0xffff, sums>>16&0xffff))
	}
	return most
}

// sides adds up in each 16 bits the positive ones of two signed bytes, and the
// negative ones without their sign. No byte is -128.
func sides(x uint64) (plus, minus uint64) {
	signs := x >> 7 & eachByte
	negative := signs * 0xff
	size := x ^ negative + signs
	minus = size & negative
	plus = size ^ minus
	return plus&evenByte + plus>>8&evenByte, minus&evenByte + minus>>8&evenByte
}

// greater takes the greater of the numbers of 15 bits in each 16 bits.
func greater(a, b uint64) uint64 {
	first := ((a | eachWord<<15) - b) >> 15 & eachWord * 0xffff // where a is not less
	return a&first | b&^first
}

// roundAgain multiplies the weights of each output of a panel by its factor /
// 2^16 and returns their sums.
func roundAgain(to, from []byte, factors *[tileRows]int32) (sums [tileRows]int32) {
	for ; len(from) >= stepBytes; to, from = to[stepBytes:], from[stepBytes:] {
		a, b := (*[stepBytes]byte)(from), (*[stepBytes]byte)(to)
		for o, factor := range factors {
			for i := 4 * o; i < 4*o+4; i++ {
				w := (int32(int8(a[i]))*factor + 1<<15) >> 16
				b[i] = byte(w)
				sums[o] += w
			}
		}
	}
	return sums
}
