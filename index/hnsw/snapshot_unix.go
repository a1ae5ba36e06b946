//go:build unix

package hnsw

import (
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// fill puts n bytes of the file from off on at the beginning of the arena,
// without reading them: pages come when they are first looked at, and are
// copied when they are first written.
func (a *arena) fill(f *os.File, off int64, n int) error {
	if n == 0 {
		return nil
	}
	if os.Getpagesize() > sectionAlign {
		return a.read(f, off, n)
	}
	if a.file != nil { // of which only what comes later is needed
		a.open = pages(n)
	}
	if err := a.use(n); err != nil {
		return err
	}
	return a.mapFile(f, off, 0, n, unix.MAP_PRIVATE)
}

// prefetch tells the system that the first n bytes of the arena will be looked
// at.
func (a *arena) prefetch(n int) {
	if n > 0 {
		_ = unix.Madvise(unsafe.Slice((*byte)(a.base()), n), unix.MADV_WILLNEED)
	}
}
