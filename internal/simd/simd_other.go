//go:build !amd64 || purego

package simd

// available returns the sets that this build has.
func available() []kernels { return []kernels{generic} }
