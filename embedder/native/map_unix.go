//go:build unix

package native

import (
	"os"

	"golang.org/x/sys/unix"

	"github.com/vecdb/vecdb/internal/core"
)

// mapFile maps a file for reading; several processes then share its memory. The
// file is never changed, only replaced.
func mapFile(path string) (data []byte, unmap func() error, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return nil, nil, err
	}
	if size := st.Size(); !st.Mode().IsRegular() || size < 1 || size > maxWeights {
		return nil, nil, core.ErrCorrupt
	}
	data, err = unix.Mmap(int(f.Fd()), 0, int(st.Size()), unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return nil, nil, os.NewSyscallError("mmap", err)
	}
	return data, func() error { return unix.Munmap(data) }, nil
}
