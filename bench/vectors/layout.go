package vectors

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math"
)

// layout tells how the rows of a file lie.
type layout struct {
	offset    int64 // of the first row
	rows      int
	cols      int
	lead      int    // bytes before each row; 4 hold its length, 0 are none
	kind      string // f2, f4, f8, i1, i4, i8, u1, u4 or u8, among others
	size      int    // bytes a number
	bigEndian bool
}

// rowBytes is what a row takes in the file.
func (l layout) rowBytes() int { return l.lead + l.cols*l.size }

// part is the upper left corner of a matrix that is read.
type part struct{ rows, cols int }

// bufferBytes is how much of a file is read at once.
const bufferBytes = 1 << 20

// readRows reads a part of the rows. check, where given, looks at each decoded
// row and returns what is wrong with it.
func readRows[T any](ctx context.Context, f io.ReadSeeker, l layout, want part, decode func([]T, []byte), check func([]T) error) ([]T, error) {
	c, err := newCursor(f, l)
	if err != nil {
		return nil, err
	}
	data := make([]T, want.rows*want.cols)
	for i := range want.rows {
		if i%1024 == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		raw, err := c.next()
		if err != nil {
			return nil, err
		}
		row := data[i*want.cols : (i+1)*want.cols]
		decode(row, raw)
		if check == nil {
			continue
		}
		if err := check(row); err != nil {
			return nil, wrong("use finite numbers", "row %d: %v", i, err)
		}
	}
	return data, nil
}

// finite returns an error when a number is not.
func finite(row []float32) error {
	for j, x := range row {
		if x-x != 0 { // so it is for NaN and the infinities alone
			return fmt.Errorf("number %d is %v", j, x)
		}
	}
	return nil
}

// vecsLayout reads the first row's length and derives the rest.
func vecsLayout(f io.Reader, size int64, extension string) (layout, error) {
	l := layout{lead: 4, kind: "f4", size: 4}
	switch extension {
	case ".bvecs":
		l.kind, l.size = "u1", 1
	case ".ivecs":
		l.kind = "i4"
	}
	var lead [4]byte
	if _, err := io.ReadFull(f, lead[:]); err != nil {
		return layout{}, wrong("", "the file holds no rows")
	}
	n := int32(binary.LittleEndian.Uint32(lead[:]))
	if n < 1 || n > math.MaxInt32/16 {
		return layout{}, wrong("", "row 0 has a length of %d numbers", n)
	}
	l.cols = int(n)
	if over := size % int64(l.rowBytes()); over != 0 {
		return layout{}, wrong("get the whole file", "the file is cut or its rows differ in length: %d bytes are no multiple of a row's %d", size, l.rowBytes())
	}
	l.rows = int(size / int64(l.rowBytes()))
	return l, checkRows(l.rows)
}

// checkRows refuses files that ordinals cannot number.
func checkRows(n int) error {
	if n < 1 {
		return wrong("", "the file holds no rows")
	}
	if int64(n) > int64(math.MaxUint32) {
		return wrong("", "the file holds %d rows, at most %d can be numbered", n, uint32(math.MaxUint32))
	}
	return nil
}
