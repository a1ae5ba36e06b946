//go:build unix

package hnsw

import (
	"errors"
	"fmt"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/vecdb/vecdb/internal/core"
)

// canMap tells that files can be mapped here.
const canMap = true

// onDisk makes the arena, of which nothing is in use, one of a new file without
// a name in a folder: the system writes its pages there and takes their memory
// when it needs it.
func (a *arena) onDisk(folder string) error {
	if folder != "" {
		if err := os.MkdirAll(folder, 0o755); err != nil {
			return err
		}
	}
	f, err := os.CreateTemp(folder, "vectors-*.tmp")
	if err != nil {
		return fmt.Errorf("make a file for vectors: %w", err)
	}
	if err := os.Remove(f.Name()); err != nil {
		return errors.Join(err, f.Close())
	}
	a.file = f
	return nil
}

// extend makes the bytes up to to usable, with room on the disk for them.
func (a *arena) extend(to int) error {
	err := allocate(a.file, int64(a.open), int64(to-a.open))
	if errors.Is(err, unix.ENOSPC) {
		return fmt.Errorf("make room for vectors: %w: %w", core.ErrFull, err)
	}
	if err != nil {
		return fmt.Errorf("make room for vectors: %w", err)
	}
	return a.mapFile(a.file, int64(a.open), a.open, to-a.open, unix.MAP_SHARED)
}

// mapFile puts n bytes of a file from off on at place at of the arena, and says
// that they will be read here and there.
func (a *arena) mapFile(f *os.File, off int64, at, n, kind int) error {
	_, err := unix.MmapPtr(int(f.Fd()), off, unsafe.Add(a.base(), at), uintptr(n), unix.PROT_READ|unix.PROT_WRITE, kind|unix.MAP_FIXED)
	if err != nil {
		return os.NewSyscallError("mmap", err)
	}
	if a.file != nil {
		_ = unix.Madvise(a.mem[at:at+n], unix.MADV_RANDOM)
	}
	return nil
}

// pages is how many bytes the pages have that n bytes lie in.
func pages(n int) int {
	size := os.Getpagesize()
	return (n + size - 1) / size * size
}

// moveTo puts the n bytes of a file from off on, which are what the first n bytes
// of the arena are, in their place. Who reads them meanwhile sees no difference.
func (a *arena) moveTo(path string, off int64, n int) {
	if a.file == nil || n == 0 || os.Getpagesize() > sectionAlign {
		return
	}
	f, err := os.Open(path)
	if err != nil {
		return // all is as good where it is
	}
	defer func() { _ = f.Close() }() // it was only read
	if a.mapFile(f, off, 0, n, unix.MAP_PRIVATE) == nil {
		release := int64(n / os.Getpagesize() * os.Getpagesize())
		discard(a.file, release)
	}
}

// announce tells the system that bytes of the arena will be read.
func (a *arena) announce(at, n int) {
	first := at / os.Getpagesize() * os.Getpagesize()
	_ = unix.Madvise(a.mem[first:at+n], unix.MADV_WILLNEED)
}

// inOrder tells the system that all of an arena in a file will be read in order,
// and the function returned that this is over.
func (a *arena) inOrder() (done func()) {
	if a.file == nil || a.size() == 0 {
		return func() {}
	}
	_ = unix.Madvise(a.mem[:a.size()], unix.MADV_SEQUENTIAL)
	return func() { _ = unix.Madvise(a.mem[:a.size()], unix.MADV_RANDOM) }
}
