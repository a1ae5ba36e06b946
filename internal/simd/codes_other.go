//go:build !amd64 || purego

package simd

func dotCodes(x *uint8, q *int8, n int) int32 { return dotCodesGeneric(x, q, n) }

func dotCodesList(base *uint8, stride uintptr, slots []uint32, q *int8, n int, out []int32) {
	dotCodesListGeneric(base, stride, slots, q, n, out)
}

func scanBlock(codes, lut *uint8, groups int, factors *uint16, mul, add, base, limit float32, est *[BlockSize]float32, next *uint8, ahead int) uint32 {
	return scanBlockGeneric(codes, lut, groups, factors, mul, add, base, limit, est, next, ahead)
}
