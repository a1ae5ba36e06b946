//go:build !unix

package hnsw

import "math"

// reserveMost is how much memory is taken where addresses cannot be reserved
// without memory.
const reserveMost = 1 << 28

func reserve(size, least int) ([]byte, error) {
	return make([]byte, max(least, min(size, reserveMost))), nil
}

func unlock([]byte) error { return nil }

func release([]byte) {}

func addresses() int { return math.MaxInt }
