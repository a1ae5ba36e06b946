package vectors

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"sync/atomic"
)

// cursor reads the rows of a file one after the other.
type cursor struct {
	in  *bufio.Reader
	l   layout
	raw []byte
	row int // that comes next
}

func newCursor(f io.ReadSeeker, l layout) (*cursor, error) {
	if _, err := f.Seek(l.offset, io.SeekStart); err != nil {
		return nil, err
	}
	return &cursor{in: bufio.NewReaderSize(f, bufferBytes), l: l, raw: make([]byte, l.rowBytes())}, nil
}

// next returns the bytes of the next row's numbers until it is called again.
func (c *cursor) next() ([]byte, error) {
	i := c.row
	if _, err := io.ReadFull(c.in, c.raw); err != nil {
		return nil, fmt.Errorf("row %d: %w", i, err)
	}
	c.row++
	if c.l.lead > 0 {
		if n := int64(int32(binary.LittleEndian.Uint32(c.raw))); n != int64(c.l.cols) {
			return nil, wrong("", "row %d has %d numbers, row 0 has %d", i, n, c.l.cols)
		}
	}
	return c.raw[c.l.lead:], nil
}

// Rows reads the vectors of a file one after the other. It is used by one
// goroutine at a time, except for BytesRead.
type Rows struct {
	path   string
	file   *os.File
	cursor *cursor
	decode func([]float32, []byte)
	read   atomic.Int64
}

// OpenRows opens a file as Read does. Close it after use.
func OpenRows(path string) (*Rows, error) {
	f, l, decode, err := openVectors(path)
	if err != nil {
		return nil, err
	}
	c, err := newCursor(f, l)
	if err != nil {
		return nil, errors.Join(within(path, err), f.Close())
	}
	return &Rows{path: path, file: f, cursor: c, decode: decode}, nil
}

// Len returns the number of vectors in the file.
func (r *Rows) Len() int { return r.cursor.l.rows }

// Dim returns how many numbers each has.
func (r *Rows) Dim() int { return r.cursor.l.cols }

// Next returns the next vector, which is the caller's, or io.EOF behind the
// last. Its numbers are as the file holds them, finite or not.
func (r *Rows) Next() ([]float32, error) {
	if r.cursor.row == r.Len() {
		return nil, io.EOF
	}
	raw, err := r.cursor.next()
	if err != nil {
		return nil, within(r.path, err)
	}
	r.read.Add(int64(r.cursor.l.rowBytes()))
	v := make([]float32, r.Dim())
	r.decode(v, raw)
	return v, nil
}

// BytesRead returns how many bytes of vectors were read, of Size. It may be
// called from another goroutine.
func (r *Rows) BytesRead() int64 { return r.read.Load() }

// Size returns how many bytes the vectors take in the file.
func (r *Rows) Size() int64 { return int64(r.Len()) * int64(r.cursor.l.rowBytes()) }

// Close closes the file.
func (r *Rows) Close() error { return r.file.Close() }
