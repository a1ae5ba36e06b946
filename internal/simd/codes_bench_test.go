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

func BenchmarkDotTwoBitsList(b *testing.B) {
	eachDim(b, func(b *testing.B, n int) {
		x, q := aligned(n*16/4), aligned(n)
		slots := make([]uint32, 16)
		for i := range slots {
			slots[i] = uint32(i)
		}
		out := make([]int32, 16)
		for b.Loop() {
			DotTwoBitsList(unsafe.Pointer(&x[0]), uintptr(n/4), slots, (*int8)(unsafe.Pointer(&q[0])), n, out)
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

// scattered returns memory far larger than the caches and random places in it,
// multiples of stride.
func scattered(stride int) (mem []byte, places []int) {
	const size = 1 << 29
	mem = aligned(size)
	for i := 0; i < size; i += 4096 {
		mem[i] = 1
	}
	rng := newRand()
	places = make([]int, 1<<16)
	for i := range places {
		places[i] = rng.IntN(size/stride) * stride
	}
	return mem, places
}

func BenchmarkScanBlockFromMemory(b *testing.B) {
	const n = 384
	const size = 4*n + 128
	lut := aligned(4 * n)
	var est [BlockSize]float32
	mem, places := scattered(size + 128)
	for _, ahead := range []int{0, size} {
		b.Run(fmt.Sprintf("%d/%d bytes ahead", n, ahead), func(b *testing.B) {
			for i := 0; b.Loop(); i++ {
				block := mem[places[i%len(places)]:]
				next := mem[places[(i+1)%len(places)]:]
				ScanBlock(&block[0], &lut[0], n/4, (*uint16)(unsafe.Pointer(&block[4*n])), 1, 2, 3, 4, &est, unsafe.Pointer(&next[0]), ahead)
			}
		})
	}
}

func BenchmarkDotCodesFromMemory(b *testing.B) {
	const n, count = 384, 32
	q, out := ofBytes[int8](aligned(n)), make([]int32, count)
	mem, places := scattered(n)
	slots := make([]uint32, len(places))
	for i := range slots {
		slots[i] = uint32(places[i] / n)
	}
	perSlot := func(b *testing.B) {
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*count), "ns/slot")
	}
	b.Run("one by one", func(b *testing.B) {
		for i := 0; b.Loop(); i += count {
			for j := range out {
				out[j] = DotCodes(&mem[places[(i+j)%len(slots)]], &q[0], n)
			}
		}
		perSlot(b)
	})
	b.Run("list", func(b *testing.B) {
		for i := 0; b.Loop(); i += count {
			DotCodesList(unsafe.Pointer(&mem[0]), n, slots[i%len(slots):][:count], &q[0], n, out)
		}
		perSlot(b)
	})
}
