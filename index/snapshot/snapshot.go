// Package snapshot writes the files in which indexes are kept from one start
// to the next, and says which state of a collection such a file holds.
package snapshot

import (
	"errors"
	"os"
	"path/filepath"
)

// Mark says which state of its collection a snapshot holds.
type Mark struct {
	Seq uint64 // the last change that the index had taken
	Tag uint64 // told by the caller, for instance a hash of that change
}

// ErrSmall is what writing a snapshot returns for an index so small that it is
// made anew as fast as it could be read.
var ErrSmall = errors.New("the index is too small to be kept")

// Temp is what the name of a snapshot ends with while it is written.
const Temp = ".tmp"

// Write writes a file by the given function. It writes aside and renames, so
// that path holds the old file or the new one whatever happens.
func Write(path string, write func(*os.File) error) (err error) {
	temp := path + Temp
	f, err := os.OpenFile(temp, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(temp))
		}
	}()
	err = write(f)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err := os.Rename(temp, path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// Remove removes the snapshot at path, and what an interrupted Write has left
// of one. It is no error when there is none.
func Remove(path string) error {
	var failed error
	for _, p := range []string{path, path + Temp} {
		if err := os.Remove(p); err != nil && !errors.Is(err, os.ErrNotExist) {
			failed = errors.Join(failed, err)
		}
	}
	return failed
}
