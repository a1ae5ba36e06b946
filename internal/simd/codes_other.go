//go:build !amd64 || purego

package simd

func dotCodes(x *uint8, q *int8, n int) int32 { return dotCodesGeneric(x, q, n) }

func dotCodesList(base *uint8, stride uintptr, slots []uint32, q *int8, n int, out []int32) {
	dotCodesListGeneric(base, stride, slots, q, n, out)
}

func dotTwoBitsList(base *uint8, stride uintptr, slots []uint32, q *int8, n int, out []int32) {
	dotTwoBitsListGeneric(base, stride, slots, q, n, out)
}

func scanBlock(codes, lut *uint8, groups int, factors *uint16, mul, add, base, limit float32, est *[BlockSize]float32, next *uint8, ahead int) uint32 {
	return scanBlockGeneric(codes, lut, groups, factors, mul, add, base, limit, est, next, ahead)
}

func estimateList(base *uint8, stride uintptr, slots []uint32, q *int8, words int, mul, add, origin float32, out []float32) {
	estimateListGeneric(base, stride, slots, q, words, mul, add, origin, out)
}

func buildTable(q *int8, lut *uint8, groups int) { buildTableGeneric(q, lut, groups) }

func encodeEdge(o, c *uint8, so, sc float32, n int, bits *uint8) (l1, l2, sign float32) {
	return encodeEdgeGeneric(o, c, so, sc, n, bits)
}

func dotFine(q *float32, hi, lo *uint8, n int) float32 { return dotFineGeneric(q, hi, lo, n) }

func hadamard(x []float32, scale float32) { hadamardGeneric(x, scale) }

func quantize(x *float32, inv float32, n int, out *int8) int32 {
	return quantizeGeneric(x, inv, n, out)
}

func maxAbs(x []float32) float32 { return maxAbsGeneric(x) }

func multiply(x, y []float32) { multiplyGeneric(x, y) }

func insertSorted(keys *uint64, n int, k uint64) int { return insertSortedGeneric(keys, n, k) }

func fetch(p *uint8, n int) { fetchGeneric(p, n) }
