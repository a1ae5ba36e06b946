package badger_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vecdb/vecdb/internal/core"
	"github.com/vecdb/vecdb/storage"
	"github.com/vecdb/vecdb/storage/badger"
	"github.com/vecdb/vecdb/storage/storagetest"
)

func open(t *testing.T, dir string, o badger.Options) *badger.Engine {
	t.Helper()
	e, err := badger.Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}

func TestConformance(t *testing.T) {
	dirs := make(map[storage.Engine]string)
	storagetest.Run(t, storagetest.Suite{
		New: func(t *testing.T) storage.Engine {
			dir := t.TempDir()
			e := open(t, dir, badger.Options{})
			dirs[e] = dir
			return e
		},
		Reopen: func(t *testing.T, old storage.Engine) storage.Engine {
			if err := old.Close(); err != nil {
				t.Fatal(err)
			}
			e := open(t, dirs[old], badger.Options{})
			dirs[e] = dirs[old]
			return e
		},
	})
}

func TestASecondOpenIsLockedOut(t *testing.T) {
	dir := t.TempDir()
	open(t, dir, badger.Options{})
	_, err := badger.Open(dir, badger.Options{})
	if !errors.Is(err, core.ErrLocked) || !strings.Contains(err.Error(), dir) {
		t.Errorf("the second open gives %v, want ErrLocked with the directory", err)
	}
}

func TestForeignPlacesAreRefused(t *testing.T) {
	foreign := t.TempDir()
	if err := os.WriteFile(filepath.Join(foreign, "thesis.tex"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := badger.Open(foreign, badger.Options{}); !errors.Is(err, core.ErrInvalid) {
		t.Errorf("a folder with other files gives %v, want ErrInvalid", err)
	}
	if _, err := badger.Open(filepath.Join(foreign, "thesis.tex"), badger.Options{}); err == nil {
		t.Error("a file is opened as a database")
	}
	if _, err := badger.Open(filepath.Join(foreign, "none"), badger.Options{ReadOnly: true}); err == nil {
		t.Error("a directory that is not there is opened for reading")
	}
}

func TestReadOnly(t *testing.T) {
	dir := t.TempDir()
	e := open(t, dir, badger.Options{})
	b := new(storage.Batch)
	b.Put([]byte("a"), []byte("1"))
	if err := errors.Join(e.Apply(b), e.Close()); err != nil {
		t.Fatal(err)
	}
	e = open(t, dir, badger.Options{ReadOnly: true})
	if err := e.Apply(b); !errors.Is(err, core.ErrReadOnly) {
		t.Errorf("writing gives %v, want ErrReadOnly", err)
	}
	holdsOne(t, e)
}

// holdsOne wants the value 1 under the key a.
func holdsOne(t *testing.T, e *badger.Engine) {
	t.Helper()
	err := e.View(func(r storage.Reader) error {
		v, err := r.Get([]byte("a"))
		if string(v) != "1" {
			t.Errorf("reading gives %q", v)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func TestThereIsRoomUpToTheLeastThatStaysFree(t *testing.T) {
	if err := open(t, t.TempDir(), badger.Options{MinFreeBytes: 1}).Room(1 << 50); !errors.Is(err, core.ErrFull) {
		t.Errorf("more than the disk has: %v", err)
	}
	e := open(t, t.TempDir(), badger.Options{MinFreeBytes: -1})
	if err := e.Room(1 << 50); err != nil {
		t.Errorf("without a check: %v", err)
	}
}

func TestAFullDiskRefusesWritesAndServesReads(t *testing.T) {
	e := open(t, t.TempDir(), badger.Options{MinFreeBytes: 1 << 60}) // more than any disk has
	b := new(storage.Batch)
	b.Put([]byte("a"), []byte("1"))
	if err := e.Apply(b); !errors.Is(err, core.ErrFull) || !strings.Contains(err.Error(), "free") {
		t.Errorf("writing to a full disk gives %v, want ErrFull", err)
	}
	if err := e.View(func(storage.Reader) error { return nil }); err != nil {
		t.Errorf("reading from a full disk: %v", err)
	}
}

func TestATooLargeBatchIsRefusedWhole(t *testing.T) {
	e := open(t, t.TempDir(), badger.Options{})
	b := new(storage.Batch)
	for i := range 20_000 {
		b.Put([]byte{byte(i >> 8), byte(i)}, make([]byte, 1000))
	}
	if err := e.Apply(b); !errors.Is(err, core.ErrTooLarge) {
		t.Errorf("20 MB in one batch give %v, want ErrTooLarge", err)
	}
	b = new(storage.Batch)
	b.Put([]byte("a"), []byte("1"))
	if err := e.Apply(b); err != nil {
		t.Errorf("a batch after a refused one: %v", err)
	}
}

// copyDir copies the files of a directory, whose logs are mostly holes.
func copyDir(to, from string) error {
	entries, err := os.ReadDir(from)
	if err != nil {
		return err
	}
	if err := os.Mkdir(to, 0o755); err != nil {
		return err
	}
	for _, e := range entries {
		data, err := os.ReadFile(filepath.Join(from, e.Name()))
		if err != nil {
			return err
		}
		path := filepath.Join(to, e.Name())
		err = os.WriteFile(path, bytes.TrimRight(data, "\x00"), 0o600)
		if err := errors.Join(err, os.Truncate(path, int64(len(data)))); err != nil {
			return err
		}
	}
	return nil
}

func TestWhatAKilledProcessLeftIsNotCalledDamaged(t *testing.T) {
	dir, left := t.TempDir(), filepath.Join(t.TempDir(), "left")
	e := open(t, dir, badger.Options{})
	b := new(storage.Batch)
	b.Put([]byte("a"), []byte("1"))
	if err := errors.Join(e.Apply(b), copyDir(left, dir)); err != nil {
		t.Fatal(err)
	}
	if _, err := badger.Open(left, badger.Options{ReadOnly: true}); !errors.Is(err, core.ErrReadOnly) || errors.Is(err, core.ErrCorrupt) || !strings.Contains(err.Error(), left) {
		t.Errorf("opened for reading: %v", err)
	}
	if err := open(t, left, badger.Options{}).Close(); err != nil {
		t.Fatal(err)
	}
	holdsOne(t, open(t, left, badger.Options{ReadOnly: true}))
}
