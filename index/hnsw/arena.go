package hnsw

import (
	"sync/atomic"
	"unsafe"
)

// hugeFrom is the size from which an arena asks for huge pages: below it they
// would cost more memory than they save time.
const hugeFrom = 8 << 20

// arena is memory that the collector does not see: a range of addresses that is
// reserved once, so that nothing in it ever moves, and filled with pages as it
// is used.
type arena struct {
	mem  []byte
	used atomic.Int64 // bytes asked for
	huge int          // bytes for which huge pages were advised
}

// newArena reserves room for size bytes or, where the system does not grant
// that, for less.
func newArena(size, least int) (*arena, error) {
	if size == 0 {
		return &arena{}, nil
	}
	mem, err := reserve(size, least)
	if err != nil {
		return nil, err
	}
	return &arena{mem: mem}, nil
}

// use makes the first n bytes usable.
func (a *arena) use(n int) {
	if n <= a.size() {
		return
	}
	a.used.Store(int64(n))
	if n >= hugeFrom && n > a.huge {
		a.huge = min(len(a.mem), n+n/8)
		huge(a.mem[:a.huge])
	}
}

func (a *arena) base() unsafe.Pointer { return unsafe.Pointer(unsafe.SliceData(a.mem)) }

// size is how many bytes are in use.
func (a *arena) size() int { return int(a.used.Load()) }

func (a *arena) cap() int { return len(a.mem) }

// close gives the memory back. Nothing may use it any more.
func (a *arena) close() {
	if a != nil && a.mem != nil {
		release(a.mem)
		a.mem = nil
	}
}
