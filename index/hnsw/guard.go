package hnsw

import (
	"fmt"
	"runtime/debug"
	"sync"

	"github.com/vecdb/vecdb/internal/core"
)

// guard turns faults on pages of a mapped snapshot, which come when its file is
// cut or the disk cannot read it, into errors. Without one the process would be
// killed.
type guard struct {
	once   sync.Once
	broken chan struct{} // closed at the first fault
}

// Broken returns a channel that is closed when a part of the snapshot that the
// index came from could not be read. Its answers are then incomplete, or
// errors that match core.ErrCorrupt, and it should be made anew.
func (x *Index) Broken() <-chan struct{} {
	if x.guard == nil {
		return nil
	}
	return x.guard.broken
}

func newGuard() *guard { return &guard{broken: make(chan struct{})} }

// run calls do and returns its error, or one that matches core.ErrCorrupt when
// a page could not be read. Where g is nil, nothing is mapped.
func (g *guard) run(do func() error) (err error) {
	if g == nil {
		return do()
	}
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		switch r := recover().(type) {
		case nil:
		case interface{ Addr() uintptr }: // what a fault panics with
			g.once.Do(func() { close(g.broken) })
			err = fmt.Errorf("the file of the index was cut or cannot be read (%v), the index has to be made anew: %w", r, core.ErrCorrupt)
		default:
			panic(r)
		}
	}()
	return do()
}
