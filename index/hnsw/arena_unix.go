//go:build unix

package hnsw

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// reserve asks the system for addresses without memory behind them, for as many
// halves of size as it grants. Pages come when they are first written.
func reserve(size, least int) ([]byte, error) {
	for {
		mem, err := unix.Mmap(-1, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON|unix.MAP_NORESERVE)
		if err == nil {
			return mem, nil
		}
		if size /= 2; size < least {
			return nil, fmt.Errorf("reserve %d bytes of addresses: %w", 2*size, err)
		}
	}
}

func release(mem []byte) { _ = unix.Munmap(mem) }
