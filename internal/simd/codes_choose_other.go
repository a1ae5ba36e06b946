//go:build !amd64 || purego

package simd

// Only the twins in plain Go are there.
const (
	hasAVX512   = false
	hasVNNI     = false
	hasPrefetch = false
)

func scanBlockAVX512(codes, lut *uint8, groups int, factors *uint16, mul, add, base, limit float32, est *[32]float32, next *uint8, ahead int) uint32 {
	panic(absent)
}
func buildTableAVX512(q *int8, lut *uint8, groups int)       { panic(absent) }
func dotCodesVNNI(x *uint8, q *int8, n int) int32            { panic(absent) }
func dotFineAVX512(q *float32, hi, lo *uint8, n int) float32 { panic(absent) }
func dotCodesListVNNI(base *uint8, stride int, slots *uint32, count int, q *int8, n int, out *int32) {
	panic(absent)
}
func encodeEdgeAVX512(o, c *uint8, so, sc float32, n int, bits *uint8) (l1, l2, sign float32) {
	panic(absent)
}
func quantizeAVX512(x *float32, inv float32, n int, out *int8) int32        { panic(absent) }
func maxAbsAVX512(x *float32, n int) float32                                { panic(absent) }
func multiplyAVX512(x, y *float32, n int)                                   { panic(absent) }
func hadamard64AVX512(x *float32, n int, scale float32)                     { panic(absent) }
func hadamardFourAVX512(x *float32, n, h int)                               { panic(absent) }
func hadamardTwoAVX512(x *float32, h int)                                   { panic(absent) }
func prefetchList(base *uint8, stride int, slots *uint32, count, bytes int) { panic(absent) }

const absent = "simd: no such kernel in this build"
