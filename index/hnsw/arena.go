package hnsw

import (
	"fmt"
	"os"
	"sync/atomic"
	"unsafe"
)

// hugeFrom is the size from which an arena asks for huge pages: below it they
// would cost more memory than they save time.
const hugeFrom = 8 << 20

// hugePage is how long a huge page is on the most common processors.
const hugePage = 2 << 20

// arena is memory that the collector does not see: a range of addresses that is
// reserved once, so that nothing in it ever moves, and filled with pages as it
// is used.
type arena struct {
	mem  []byte
	used atomic.Int64 // bytes asked for
	open int          // bytes that may be read and written, the rest is only reserved
	file *os.File     // what is open is in there rather than in memory, if not nil
}

// openStep is what an arena is opened by, at least: each step is a call of the
// system.
const openStep = 1 << 20

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

// use makes the first n bytes usable. The error tells that the system gives no
// more memory.
func (a *arena) use(n int) error {
	if n <= a.size() {
		return nil
	}
	if n > a.open {
		to := a.step(n)
		if err := a.unlock(to); err != nil {
			return fmt.Errorf("open %d bytes of memory: %w", to-a.open, err)
		}
		a.open = to
		if a.file == nil && n >= hugeFrom {
			huge(a.mem[:to])
		}
	}
	a.used.Store(int64(n))
	return nil
}

// step returns how many bytes to open when n are to be used. Where huge pages
// are asked for it ends with one: the system gives none for a part of it.
func (a *arena) step(n int) int {
	to := (n + max(openStep, n/16) + openStep - 1) / openStep * openStep
	if a.file == nil && n >= hugeFrom {
		to += -int(uintptr(a.base())+uintptr(to)) & (hugePage - 1)
	}
	return min(len(a.mem), to)
}

func (a *arena) base() unsafe.Pointer { return unsafe.Pointer(unsafe.SliceData(a.mem)) }

// size is how many bytes are in use.
func (a *arena) size() int { return int(a.used.Load()) }

func (a *arena) cap() int { return len(a.mem) }

// unlock makes the bytes up to to usable.
func (a *arena) unlock(to int) error {
	if a.file != nil {
		return a.extend(to)
	}
	return unlock(a.mem[a.open:to])
}

// close gives the memory back. Nothing may use it any more.
func (a *arena) close() {
	if a != nil && a.mem != nil {
		release(a.mem)
		a.mem = nil
		if a.file != nil {
			_ = a.file.Close() // its name is gone already
		}
	}
}
