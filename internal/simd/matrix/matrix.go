package matrix

import (
	"fmt"
	"math"
	"unsafe"
)

// Layout is the number of the layout of packed weights, for those who keep what
// Bytes returns.
const Layout = 1

// Kind is how numbers are kept for a product.
type Kind uint8

const (
	// Int8 keeps numbers as bytes; see the package comment.
	Int8 Kind = 1 + iota
	// BFloat16 keeps the upper 16 bits of each float32, rounded to even.
	BFloat16
)

const (
	tileRows  = 16                   // rows of a tile, and outputs of a panel
	stepBytes = 64                   // bytes of the inner dimension in a tile
	tileBytes = tileRows * stepBytes // size of a tile
	pair      = 2 * tileRows         // outputs that a kernel works on together
	maxInner  = 1 << 16              // so that a sum of bytes stays below 2^31
)

// numbersPerStep is how many numbers lie in 64 bytes.
func (k Kind) numbersPerStep() int {
	if k == Int8 {
		return stepBytes
	}
	return stepBytes / 2
}

// steps is how many steps n numbers of the inner dimension take.
func (k Kind) steps(n int) int { return roundUp(n, k.numbersPerStep()) / k.numbersPerStep() }

func roundUp(n, multiple int) int { return (n + multiple - 1) / multiple * multiple }

// Matrix is a packed matrix of weights, out × in. It does not change and may be
// used from many goroutines.
type Matrix struct {
	kind       Kind
	in, out    int
	data       []byte
	scale, sum []float32 // Int8 only: per output, padded
	fitted     bool      // by Fit
}

// Size returns how many bytes a packed matrix takes.
func Size(kind Kind, in, out int) int {
	padded := roundUp(out, pair)
	size := padded * kind.steps(in) * stepBytes
	if kind == Int8 {
		size += 2 * 4 * padded
	}
	return size
}

// Pack makes a matrix. row is called once for each output from 0 to out-1 and
// fills w, which has place for in numbers, with the output's weights; these must
// be finite. in is at most 65,536.
func Pack(kind Kind, in, out int, row func(output int, w []float32)) *Matrix {
	m, err := FromBytes(kind, alignedBytes(Size(kind, in, out)), in, out)
	if err != nil {
		panic(err)
	}
	m.Fill(row)
	return m
}

// Fill packs weights into a matrix that FromBytes made of zeros and that nobody
// uses yet; row is as for Pack.
func (m *Matrix) Fill(row func(output int, w []float32)) {
	w := make([]float32, m.in)
	for o := range m.out {
		row(o, w)
		if m.kind == Int8 {
			m.packInt8(o, w)
		} else {
			m.packBFloat16(o, w)
		}
	}
}

// FromBytes makes a matrix of what Bytes returned. It keeps data, which must not
// change and may be a part of a mapped file, unless its address is not a multiple
// of 64: then it copies. The numbers are in the order of bytes of the machine
// that packed them, which for all that we build for is the little-endian one.
func FromBytes(kind Kind, data []byte, in, out int) (*Matrix, error) {
	if kind != Int8 && kind != BFloat16 {
		return nil, fmt.Errorf("matrix: unknown kind %d", kind)
	}
	if in < 1 || in > maxInner || out < 1 || out > 1<<24 {
		return nil, fmt.Errorf("matrix: %d × %d is no size of a matrix", out, in)
	}
	if len(data) != Size(kind, in, out) {
		return nil, fmt.Errorf("matrix: %d bytes are not a matrix of %d × %d, which takes %d", len(data), out, in, Size(kind, in, out))
	}
	if uintptr(unsafe.Pointer(&data[0]))%stepBytes != 0 {
		data = append(alignedBytes(len(data))[:0], data...)
	}
	m := &Matrix{kind: kind, in: in, out: out, data: data}
	if kind == Int8 {
		padded := roundUp(out, pair)
		factors := ofBytes[float32](data[padded*kind.steps(in)*stepBytes:])
		m.scale, m.sum = factors[:padded], factors[padded:]
	}
	return m, nil
}

// Bytes returns the matrix as bytes for FromBytes. They are not to be changed.
func (m *Matrix) Bytes() []byte { return m.data }

// Kind returns how the weights are kept.
func (m *Matrix) Kind() Kind { return m.kind }

// In returns the length of the rows that the matrix is multiplied with.
func (m *Matrix) In() int { return m.in }

// Out returns the length of the rows of a product.
func (m *Matrix) Out() int { return m.out }

// place is where the 4 bytes of an output begin that hold byte i of its weights.
func (m *Matrix) place(output, i int) int {
	steps := m.kind.steps(m.in)
	tile := output/tileRows*steps + i/stepBytes
	return tile*tileBytes + i%stepBytes/4*stepBytes + output%tileRows*4
}

func (m *Matrix) packInt8(output int, w []float32) {
	scale := maxAbs(w) / 127
	m.scale[output] = scale
	if scale == 0 {
		return
	}
	sum := 0
	for i, v := range w {
		p := int(math.RoundToEven(float64(v) / float64(scale)))
		p = max(-127, min(127, p))
		m.data[m.place(output, i)+i%4] = byte(int8(p))
		sum += p
	}
	m.sum[output] = float32(sum)
}

func maxAbs(x []float32) float32 {
	var m float32
	for _, v := range x {
		m = max(m, v, -v)
	}
	return m
}

func (m *Matrix) packBFloat16(output int, w []float32) {
	for i, v := range w {
		b := toBFloat16(v)
		at := m.place(output, 2*i) + 2*i%4
		m.data[at], m.data[at+1] = byte(b), byte(b>>8)
	}
}

// toBFloat16 rounds to the nearest, ties to even; what is no number stays none.
func toBFloat16(v float32) uint16 {
	bits := math.Float32bits(v)
	if v != v {
		return uint16(bits>>16) | 0x40
	}
	return uint16((bits + 0x7fff + bits>>16&1) >> 16)
}

// alignedBytes makes n bytes at a multiple of 64.
func alignedBytes(n int) []byte {
	b := make([]byte, n+stepBytes-1)
	off := int(-uintptr(unsafe.Pointer(&b[0])) & (stepBytes - 1))
	return b[off : off+n : off+n]
}

// ofBytes looks at bytes as numbers of another type.
func ofBytes[T any](b []byte) []T {
	var one T
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(b))), len(b)/int(unsafe.Sizeof(one)))
}
