// Package vectors reads files of vectors and of the ids of their true
// neighbours, in the formats that collections for measuring come in: NumPy's
// .npy (format versions 1 to 3, matrices in C order) and .fvecs, .bvecs and
// .ivecs of the TEXMEX collections, in which each row begins with its length.
package vectors

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/vecdb/vecdb/internal/core"
)

// Matrix holds vectors of equal length, one after the other.
type Matrix struct {
	Dim  int       // numbers a vector
	Data []float32 // Len()*Dim numbers
}

// Len returns the number of vectors.
func (m *Matrix) Len() int {
	if m.Dim == 0 {
		return 0
	}
	return len(m.Data) / m.Dim
}

// Row returns the i-th vector, a part of Data.
func (m *Matrix) Row(i int) []float32 { return m.Data[i*m.Dim : (i+1)*m.Dim : (i+1)*m.Dim] }

// Rows returns all vectors, parts of Data.
func (m *Matrix) Rows() [][]float32 {
	out := make([][]float32, m.Len())
	for i := range out {
		out[i] = m.Row(i)
	}
	return out
}

// IDs holds rows of integers, one after the other.
type IDs struct {
	Cols int
	Data []int64
}

// Len returns the number of rows.
func (t *IDs) Len() int { return len(t.Data) / t.Cols }

// Row returns the i-th row, a part of Data.
func (t *IDs) Row(i int) []int64 { return t.Data[i*t.Cols : (i+1)*t.Cols : (i+1)*t.Cols] }

// Options say which part of a file is read. The zero value reads all of it.
type Options struct {
	// Limit reads the first so many vectors; 0 reads all.
	Limit int
	// Dim reads the first so many numbers of each vector; 0 reads all.
	Dim int
}

// Read reads the vectors of a .npy file of f4, f8, f2, i1 or u1, a .fvecs or a
// .bvecs file. What it allocates is hardly more than the vectors that it
// returns. A number that is not finite, or not within float32, is an error
// that names the row. Errors about the content match core.ErrInvalid.
func Read(ctx context.Context, path string, o Options) (*Matrix, error) {
	f, l, decode, err := openVectors(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if o.Dim > l.cols {
		return nil, bad(path, "take no more than they have", "the vectors have %d numbers, the first %d are wanted", l.cols, o.Dim)
	}
	want := part{rows: l.rows, cols: l.cols}
	if o.Limit > 0 {
		want.rows = min(o.Limit, l.rows)
	}
	if o.Dim > 0 {
		want.cols = o.Dim
	}
	data, err := readRows(ctx, f, l, want, decode, finite)
	if err != nil {
		return nil, within(path, err)
	}
	return &Matrix{Dim: want.cols, Data: data}, nil
}

// openVectors opens a file of vectors and returns how to decode its rows.
func openVectors(path string) (*os.File, layout, func([]float32, []byte), error) {
	f, l, err := open(path, ".npy", ".fvecs", ".bvecs")
	if err != nil {
		return nil, l, nil, fmt.Errorf("read vectors: %w", err)
	}
	decode := floatsOf(l.kind, l.bigEndian)
	if decode == nil {
		err := bad(path, "convert to float32: x.astype('<f4')", "%s numbers are no vectors; f2, f4, f8, i1 and u1 are read", l.kind)
		return nil, l, nil, errors.Join(err, f.Close())
	}
	return f, l, decode, nil
}

// ReadIDs reads a .npy file of i4, i8, u4 or u8, or an .ivecs file.
func ReadIDs(ctx context.Context, path string) (*IDs, error) {
	f, l, err := open(path, ".npy", ".ivecs")
	if err != nil {
		return nil, fmt.Errorf("read ids: %w", err)
	}
	defer f.Close()
	decode := integersOf(l.kind, l.bigEndian)
	if decode == nil {
		return nil, bad(path, "convert to int32: x.astype('<i4')", "%s numbers are no ids; i4, i8, u4 and u8 are read", l.kind)
	}
	data, err := readRows(ctx, f, l, part{rows: l.rows, cols: l.cols}, decode, nil)
	if err != nil {
		return nil, within(path, err)
	}
	return &IDs{Cols: l.cols, Data: data}, nil
}

// open opens a file of one of the extensions and finds out how its rows lie.
// The layout agrees with the size of the file.
func open(path string, extensions ...string) (*os.File, layout, error) {
	extension := strings.ToLower(filepath.Ext(path))
	known := false
	for _, e := range extensions {
		known = known || e == extension
	}
	if !known {
		return nil, layout{}, bad(path, "use "+strings.Join(extensions, ", "), "the extension %q is none of a format that is read here", extension)
	}
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, layout{}, &core.InputError{Detail: path + ": no such file", Hint: "check the path", Cause: fs.ErrNotExist}
	}
	if err != nil {
		return nil, layout{}, err
	}
	l, err := layoutOf(f, extension)
	if err != nil {
		return nil, layout{}, errors.Join(within(path, err), f.Close())
	}
	return f, l, nil
}

func layoutOf(f *os.File, extension string) (layout, error) {
	info, err := f.Stat()
	if err != nil {
		return layout{}, err
	}
	if !info.Mode().IsRegular() {
		return layout{}, wrong("", "it is not a regular file")
	}
	if extension == ".npy" {
		return npyLayout(f, info.Size())
	}
	return vecsLayout(f, info.Size(), extension)
}

// wrong returns an error about a file's content; within puts its path before
// it.
func wrong(hint, format string, args ...any) error { return core.Invalid("", hint, format, args...) }

func within(path string, err error) error {
	var in *core.InputError
	if errors.As(err, &in) {
		return bad(path, in.Hint, "%s", in.Detail)
	}
	return fmt.Errorf("read %s: %w", path, err)
}

func bad(path, hint, format string, args ...any) error {
	return core.Invalid("", hint, "%s: %s", path, fmt.Sprintf(format, args...))
}
