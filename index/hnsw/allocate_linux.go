package hnsw

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// allocate makes room on the disk for n bytes of a file from off on, where the
// file system can, so that it is not found full when they are written.
func allocate(f *os.File, off, n int64) error {
	for {
		err := unix.Fallocate(int(f.Fd()), 0, off, n)
		switch {
		case errors.Is(err, unix.EINTR):
		case errors.Is(err, unix.EOPNOTSUPP), errors.Is(err, unix.ENOSYS):
			return f.Truncate(off + n)
		default:
			return err
		}
	}
}

// discard gives the first n bytes of a file back to the disk, where it can.
func discard(f *os.File, n int64) {
	if n > 0 {
		_ = unix.Fallocate(int(f.Fd()), unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, 0, n)
	}
}
