package badger

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vecdb/vecdb/internal/core"
	"github.com/vecdb/vecdb/storage"
)

// TestADamagedTableIsToldByName cuts the table of a closed database, and turns bits
// in its end, where the index is.
func TestADamagedTableIsToldByName(t *testing.T) {
	dir := t.TempDir()
	write := func() error {
		e, err := Open(dir, Options{MinFreeBytes: -1})
		if err != nil {
			return err
		}
		b := new(storage.Batch)
		for i := range 500 {
			b.Put(fmt.Appendf(nil, "key %d", i), []byte(strings.Repeat("value ", i%20)))
		}
		return errors.Join(e.Apply(b), e.Close())
	}
	if err := write(); err != nil {
		t.Fatal(err)
	}
	tables, err := filepath.Glob(filepath.Join(dir, "*.sst"))
	if err != nil || len(tables) == 0 {
		t.Fatal(tables, err)
	}
	good, err := os.ReadFile(tables[0])
	if err != nil {
		t.Fatal(err)
	}
	n := len(good)
	turned := func(at int) []byte {
		bad := append([]byte(nil), good...)
		bad[at] ^= 0x40
		return bad
	}
	for name, data := range map[string][]byte{
		"empty": {}, "a byte": good[:1], "a half": good[:n/2], "all but a byte": good[:n-1], "zeros": make([]byte, n),
		"the length of the checksum": turned(n - 1), "the checksum": turned(n - 6), "the index": turned(n - 40),
	} {
		if err := os.WriteFile(tables[0], data, 0o644); err != nil {
			t.Fatal(err)
		}
		for _, readOnly := range []bool{false, true} {
			_, err := Open(dir, Options{MinFreeBytes: -1, ReadOnly: readOnly})
			if !errors.Is(err, core.ErrCorrupt) || !strings.Contains(err.Error(), filepath.Base(tables[0])) || len(err.Error()) > 1000 {
				t.Errorf("%s, for reading only %v: %.2000v", name, readOnly, err)
			}
		}
	}
	if err := os.Remove(tables[0]); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir, Options{MinFreeBytes: -1}); !errors.Is(err, core.ErrCorrupt) {
		t.Errorf("gone: %v", err)
	}
	if err := os.WriteFile(tables[0], good, 0o644); err != nil {
		t.Fatal(err)
	}
	e, err := Open(dir, Options{MinFreeBytes: -1})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir, Options{MinFreeBytes: -1}); !errors.Is(err, core.ErrLocked) {
		t.Errorf("opened twice: %v", err)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	// What the manifest does not name is not looked at: a killed process leaves it.
	if err := os.WriteFile(filepath.Join(dir, "999999.sst"), good[:n/3], 0o644); err != nil {
		t.Fatal(err)
	}
	if err := write(); err != nil {
		t.Errorf("whole again: %v", err)
	}
}
