package native

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"math"
	"unsafe"

	"github.com/vecdb/vecdb/embedder"
	"github.com/vecdb/vecdb/internal/core"
	"github.com/vecdb/vecdb/internal/simd/matrix"
)

// A packed model is one run of bytes:
//
//	 0  magic, 8 bytes; the last is the format's version
//	 8  length of the header in bytes, 32 bits, little-endian
//	12  CRC-32C of all that follows, 32 bits
//	16  the header, JSON
//	    the parts, each at a multiple of 64 bytes, in the order of model.parts
//
// The numbers are those of the machine, which for all that we build for is a
// little-endian one.
const (
	packMagic = "vecdbnn\x01"
	packAlign = 64
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// header describes a packed model.
type header struct {
	Layout    int                `json:"layout"` // matrix.Layout
	Precision embedder.Precision `json:"precision"`
	Source    string             `json:"source"` // SHA-256 of the file that it was made of, hexadecimal
	Hidden    int                `json:"hidden"`
	Heads     int                `json:"heads"`
	Inner     int                `json:"inner"` // outputs of the first feed-forward matrix
	Layers    int                `json:"layers"`
	Words     int                `json:"words"`
	Positions int                `json:"positions"`
	Epsilon   float32            `json:"epsilon"`
}

// check tells whether the sizes are in bounds.
func (h header) check() error {
	if h.Layout != matrix.Layout || h.kind() == 0 {
		return fmt.Errorf("%w: layout %d and precision %.20q are not known", core.ErrCorrupt, h.Layout, h.Precision)
	}
	for _, n := range []int{h.Hidden, h.Heads, h.Inner, h.Layers, h.Words, h.Positions} {
		if n < 1 || n > 1<<22 {
			return fmt.Errorf("%w: %+v are no sizes of a model", core.ErrCorrupt, h)
		}
	}
	if h.Hidden > core.MaxDim || h.Inner > 1<<16 || h.Layers > maxLayers || h.Hidden%h.Heads != 0 || !(h.Epsilon >= 0) {
		return fmt.Errorf("%w: %+v are no sizes of a model", core.ErrCorrupt, h)
	}
	return nil
}

// kind is how matrices are kept, 0 when the precision is not known.
func (h header) kind() matrix.Kind {
	switch h.Precision {
	case embedder.Int8:
		return matrix.Int8
	case embedder.BF16:
		return matrix.BFloat16
	}
	return 0
}

// model is a packed model, a view of its bytes. It does not change.
type model struct {
	header
	words     words
	positions []float32 // those of the first segment are added
	first     gains     // behind the embeddings
	layers    []layer
}

// words are the embeddings of the vocabulary. Int8: w = low + scale·byte.
type words struct {
	low, scale []float32
	data       []byte
	half       []uint16 // BF16: the upper halves of float32
}

// gains are those of a layer norm.
type gains struct{ gain, bias []float32 }

// layer is a layer of a packed model.
type layer struct {
	qkv, out, up, down                 *matrix.Matrix
	qkvBias, outBias, upBias, downBias []float32
	attended, done                     gains
}

// cursor goes over the parts of a packed model. Without data it only counts.
type cursor struct {
	data []byte
	at   int
	err  error
}

// take returns the next n bytes, nil when counting or after an error.
func (c *cursor) take(n int) []byte {
	c.at = (c.at + packAlign - 1) / packAlign * packAlign
	from := c.at
	c.at += n
	if c.data == nil || c.err != nil {
		return nil
	}
	if c.at > len(c.data) {
		c.err = fmt.Errorf("%w: %d bytes are too few", core.ErrCorrupt, len(c.data))
		return nil
	}
	return c.data[from:c.at:c.at]
}

func numbers[T any](c *cursor, n int) []T {
	var one T
	b := c.take(n * int(unsafe.Sizeof(one)))
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(b))), len(b)/int(unsafe.Sizeof(one)))
}

func (c *cursor) floats(n int) []float32 { return numbers[float32](c, n) }

func (c *cursor) gains(n int) gains { return gains{c.floats(n), c.floats(n)} }

func (c *cursor) matrix(kind matrix.Kind, in, out int) *matrix.Matrix {
	b := c.take(matrix.Size(kind, in, out))
	if b == nil {
		return nil
	}
	m, err := matrix.FromBytes(kind, b, in, out)
	if err != nil {
		c.err = err
	}
	return m
}

// parts goes over the parts of a model.
func (m *model) parts(c *cursor) {
	h, kind := m.Hidden, m.kind()
	if m.Precision == embedder.Int8 {
		m.words = words{low: c.floats(m.Words), scale: c.floats(m.Words), data: c.take(m.Words * h)}
	} else {
		m.words = words{half: numbers[uint16](c, m.Words*h)}
	}
	m.positions, m.first = c.floats(m.Positions*h), c.gains(h)
	m.layers = make([]layer, m.Layers)
	for i := range m.layers {
		m.layers[i] = layer{
			qkv: c.matrix(kind, h, 3*h), qkvBias: c.floats(3 * h),
			out: c.matrix(kind, h, h), outBias: c.floats(h), attended: c.gains(h),
			up: c.matrix(kind, h, m.Inner), upBias: c.floats(m.Inner),
			down: c.matrix(kind, m.Inner, h), downBias: c.floats(h), done: c.gains(h),
		}
	}
}

// openPack looks at a packed model, whose bytes must not change. The error
// matches core.ErrCorrupt.
func openPack(data []byte) (*model, error) {
	if len(data) < 16 || string(data[:8]) != packMagic {
		return nil, fmt.Errorf("%w: it is no packed model of this version", core.ErrCorrupt)
	}
	length := int(binary.LittleEndian.Uint32(data[8:]))
	if length > len(data)-16 || length > 1<<16 {
		return nil, fmt.Errorf("%w: it is cut short", core.ErrCorrupt)
	}
	m := &model{}
	if err := json.NewDecoder(bytes.NewReader(data[16 : 16+length])).Decode(&m.header); err != nil {
		return nil, fmt.Errorf("%w: header of a packed model: %w", core.ErrCorrupt, err)
	}
	if err := m.check(); err != nil {
		return nil, err
	}
	count := cursor{at: 16 + length}
	m.parts(&count)
	if count.at != len(data) {
		return nil, fmt.Errorf("%w: it has %d bytes, not %d", core.ErrCorrupt, len(data), count.at)
	}
	if sum := crc32.Checksum(data[16:], castagnoli); sum != binary.LittleEndian.Uint32(data[12:]) {
		return nil, fmt.Errorf("%w: its checksum is wrong", core.ErrCorrupt)
	}
	c := cursor{data: data, at: 16 + length}
	if m.parts(&c); c.err != nil {
		return nil, c.err
	}
	m.fit()
	return m, nil
}

// fit puts the matrices into the form in which they are multiplied fastest here.
func (m *model) fit() {
	for i := range m.layers {
		l := &m.layers[i]
		for _, w := range []**matrix.Matrix{&l.qkv, &l.out, &l.up, &l.down} {
			*w = (*w).Fit()
		}
	}
}

// pack makes the bytes of a packed model.
func pack(w *weights, p embedder.Precision, source string) ([]byte, error) {
	m := &model{header: header{
		Layout: matrix.Layout, Precision: p, Source: source, Hidden: w.hidden, Heads: w.heads, Layers: len(w.layers),
		Inner: w.layers[0].up.weights.columns, Words: w.words.rows, Positions: w.positions.rows, Epsilon: float32(w.first.epsilon),
	}}
	if err := m.check(); err != nil {
		return nil, unknown("%v", err)
	}
	for _, l := range w.layers {
		if l.up.weights.columns != m.Inner || l.attended.epsilon != w.first.epsilon || l.done.epsilon != w.first.epsilon {
			return nil, unknown("its layers differ in size")
		}
	}
	head, err := json.Marshal(m.header)
	if err != nil {
		return nil, err
	}
	count := cursor{at: 16 + len(head)}
	m.parts(&count)
	c := cursor{data: aligned(count.at), at: 16 + len(head)}
	copy(c.data, packMagic)
	binary.LittleEndian.PutUint32(c.data[8:], uint32(len(head)))
	copy(c.data[16:], head)
	m.parts(&c)
	if c.err != nil {
		return nil, c.err
	}
	if err := m.fill(w); err != nil {
		return nil, err
	}
	binary.LittleEndian.PutUint32(c.data[12:], crc32.Checksum(c.data[16:], castagnoli))
	return c.data, nil
}

// aligned makes n bytes at a multiple of packAlign.
func aligned(n int) []byte {
	b := make([]byte, n+packAlign-1)
	off := int(-uintptr(unsafe.Pointer(&b[0])) & (packAlign - 1))
	return b[off : off+n : off+n]
}

// isAligned tells whether data begins at a multiple of packAlign.
func isAligned(data []byte) bool {
	return uintptr(unsafe.Pointer(unsafe.SliceData(data)))%packAlign == 0
}

// finite tells whether all numbers are.
func finite(x []float32) bool {
	for _, v := range x {
		if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
			return false
		}
	}
	return true
}
