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

func BenchmarkBuildTable(b *testing.B) {
	eachDim(b, func(b *testing.B, n int) {
		q, lut := aligned(n), aligned(4*n)
		for b.Loop() {
			BuildTable((*int8)(unsafe.Pointer(&q[0])), &lut[0], n/4)
		}
	})
}

func BenchmarkEncodeEdge(b *testing.B) {
	eachDim(b, func(b *testing.B, n int) {
		o, c, bits := aligned(n), aligned(n), aligned(n/8)
		for b.Loop() {
			EncodeEdge(&o[0], &c[0], 0.01, 0.02, n, &bits[0])
		}
	})
}

func BenchmarkDotFine(b *testing.B) {
	eachDim(b, func(b *testing.B, n int) {
		q, hi, lo := ofBytes[float32](aligned(4*n)), aligned(n), aligned(n/2)
		for b.Loop() {
			DotFine(&q[0], &hi[0], &lo[0], n)
		}
	})
}

func BenchmarkHadamard(b *testing.B) {
	eachSet(b, func(b *testing.B) {
		for _, n := range []int{64, 128, 256, 512, 1024, 4096} {
			b.Run(fmt.Sprint(n), func(b *testing.B) {
				x := ofBytes[float32](aligned(4 * n))
				for b.Loop() {
					Hadamard(x)
				}
			})
		}
	})
}

func BenchmarkQuantize(b *testing.B) {
	eachDim(b, func(b *testing.B, n int) {
		x, out := ofBytes[float32](aligned(4*n)), ofBytes[int8](aligned(n))
		for b.Loop() {
			Quantize(&x[0], 1, n, &out[0])
		}
	})
}

func BenchmarkMaxAbs(b *testing.B) {
	eachDim(b, func(b *testing.B, n int) {
		x := ofBytes[float32](aligned(4 * n))
		for b.Loop() {
			MaxAbs(x)
		}
	})
}

func BenchmarkMultiply(b *testing.B) {
	eachDim(b, func(b *testing.B, n int) {
		x, y := ofBytes[float32](aligned(4*n)), ofBytes[float32](aligned(4*n))
		for b.Loop() {
			Multiply(x, y)
		}
	})
}
