//go:build !purego

package simd

import (
	"os"

	"github.com/klauspost/cpuid/v2"
)

// Which of the kernels on codes this processor runs. Env turns them off by the
// name of a lesser set.
var (
	hasAVX512   = chosen.name == "avx512" && cpuid.CPU.Supports(cpuid.AVX512F, cpuid.AVX512BW, cpuid.AVX512DQ, cpuid.AVX512VL)
	hasVNNI     = hasAVX512 && cpuid.CPU.Supports(cpuid.AVX512VNNI)
	hasPrefetch = os.Getenv(Env) != generic.name
)
