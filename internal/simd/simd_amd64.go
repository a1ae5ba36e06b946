//go:build !purego

package simd

import (
	"unsafe"

	"github.com/klauspost/cpuid/v2"
)

// The levels of the kernels for codes; level 0 is plain Go. The generator in
// _asm knows them by the same numbers.
const (
	levelAVX2 = 1 + iota
	levelAVX512
	levelVNNI
	levelVBMI
)

// needs lists the instructions that are used at a level.
func needs(level uint8) []cpuid.FeatureID {
	features := []cpuid.FeatureID{cpuid.AVX, cpuid.AVX2}
	if level == levelAVX2 {
		return append(features, cpuid.FMA3, cpuid.F16C)
	}
	features = append(features, cpuid.AVX512F, cpuid.AVX512BW)
	if level >= levelVNNI {
		features = append(features, cpuid.AVX512VNNI)
	}
	if level >= levelVBMI {
		features = append(features, cpuid.AVX512VBMI, cpuid.GFNI)
	}
	return features
}

// available returns the sets that this processor and its operating system
// support, the fastest first.
func available() []kernels {
	var sets []kernels
	for _, k := range []kernels{
		{"avx512vbmi", levelVBMI, wrap(dotAVX512), wrap(l2AVX512)},
		{"avx512vnni", levelVNNI, wrap(dotAVX512), wrap(l2AVX512)},
		{"avx512", levelAVX512, wrap(dotAVX512), wrap(l2AVX512)},
		{"avx2", levelAVX2, wrap(dotFMA), wrap(l2FMA)},
	} {
		if cpuid.CPU.Supports(needs(k.level)...) {
			sets = append(sets, k)
		}
	}
	if cpuid.CPU.Supports(cpuid.AVX, cpuid.FMA3) {
		sets = append(sets, kernels{"fma", 0, wrap(dotFMA), wrap(l2FMA)})
	}
	return append(sets, generic)
}

func wrap(kernel func(x, y *float32, n uint64) float32) func(x, y []float32) float32 {
	return func(x, y []float32) float32 {
		return kernel(unsafe.SliceData(x), unsafe.SliceData(y), uint64(len(x)))
	}
}
