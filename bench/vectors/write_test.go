package vectors_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/vecdb/vecdb/bench/vectors"
)

func TestWrittenVectorsBeginAsNumPyWants(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.npy")
	w, err := vectors.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Abandon()
	for _, rows := range [][][]float32{{{1, 2, 3}}, {{4, 5, 6}}} {
		if err := w.Write(rows); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Write([][]float32{{1}}); err == nil {
		t.Error("a shorter vector is taken")
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("the file is there before it is complete")
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if len(data) != 128+24 || !bytes.HasPrefix(data, []byte("\x93NUMPY\x01\x00\x76\x00{'descr': '<f4'")) || data[127] != '\n' {
		t.Errorf("%d bytes, %q", len(data), data)
	}
	r, err := vectors.OpenRows(path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if v, err := r.Next(); err != nil || r.Len() != 2 || v[2] != 3 {
		t.Errorf("%v of %d rows, %v", v, r.Len(), err)
	}
}

func TestAbandonedVectorsLeaveNothing(t *testing.T) {
	dir := t.TempDir()
	w, err := vectors.Create(filepath.Join(dir, "x.npy"))
	if err != nil {
		t.Fatal(err)
	}
	w.Abandon()
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("%v, %v", left, err)
	}
}
