package vectors_test

import (
	"encoding/binary"
	"errors"
	"io"
	"slices"
	"testing"

	"github.com/vecdb/vecdb/bench/vectors"
	"github.com/vecdb/vecdb/internal/core"
)

func TestRowsComeOneByOne(t *testing.T) {
	le := binary.LittleEndian
	for name, path := range map[string]string{
		"float32": write(t, "a.npy", npy(1, header("<f4", 2, 2), encode(le, []float32{1, -2, 3, 4}))),
		"float16": write(t, "b.npy", npy(1, header("<f2", 2, 2), encode(le, []uint16{0x3c00, 0xc000, 0x4200, 0x4400}))),
		"int8":    write(t, "c.npy", npy(1, header("|i1", 2, 2), []byte{1, 0xfe, 3, 4})),
		"fvecs":   write(t, "d.fvecs", vecs([]float32{1, -2}, []float32{3, 4})),
	} {
		r, err := vectors.OpenRows(path)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		a, err1 := r.Next()
		b, err2 := r.Next()
		if err := errors.Join(err1, err2); err != nil || !slices.Equal(a, []float32{1, -2}) || !slices.Equal(b, []float32{3, 4}) {
			t.Errorf("%s: %v, %v, %v", name, a, b, err)
		}
		if _, err := r.Next(); !errors.Is(err, io.EOF) {
			t.Errorf("%s: behind the last: %v", name, err)
		}
		if r.Len() != 2 || r.Dim() != 2 || r.BytesRead() != r.Size() {
			t.Errorf("%s: %d vectors of %d numbers, %d of %d bytes", name, r.Len(), r.Dim(), r.BytesRead(), r.Size())
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := vectors.OpenRows(write(t, "e.npy", npy(1, header("<i4", 1, 1), make([]byte, 4)))); !errors.Is(err, core.ErrInvalid) {
		t.Errorf("integers are taken for vectors: %v", err)
	}
}
