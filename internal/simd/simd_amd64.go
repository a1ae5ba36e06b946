//go:build !purego

package simd

import (
	"unsafe"

	"github.com/klauspost/cpuid/v2"
)

// available returns the sets that this processor and its operating system
// support, the fastest first.
func available() []kernels {
	var sets []kernels
	if cpuid.CPU.Supports(cpuid.AVX, cpuid.AVX512F) {
		sets = append(sets, kernels{"avx512", wrap(dotAVX512), wrap(l2AVX512)})
	}
	if cpuid.CPU.Supports(cpuid.AVX, cpuid.FMA3) {
		sets = append(sets, kernels{"fma", wrap(dotFMA), wrap(l2FMA)})
	}
	return append(sets, generic)
}

func wrap(kernel func(x, y *float32, n uint64) float32) func(x, y []float32) float32 {
	return func(x, y []float32) float32 {
		return kernel(unsafe.SliceData(x), unsafe.SliceData(y), uint64(len(x)))
	}
}
