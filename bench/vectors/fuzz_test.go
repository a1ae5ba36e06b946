package vectors_test

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"

	"github.com/vecdb/vecdb/bench/vectors"
)

// Whatever a file begins with, reading it ends with an error or with vectors
// that fill the file.
func FuzzNPY(f *testing.F) {
	f.Add([]byte{})
	f.Add(npy(1, header("<f4", 2, 3), make([]byte, 24)))
	f.Add(npy(2, header(">f2", 2, 3), make([]byte, 12)))
	f.Add(npy(3, header("|u1", 1, 1), []byte{1}))
	f.Add(npy(1, "{'descr': [('x', '<f4')], 'fortran_order': False, 'shape': (2, 3)}", nil))
	f.Add(npy(1, "{'descr': '<f8', 'fortran_order': True, 'shape': (4294967295, 2147483647)}", nil))
	f.Add(binary.LittleEndian.AppendUint16([]byte("\x93NUMPY\x01\x00"), 65535))
	f.Fuzz(func(t *testing.T, content []byte) {
		path := filepath.Join(t.TempDir(), "x.npy")
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		if m, err := vectors.Read(t.Context(), path, vectors.Options{}); err == nil && (m.Len() < 1 || m.Len()*m.Dim != len(m.Data) || len(m.Data) > len(content)) {
			t.Errorf("%d bytes give %d × %d", len(content), m.Len(), m.Dim)
		}
		if ids, err := vectors.ReadIDs(t.Context(), path); err == nil && (ids.Len() < 1 || ids.Len()*ids.Cols != len(ids.Data) || len(ids.Data) > len(content)) {
			t.Errorf("%d bytes give %d × %d ids", len(content), ids.Len(), ids.Cols)
		}
	})
}
