package vectors

import (
	"encoding/binary"
	"io"
	"math"
	"strconv"
	"strings"
)

// The .npy format: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html.
// A magic string, two bytes of version, the length of the header, and the
// header: a Python dictionary as text.
const (
	npyMagic     = "\x93NUMPY"
	npyMaxHeader = 1 << 20 // bytes; a matrix of plain numbers needs about 100
)

// npyHeader is what the dictionary says.
type npyHeader struct {
	descr   string
	fortran bool
	shape   []int
}

// npyLayout reads the header of a file of the given size and checks that both
// agree.
func npyLayout(f io.Reader, size int64) (layout, error) {
	text, offset, err := npyText(f)
	if err != nil {
		return layout{}, err
	}
	h, err := parseNPY(text)
	if err != nil {
		return layout{}, err
	}
	l, err := h.layout()
	if err != nil {
		return layout{}, err
	}
	l.offset = offset
	// The product may be beyond int64, so it is first made in float64.
	if float64(l.rows)*float64(l.cols)*float64(l.size) > math.MaxInt64/2 {
		return layout{}, wrong("", "the header promises %d rows of %d numbers, which no file holds", l.rows, l.cols)
	}
	want := offset + int64(l.rows)*int64(l.cols)*int64(l.size)
	switch {
	case size < want:
		return layout{}, wrong("get the whole file", "the file is cut: %d rows of %d numbers take %d bytes, and it has %d", l.rows, l.cols, want, size)
	case size > want:
		return layout{}, wrong("", "the file is longer than its header says: %d rows of %d numbers take %d bytes, and it has %d", l.rows, l.cols, want, size)
	}
	return l, nil
}

// npyText returns the dictionary and the offset of what follows it.
func npyText(f io.Reader) (text string, offset int64, err error) {
	var head [12]byte
	if _, err := io.ReadFull(f, head[:10]); err != nil || string(head[:6]) != npyMagic {
		return "", 0, wrong("write it with numpy.save", "the file does not begin as a .npy file does")
	}
	offset = 10
	length := uint32(binary.LittleEndian.Uint16(head[8:]))
	switch major := head[6]; major {
	case 1:
	case 2, 3:
		if _, err := io.ReadFull(f, head[10:]); err != nil {
			return "", 0, wrong("get the whole file", "the file is cut within its header")
		}
		offset, length = 12, binary.LittleEndian.Uint32(head[8:])
	default:
		return "", 0, wrong("", "version %d of the .npy format is not read here; 1, 2 and 3 are", major)
	}
	if length > npyMaxHeader {
		return "", 0, wrong("", "the header has %d bytes, at most %d are read", length, npyMaxHeader)
	}
	raw := make([]byte, length)
	if _, err := io.ReadFull(f, raw); err != nil {
		return "", 0, wrong("get the whole file", "the file is cut within its header")
	}
	return string(raw), offset + int64(length), nil
}

// layout translates the header and refuses what is no matrix of numbers in C
// order.
func (h npyHeader) layout() (layout, error) {
	if len(h.shape) != 2 {
		return layout{}, wrong("write a matrix, one vector a row", "the array has %d axes, 2 are needed", len(h.shape))
	}
	// A single row or column lies alike in both orders.
	if h.fortran && h.shape[0] > 1 && h.shape[1] > 1 {
		return layout{}, wrong("write it with numpy.ascontiguousarray", "the array is in Fortran order, column by column")
	}
	l := layout{rows: h.shape[0], cols: h.shape[1]}
	if len(h.descr) < 3 || !strings.ContainsAny(h.descr[:1], "<>|") {
		return layout{}, wrong("convert it to '<f4'", "the type %q is not read here", h.descr)
	}
	size, err := strconv.Atoi(h.descr[2:])
	if err != nil || size < 1 || size > 16 || h.descr[0] == '|' && size > 1 {
		return layout{}, wrong("convert it to '<f4'", "the type %q is not read here", h.descr)
	}
	l.bigEndian, l.kind, l.size = h.descr[0] == '>', h.descr[1:], size
	if l.cols < 1 || l.cols > math.MaxInt32 {
		return layout{}, wrong("", "the rows have %d numbers", l.cols)
	}
	return l, checkRows(l.rows)
}
