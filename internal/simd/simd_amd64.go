//go:build !purego

package simd

import (
	"slices"
	"unsafe"

	"github.com/klauspost/cpuid/v2"
)

// The levels of the kernels for codes: at each, those instructions are used
// that the set of this level in available asks for, and no others. Level 0 is
// plain Go.
const (
	levelAVX2 = 1 + iota
	levelAVX512
	levelVNNI
	levelVBMI
)

// available returns the sets that this processor and its operating system
// support, the fastest first.
func available() []kernels {
	var (
		avx2   = []cpuid.FeatureID{cpuid.AVX, cpuid.AVX2, cpuid.FMA3, cpuid.F16C}
		avx512 = []cpuid.FeatureID{cpuid.AVX, cpuid.AVX2, cpuid.AVX512F, cpuid.AVX512BW, cpuid.AVX512DQ, cpuid.AVX512VL}
		vnni   = append(slices.Clone(avx512), cpuid.AVX512VNNI)
		vbmi   = append(slices.Clone(vnni), cpuid.AVX512VBMI, cpuid.GFNI)
	)
	var sets []kernels
	add := func(needs []cpuid.FeatureID, k kernels) {
		if cpuid.CPU.Supports(needs...) {
			sets = append(sets, k)
		}
	}
	add(vbmi, kernels{"avx512vbmi", levelVBMI, wrap(dotAVX512), wrap(l2AVX512)})
	add(vnni, kernels{"avx512vnni", levelVNNI, wrap(dotAVX512), wrap(l2AVX512)})
	add(avx512, kernels{"avx512", levelAVX512, wrap(dotAVX512), wrap(l2AVX512)})
	add(avx2, kernels{"avx2", levelAVX2, wrap(dotFMA), wrap(l2FMA)})
	add([]cpuid.FeatureID{cpuid.AVX, cpuid.FMA3}, kernels{"fma", 0, wrap(dotFMA), wrap(l2FMA)})
	return append(sets, generic)
}

func wrap(kernel func(x, y *float32, n uint64) float32) func(x, y []float32) float32 {
	return func(x, y []float32) float32 {
		return kernel(unsafe.SliceData(x), unsafe.SliceData(y), uint64(len(x)))
	}
}
