//go:build !unix

package simd

import "testing"

// guarded returns n floats; guard pages need a Unix system.
func guarded(t *testing.T, n int) []float32 {
	t.Helper()
	return make([]float32, n)
}

func guardedBytes(t *testing.T, n int) []byte {
	t.Helper()
	return make([]byte, n)
}
