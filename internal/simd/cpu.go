package simd

import (
	"runtime"

	"github.com/klauspost/cpuid/v2"
)

// CPU returns the name of the processor's model, or its architecture where the
// processor does not tell.
func CPU() string {
	if cpuid.CPU.BrandName != "" {
		return cpuid.CPU.BrandName
	}
	return runtime.GOARCH
}
