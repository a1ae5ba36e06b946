package vectors_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/vecdb/vecdb/bench/vectors"
	"github.com/vecdb/vecdb/internal/core"
)

// npy returns a .npy file of the given format version.
func npy(version byte, header string, body []byte) []byte {
	out := append([]byte("\x93NUMPY"), version, 0)
	if version == 1 {
		out = binary.LittleEndian.AppendUint16(out, uint16(len(header)))
	} else {
		out = binary.LittleEndian.AppendUint32(out, uint32(len(header)))
	}
	return append(append(out, header...), body...)
}

func header(descr string, rows, cols int) string {
	return fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': (%d, %d), }   \n", descr, rows, cols)
}

func encode(order binary.ByteOrder, numbers any) []byte {
	var b bytes.Buffer
	if err := binary.Write(&b, order, numbers); err != nil {
		panic(err)
	}
	return b.Bytes()
}

func write(t *testing.T, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// vecs returns rows that each begin with a length.
func vecs(numbers ...any) []byte {
	var out []byte
	for _, row := range numbers {
		body := encode(binary.LittleEndian, row)
		n := binary.Size(row)
		switch row.(type) {
		case []float32, []int32:
			n /= 4
		}
		out = append(binary.LittleEndian.AppendUint32(out, uint32(n)), body...)
	}
	return out
}

func TestReadsEveryKindOfVectors(t *testing.T) {
	le, be := binary.LittleEndian, binary.BigEndian
	floats, small := []float32{1, -2, 0.5, 3, 4, 5}, []int8{1, -2, 127, 3, -128, 5}
	// 1, -2, 0.5, 65504, the least subnormal 2^-24 and 0.
	halves := []uint16{0x3c00, 0xc000, 0x3800, 0x7bff, 0x0001, 0x8000}
	for name, c := range map[string]struct {
		file    string
		content []byte
		want    []float32
	}{
		"little f4":           {"a.npy", npy(1, header("<f4", 2, 3), encode(le, floats)), floats},
		"big f4, version 2":   {"a.npy", npy(2, header(">f4", 2, 3), encode(be, floats)), floats},
		"little f8":           {"a.NPY", npy(3, header("<f8", 2, 3), encode(le, []float64{1, -2, 0.5, 3, 4, 5})), floats},
		"big f8":              {"a.npy", npy(1, header(">f8", 2, 3), encode(be, []float64{1, -2, 0.5, 3, 4, 5})), floats},
		"little f2":           {"a.npy", npy(1, header("<f2", 2, 3), encode(le, halves)), []float32{1, -2, 0.5, 65504, 0x1p-24, 0}},
		"big f2":              {"a.npy", npy(1, header(">f2", 2, 3), encode(be, halves)), []float32{1, -2, 0.5, 65504, 0x1p-24, 0}},
		"i1":                  {"a.npy", npy(1, header("|i1", 2, 3), encode(le, small)), []float32{1, -2, 127, 3, -128, 5}},
		"u1":                  {"a.npy", npy(1, header("|u1", 2, 3), []byte{1, 2, 255, 0, 4, 5}), []float32{1, 2, 255, 0, 4, 5}},
		"fvecs":               {"a.fvecs", vecs(floats[:3], floats[3:]), floats},
		"bvecs":               {"a.bvecs", vecs([]uint8{1, 2, 255}, []uint8{0, 4, 5}), []float32{1, 2, 255, 0, 4, 5}},
		"keys in other order": {"a.npy", npy(1, `{"shape":(2L,3L),'fortran_order' :False,'descr':'<f4'}`, encode(le, floats)), floats},
		"one row in Fortran order": {"a.npy", npy(1, "{'descr': '<f4', 'fortran_order': True, 'shape': (1, 6)}", encode(le, floats)),
			floats},
	} {
		t.Run(name, func(t *testing.T) {
			m, err := vectors.Read(t.Context(), write(t, c.file, c.content), vectors.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if m.Len()*m.Dim != 6 || !slices.Equal(m.Data, c.want) {
				t.Errorf("read %d × %d: %v, want %v", m.Len(), m.Dim, m.Data, c.want)
			}
			if rows := m.Rows(); len(rows) != m.Len() || !slices.Equal(rows[m.Len()-1], m.Row(m.Len()-1)) {
				t.Errorf("the rows are %v", rows)
			}
		})
	}
}

func TestReadsAPart(t *testing.T) {
	path := write(t, "a.fvecs", vecs([]float32{1, 2, 3}, []float32{4, 5, 6}, []float32{7, 8, 9}))
	m, err := vectors.Read(t.Context(), path, vectors.Options{Limit: 2, Dim: 2})
	if err != nil || m.Dim != 2 || !slices.Equal(m.Data, []float32{1, 2, 4, 5}) {
		t.Errorf("%+v, %v", m, err)
	}
	if m, err = vectors.Read(t.Context(), path, vectors.Options{Limit: 9}); err != nil || m.Len() != 3 {
		t.Errorf("a limit beyond the end: %+v, %v", m, err)
	}
	if _, err = vectors.Read(t.Context(), path, vectors.Options{Dim: 4}); !errors.Is(err, core.ErrInvalid) {
		t.Errorf("4 numbers of 3: %v", err)
	}
}

func TestReadsIDs(t *testing.T) {
	le, be := binary.LittleEndian, binary.BigEndian
	want := []int64{3, 1, 0, 2, 7, -1}
	for name, c := range map[string]struct {
		file    string
		content []byte
	}{
		"i8":     {"t.npy", npy(1, header("<i8", 2, 3), encode(le, want))},
		"big i8": {"t.npy", npy(1, header(">i8", 2, 3), encode(be, want))},
		"i4":     {"t.npy", npy(1, header("<i4", 2, 3), encode(le, []int32{3, 1, 0, 2, 7, -1}))},
		"big i4": {"t.npy", npy(1, header(">i4", 2, 3), encode(be, []int32{3, 1, 0, 2, 7, -1}))},
		"ivecs":  {"t.ivecs", vecs([]int32{3, 1, 0}, []int32{2, 7, -1})},
	} {
		ids, err := vectors.ReadIDs(t.Context(), write(t, c.file, c.content))
		if err != nil || ids.Cols != 3 || ids.Len() != 2 || !slices.Equal(ids.Data, want) || !slices.Equal(ids.Row(1), want[3:]) {
			t.Errorf("%s: %+v, %v", name, ids, err)
		}
	}
}

func TestRefusesWhatItCannotRead(t *testing.T) {
	le := binary.LittleEndian
	good := encode(le, []float32{1, 2, 3, 4, 5, 6})
	f4 := func(shape string) []byte {
		return npy(1, "{'descr': '<f4', 'fortran_order': False, 'shape': "+shape+"}", good)
	}
	nan, inf := float32(math.NaN()), float32(math.Inf(-1))
	for name, c := range map[string]struct {
		file    string
		content []byte
		want    string
	}{
		"another extension":      {"a.csv", good, `the extension ".csv"`},
		"no magic":               {"a.npy", []byte("hello, this is text"), "does not begin as a .npy file"},
		"an empty file":          {"a.npy", nil, "does not begin as a .npy file"},
		"an empty fvecs":         {"a.fvecs", nil, "holds no rows"},
		"a version to come":      {"a.npy", npy(9, header("<f4", 2, 3), good), "version 9"},
		"Fortran order":          {"a.npy", npy(1, "{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3)}", good), "Fortran order"},
		"one axis":               {"a.npy", f4("(6,)"), "1 axes"},
		"three axes":             {"a.npy", f4("(1, 2, 3)"), "3 axes"},
		"no rows":                {"a.npy", f4("(0, 3)"), "no rows"},
		"no columns":             {"a.npy", f4("(3, 0)"), "0 numbers"},
		"a cut file":             {"a.npy", npy(1, header("<f4", 3, 3), good), "is cut"},
		"a cut header":           {"a.npy", npy(1, header("<f4", 2, 3), nil)[:30], "cut within its header"},
		"a longer file":          {"a.npy", npy(1, header("<f4", 1, 3), good), "longer than its header says"},
		"an enormous promise":    {"a.npy", f4("(4294967295, 2147483647)"), "no file holds"},
		"a long header":          {"a.npy", append([]byte("\x93NUMPY\x02\x00\xff\xff\xff\xff"), good...), "the header has 4294967295 bytes"},
		"complex numbers":        {"a.npy", npy(1, header("<c8", 1, 3), good), "c8"},
		"objects":                {"a.npy", npy(1, header("|O", 1, 3), good), `"|O"`},
		"integers as vectors":    {"a.npy", npy(1, header("<i4", 2, 3), good), "i4 numbers are no vectors"},
		"records":                {"a.npy", npy(1, "{'descr': [('x', '<f4')], 'fortran_order': False, 'shape': (2, 3)}", good), "structured"},
		"a missing key":          {"a.npy", npy(1, "{'descr': '<f4', 'shape': (2, 3)}", good), "are needed"},
		"a key twice":            {"a.npy", npy(1, "{'descr': '<f4', 'descr': '<f4', 'shape': (2, 3)}", good), "twice"},
		"an unknown key":         {"a.npy", npy(1, "{'color': '<f4'}", good), `"color" is unknown`},
		"no comma":               {"a.npy", npy(1, "{'descr': '<f4' 'shape': (2, 3)}", good), "comma"},
		"no dictionary":          {"a.npy", npy(1, "descr", good), "broken"},
		"an open string":         {"a.npy", npy(1, "{'descr", good), "does not end"},
		"no boolean":             {"a.npy", npy(1, "{'fortran_order': 0}", good), "True or False"},
		"a negative shape":       {"a.npy", f4("(-2, 3)"), "is missing at"},
		"NaN":                    {"a.npy", npy(1, header("<f4", 2, 3), encode(le, []float32{1, 2, 3, 4, nan, 6})), "row 1: number 1 is NaN"},
		"an infinity":            {"a.fvecs", vecs([]float32{1, 2}, []float32{1, 2}, []float32{inf, 2}), "row 2: number 0 is -Inf"},
		"a half NaN":             {"a.npy", npy(1, header("<f2", 1, 2), encode(le, []uint16{0x7e00, 0})), "row 0: number 0 is NaN"},
		"a half infinity":        {"a.npy", npy(1, header("<f2", 1, 2), encode(le, []uint16{0, 0x7c00})), "row 0: number 1 is +Inf"},
		"a float64 too large":    {"a.npy", npy(1, header("<f8", 1, 2), encode(le, []float64{1, 1e300})), "row 0: number 1 is +Inf"},
		"rows of other lengths":  {"a.fvecs", vecs([]float32{1, 2}, []float32{1, 2, 3, 4, 5}), "row 1 has 5 numbers"},
		"a cut fvecs":            {"a.fvecs", vecs([]float32{1, 2}, []float32{1, 2})[:20], "is cut"},
		"a negative fvecs width": {"a.fvecs", []byte{255, 255, 255, 255, 0, 0, 0, 0}, "length of -1"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := vectors.Read(t.Context(), write(t, c.file, c.content), vectors.Options{})
			if !errors.Is(err, core.ErrInvalid) || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), c.file) {
				t.Errorf("the error is %v, want one with %q and the file's name", err, c.want)
			}
		})
	}
}

func TestRefusesOtherFilesAsIDs(t *testing.T) {
	for _, c := range []struct{ file, descr, want string }{{"t.npy", "<f4", "f4 numbers are no ids"}, {"t.fvecs", "", `".fvecs"`}} {
		_, err := vectors.ReadIDs(t.Context(), write(t, c.file, npy(1, header(c.descr, 1, 1), make([]byte, 4))))
		if !errors.Is(err, core.ErrInvalid) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.file, err)
		}
	}
}

func TestAFileThatIsNotThere(t *testing.T) {
	if _, err := vectors.Read(t.Context(), filepath.Join(t.TempDir(), "a.npy"), vectors.Options{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the error is %v", err)
	}
	folder := filepath.Join(t.TempDir(), "b.npy")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := vectors.Read(t.Context(), folder, vectors.Options{}); !errors.Is(err, core.ErrInvalid) {
		t.Errorf("a folder gives %v", err)
	}
}

func TestStopsWhenCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	path := write(t, "a.fvecs", vecs([]float32{1, 2}))
	if _, err := vectors.Read(ctx, path, vectors.Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("the error is %v", err)
	}
}

// Reading takes hardly more memory than the vectors.
func TestReadsWithoutASecondCopy(t *testing.T) {
	const rows, cols = 4096, 256
	body := make([]byte, rows*cols*4)
	path := write(t, "a.npy", npy(1, header("<f4", rows, cols), body))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, err := vectors.Read(t.Context(), path, vectors.Options{}); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if got, limit := after.TotalAlloc-before.TotalAlloc, uint64(len(body)+5<<18); got > limit {
		t.Errorf("reading %d bytes allocates %d", len(body), got)
	}
}
