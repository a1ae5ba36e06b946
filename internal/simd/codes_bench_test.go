package simd

import (
	"fmt"
	"testing"
	"unsafe"
)

// dims are the lengths that the benchmarks run at.
var dims = []int{128, 384, 768}

func eachDim(b *testing.B, run func(b *testing.B, n int)) {
	eachSet(b, func(b *testing.B) {
		for _, n := range dims {
			b.Run(fmt.Sprint(n), func(b *testing.B) { run(b, n) })
		}
	})
}

func BenchmarkDotCodes(b *testing.B) {
	eachDim(b, func(b *testing.B, n int) {
		x, q := aligned(n), aligned(n)
		for b.Loop() {
			DotCodes(&x[0], (*int8)(unsafe.Pointer(&q[0])), n)
		}
	})
}

func BenchmarkScanBlock(b *testing.B) {
	eachDim(b, func(b *testing.B, n int) {
		codes, lut := aligned(4*n+128), aligned(4*n)
		var est [BlockSize]float32
		f := (*uint16)(unsafe.Pointer(&codes[4*n]))
		for b.Loop() {
			ScanBlock(&codes[0], &lut[0], n/4, f, 1, 2, 3, 4, &est, unsafe.Pointer(&codes[0]), 4*n+128)
		}
	})
}

func BenchmarkDotCodesList(b *testing.B) {
	eachDim(b, func(b *testing.B, n int) {
		x, q := aligned(n*16), aligned(n)
		slots := make([]uint32, 16)
		for i := range slots {
			slots[i] = uint32(i)
		}
		out := make([]int32, 16)
		for b.Loop() {
			DotCodesList(unsafe.Pointer(&x[0]), uintptr(n), slots, (*int8)(unsafe.Pointer(&q[0])), n, out)
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(slots)), "ns/slot")
	})
}
