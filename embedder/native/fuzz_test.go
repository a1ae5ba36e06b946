package native_test

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"os"
	"path/filepath"
	"testing"

	"github.com/vecdb/vecdb/embedder"
	"github.com/vecdb/vecdb/embedder/native"
	"github.com/vecdb/vecdb/internal/core"
)

// FuzzModel gives Open damaged models: it must refuse them or run.
func FuzzModel(f *testing.F) {
	f.Add(newTiny().model())
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, data []byte) { openAndRun(t, native.Files{Weights: write(t, data)}) })
}

// FuzzPack gives Open damaged packed models whose checksum is right.
func FuzzPack(f *testing.F) {
	path := filepath.Join(f.TempDir(), "pack")
	open(f, native.Files{Weights: write(f, newTiny().model()), Pack: path}, native.Options{Precision: embedder.Int8})
	good, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add(good[:40])
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) >= 16 {
			binary.LittleEndian.PutUint32(data[12:], crc32.Checksum(data[16:], crc32.MakeTable(crc32.Castagnoli)))
		}
		openAndRun(t, native.Files{Data: data})
	})
}

func openAndRun(t *testing.T, f native.Files) {
	r, err := native.Open(f, native.Options{Precision: embedder.Int8}, 1)
	if err != nil {
		if !errors.Is(err, core.ErrCorrupt) {
			t.Errorf("got %v, want ErrCorrupt", err)
		}
		return
	}
	if _, err := r[0].Run(batch(1, 3)); err != nil && !errors.Is(err, core.ErrInvalid) {
		t.Error(err)
	}
	if err := r[0].Close(); err != nil {
		t.Error(err)
	}
}
