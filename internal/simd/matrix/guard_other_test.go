//go:build !unix

package matrix

import "testing"

// guardedBytes returns n bytes; guard pages need a Unix system.
func guardedBytes(t *testing.T, n int) []byte {
	t.Helper()
	return make([]byte, n)
}
