//go:build !unix

package hnsw

// reserveMost is how much memory is taken where addresses cannot be reserved
// without memory.
const reserveMost = 1 << 28

func reserve(size, least int) ([]byte, error) {
	return make([]byte, max(least, min(size, reserveMost))), nil
}

func release([]byte) {}
