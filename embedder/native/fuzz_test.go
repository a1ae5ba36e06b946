package native_test

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/vecdb/vecdb/embedder"
	"github.com/vecdb/vecdb/embedder/native"
	"github.com/vecdb/vecdb/internal/core"
)

// damage applies edits, four bytes each: a place, counted from the end if its
// first bit is set, and the byte that goes there.
func damage(data, edits []byte, cut uint32) []byte {
	data = slices.Clone(data[:len(data)-int(cut)%len(data)])
	for ; len(edits) >= 4; edits = edits[4:] {
		at := int(edits[0]&0x7f)<<16 | int(edits[1])<<8 | int(edits[2])
		at %= len(data)
		if edits[0] >= 0x80 {
			at = len(data) - 1 - at
		}
		data[at] = edits[3]
	}
	return data
}

// FuzzModel gives Open damaged models: it must refuse them or run. Most of what
// is not weights stands at the end.
func FuzzModel(f *testing.F) {
	good := newTiny().model()
	f.Add([]byte{}, uint32(0))
	f.Add([]byte{0x80, 0, 100, 7, 0x80, 1, 3, 9}, uint32(0))
	f.Fuzz(func(t *testing.T, edits []byte, cut uint32) {
		openAndRun(t, native.Files{Weights: write(t, damage(good, edits, cut))})
	})
}

// FuzzPack gives Open damaged packed models whose checksum is right.
func FuzzPack(f *testing.F) {
	path := filepath.Join(f.TempDir(), "pack")
	open(f, native.Files{Weights: write(f, newTiny().model()), Pack: path}, native.Options{Precision: embedder.Int8})
	good, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte{}, uint32(0))
	f.Add([]byte{0, 0, 40, '9'}, uint32(0))
	f.Fuzz(func(t *testing.T, edits []byte, cut uint32) {
		data := damage(good, edits, cut)
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
