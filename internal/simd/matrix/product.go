package matrix

import (
	"fmt"
	"unsafe"
)

// Op is what becomes of a product before it is stored.
type Op int

const (
	// Store puts the product and the bias into the destination.
	Store Op = iota
	// GELU stores GELU of the product and the bias.
	GELU
	// Add adds the product and the bias to what the destination holds.
	Add

	storeHalf // as bfloat16, with tiles only
)

// BlockRows is how many rows go over a whole matrix together, so that its weights
// are fetched once for all of them. Whoever does several steps with the same rows
// does well to do so with as many at a time: they then stay in the second-level
// cache.
const BlockRows = 128

// maxWork bounds the multiplications of one call into assembly, which the
// scheduler cannot interrupt: they take 5 µs with AMX and some 150 µs with AVX2.
const maxWork = 8 << 20

// task is a call of a kernel: rows times panels. The kernels in assembly know the
// offsets of its fields.
type task struct {
	x         *byte    // the first tile of the rows
	w         *byte    // the first tile of the weights
	steps     int      // tiles of a block of rows, and of a panel
	rows      int      // from 1 to BlockRows
	pairs     int      // of panels
	acc       *float32 // place for pair × pair sums
	scale     *float32 // per row
	low       *float32
	colScale  *float32 // per output
	colSum    *float32
	bias      *float32
	dst       *float32
	dstStride int // bytes
	op        Op
	ahead     int // with tiles: how often with each step to fetch 256 bytes of the next panels
}

// Mul computes x times the matrix, plus bias, of one number per output, into dst,
// which has x.Len() rows of m.Out() numbers. x was Set with the kind and the
// width of the matrix.
func (m *Matrix) Mul(dst []float32, x *Rows, bias []float32, op Op) {
	m.check(len(dst), x, bias)
	for r := 0; r < x.n; r += BlockRows {
		rows := min(BlockRows, x.n-r)
		t := m.task(x, r, rows, op)
		whole := m.out / pair
		m.pairs(&t, whole, 4, unsafe.Pointer(&dst[r*m.out]), bias)
		if rest := m.out % pair; rest > 0 {
			m.edge(&t, whole, rest, dst[r*m.out:], x, bias)
		}
	}
}

// check panics unless all have the sizes that a product with n numbers has.
func (m *Matrix) check(n int, x *Rows, bias []float32) {
	if x.kind != m.kind || x.width != m.in {
		panic(fmt.Sprintf("matrix: rows of %d numbers of kind %d for a matrix of %d of kind %d", x.width, x.kind, m.in, m.kind))
	}
	if n != x.n*m.out || len(bias) != m.out {
		panic(fmt.Sprintf("matrix: %d numbers and a bias of %d for %d rows of %d", n, len(bias), x.n, m.out))
	}
}

// mulHalf is Mul that stores bfloat16, for a matrix with a multiple of 32 outputs
// on processors with tiles. dst has two bytes for each number.
func (m *Matrix) mulHalf(dst []byte, x *Rows, bias []float32) {
	m.check(len(dst)/2, x, bias)
	for r := 0; r < x.n; r += BlockRows {
		t := m.task(x, r, min(BlockRows, x.n-r), storeHalf)
		m.pairs(&t, m.out/pair, 2, unsafe.Pointer(&dst[2*r*m.out]), bias)
	}
}

// task is what all calls for some rows of x have in common.
func (m *Matrix) task(x *Rows, first, rows int, op Op) task {
	steps := m.kind.steps(m.in)
	return task{
		x: &x.data[first*steps*stepBytes], w: &m.data[0], steps: steps, rows: rows,
		acc: &x.scratch()[0], scale: &x.scale[first], low: &x.low[first], op: op,
	}
}

// pairs multiplies with the first pairs of panels; the numbers stored take size
// bytes.
func (m *Matrix) pairs(t *task, count, size int, dst unsafe.Pointer, bias []float32) {
	t.dstStride = size * m.out
	if blocks := roundUp(t.rows, pair) / pair; blocks > 1 { // else there is no time for it
		t.ahead = (2*tileBytes/256 + blocks - 1) / blocks
	}
	most := max(1, maxWork/(roundUp(t.rows, pair)*t.steps*stepBytes*pair))
	for p := 0; p < count; p += most {
		m.panels(t, p, min(most, count-p), bias)
		t.dst = (*float32)(unsafe.Add(dst, p*pair*size))
		m.run(t)
	}
}

// panels points t at pairs of panels.
func (m *Matrix) panels(t *task, first, count int, bias []float32) {
	t.w = &m.data[first*2*t.steps*tileBytes]
	if m.kind == Int8 {
		t.colScale, t.colSum = &m.scale[first*pair], &m.sum[first*pair]
	}
	t.bias, t.pairs = &bias[first*pair], count
}

// edge does the last outputs, fewer than a pair of panels, by way of a place that
// is wide enough.
func (m *Matrix) edge(t *task, panel, rest int, dst []float32, x *Rows, bias []float32) {
	if x.edge == nil {
		x.edge = make([]float32, pair+BlockRows*pair)
	}
	wide, out := x.edge[:pair], x.edge[pair:]
	clear(wide[copy(wide, bias[panel*pair:]):])
	if t.op == Add {
		for r := range t.rows {
			copy(out[r*pair:], dst[r*m.out+panel*pair:][:rest])
		}
	}
	m.panels(t, panel, 1, bias)
	t.ahead = 0
	t.bias, t.dst, t.dstStride = &wide[0], &out[0], 4*pair
	m.run(t)
	for r := range t.rows {
		copy(dst[r*m.out+panel*pair:][:rest], out[r*pair:])
	}
}

func (m *Matrix) run(t *task) {
	switch {
	case m.fitted:
		productFitted((*byte)(unsafe.Pointer(t)))
	case m.kind == Int8:
		productInt8((*byte)(unsafe.Pointer(t)))
	default:
		productBFloat16((*byte)(unsafe.Pointer(t)))
	}
}
