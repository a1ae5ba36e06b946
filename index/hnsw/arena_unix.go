//go:build unix

package hnsw

import (
	"fmt"
	"math"

	"golang.org/x/sys/unix"

	"github.com/vecdb/vecdb/internal/core"
)

// reserve asks the system for addresses without memory behind them: for size or,
// where it does not grant that, for a quarter of what it grants, as others need
// some too. They are locked: so they count neither as memory nor, where the
// system promises no more memory than it has, as a promise.
func reserve(size, least int) ([]byte, error) {
	for most := size; ; size /= 2 {
		mem, err := unix.Mmap(-1, 0, size, unix.PROT_NONE, unix.MAP_PRIVATE|unix.MAP_ANON|unix.MAP_NORESERVE)
		switch {
		case err != nil && size/2 < least:
			return nil, fmt.Errorf("reserve %d bytes of addresses: %w: %w", size, core.ErrMemory, err)
		case err != nil:
		case size < most && size/4 >= least:
			release(mem)
			size, most = size/2, 0 // and half of that
		default:
			return mem, nil
		}
	}
}

// unlock makes a part of what was reserved usable. Pages come when they are
// first written.
func unlock(mem []byte) error { return unix.Mprotect(mem, unix.PROT_READ|unix.PROT_WRITE) }

func release(mem []byte) { _ = unix.Munmap(mem) }

// addresses returns how many bytes of addresses the process may have, as
// ulimit -v sets it.
func addresses() int {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_AS, &limit); err != nil || limit.Cur > math.MaxInt {
		return math.MaxInt
	}
	return int(limit.Cur)
}
