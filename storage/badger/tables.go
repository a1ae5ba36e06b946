package badger

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/options"
	"github.com/dgraph-io/badger/v4/table"
	"golang.org/x/sys/unix"

	"github.com/vecdb/vecdb/internal/core"
)

// checkTables returns an error that matches core.ErrCorrupt when a table of the
// directory cannot be opened. Badger opens them in goroutines of its own, where one
// that is cut ends the process. Where another process has the directory open, which
// Badger tells, nothing is checked.
func checkTables(dir string) error {
	lock, err := os.Open(dir)
	if err != nil {
		return translate(err)
	}
	defer lock.Close() // which ends the lock
	if unix.Flock(int(lock.Fd()), unix.LOCK_SH|unix.LOCK_NB) != nil {
		return nil
	}
	f, err := os.Open(filepath.Join(dir, badger.ManifestFilename))
	if errors.Is(err, fs.ErrNotExist) {
		return nil // it is a new one
	}
	if err != nil {
		return translate(err)
	}
	defer f.Close()
	m, _, err := badger.ReplayManifestFile(f, 0, badger.DefaultOptions(dir))
	if err != nil {
		return nil // Badger reads it again and tells
	}
	for id, t := range m.Tables {
		if err := checkTable(table.NewFilename(id, dir), id, t.Compression); err != nil {
			return err
		}
	}
	return nil
}

// checkTable opens a table as Badger does: its index, and the last block.
func checkTable(path string, id uint64, c options.CompressionType) (err error) {
	damaged := fmt.Errorf("%w: the table %s is cut or damaged, or gone; restore the directory from a copy", core.ErrCorrupt, filepath.Base(path))
	defer func() {
		if p := recover(); p != nil { // it holds a dump of the index
			err = damaged
		}
	}()
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("%w: %w", damaged, err)
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return err
	}
	data, err := unix.Mmap(int(f.Fd()), 0, int(st.Size()), unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return fmt.Errorf("%w: %w", damaged, err)
	}
	defer func() { err = errors.Join(err, unix.Munmap(data)) }()
	o := badger.DefaultOptions("")
	if _, err := table.OpenInMemoryTable(data, id, &table.Options{Compression: c, BlockSize: o.BlockSize}); err != nil {
		return fmt.Errorf("%w: %w", damaged, err)
	}
	return nil
}
