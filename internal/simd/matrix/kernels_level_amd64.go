//go:build !purego

package matrix

import "github.com/klauspost/cpuid/v2"

// The levels of the kernels. The generator in ../_asm knows them by the same
// numbers.
const (
	levelAVX2 = 1 + iota
	levelAVXVNNI
	levelAVX512
	levelVNNI
	levelAMX
)

// needs lists the instructions that are used at a level, without AVX-512's all
// those of the levels below.
func needs(level uint8) []cpuid.FeatureID {
	features := []cpuid.FeatureID{cpuid.AVX, cpuid.AVX2, cpuid.FMA3}
	if level == levelAVXVNNI {
		return append(features, cpuid.AVXVNNI)
	}
	for _, more := range []struct {
		from     uint8
		features []cpuid.FeatureID
	}{
		{levelAVX512, []cpuid.FeatureID{cpuid.AVX512F, cpuid.AVX512BW}},
		{levelVNNI, []cpuid.FeatureID{cpuid.AVX512VNNI}},
		{levelAMX, []cpuid.FeatureID{cpuid.AVX512BF16, cpuid.AMXTILE, cpuid.AMXINT8, cpuid.AMXBF16}},
	} {
		if level >= more.from {
			features = append(features, more.features...)
		}
	}
	return features
}

// usesFitted tells whether productFitted is the fastest kernel for bytes.
func usesFitted() bool { return level == levelAVX2 }

// available returns the sets that this processor and its operating system
// support, the fastest first.
func available() []set {
	var sets []set
	for _, s := range []set{
		{"amx", levelAMX}, {"avx512vnni", levelVNNI},
		{"avx512", levelAVX512}, {"avxvnni", levelAVXVNNI}, {"avx2", levelAVX2},
	} {
		if cpuid.CPU.Supports(needs(s.level)...) && (s.level < levelAMX || tilesPermitted()) {
			sets = append(sets, s)
		}
	}
	return append(sets, set{Generic, 0})
}
