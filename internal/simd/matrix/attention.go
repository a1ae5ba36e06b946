package matrix

import (
	"fmt"
	"math"
	"unsafe"
)

// Attention computes the attention of sequences (Vaswani et al., arXiv
// 1706.03762): Project first, then Apply for one sequence after the other. The
// zero value is ready; it holds scratch memory and is for one goroutine at a time.
type Attention struct {
	n, heads, size     int       // tokens, and numbers of a head
	qkv                []float32 // a row a token: the queries of all heads, the keys, the values
	half               []byte    // the same as bfloat16, for tiles
	keys, mask, scores []float32
	packed             []byte // for tiles
}

// Project makes the queries, keys and values of the tokens whose rows are x. m
// has three outputs for each number of a head: the queries of all heads, then the
// keys, then the values; bias has one number for each output. Heads whose size is
// no multiple of 32 are slow.
func (a *Attention) Project(m *Matrix, x *Rows, bias []float32, heads int) {
	if heads < 1 || m.out%(3*heads) != 0 || x.n < 1 {
		panic(fmt.Sprintf("matrix: %d outputs for %d tokens and %d heads", m.out, x.n, heads))
	}
	a.place(x.n, heads, m.out/(3*heads))
	if usesTiles(a.size) {
		m.mulHalf(a.half[:2*x.n*m.out], x, bias)
		return
	}
	m.Mul(a.qkv, x, bias, Store)
}

// place makes place for the queries, keys and values of n tokens; for tiles, 16 of
// which are loaded at a time, also behind the last.
func (a *Attention) place(n, heads, size int) {
	a.n, a.heads, a.size = n, heads, size
	row := 3 * heads * size
	if usesTiles(size) {
		if need := 2 * (n + tileRows) * row; cap(a.half) < need {
			a.half = alignedBytes(need)
		}
		a.half = a.half[:cap(a.half)]
		return
	}
	if cap(a.qkv) < n*row {
		a.qkv = make([]float32, n*row)
	}
	a.qkv = a.qkv[:n*row]
}

// Apply attends within a sequence: n of the tokens of Project, from first on. dst
// has n rows of all heads' numbers.
func (a *Attention) Apply(dst []float32, first, n int) {
	heads, size := a.heads, a.size
	width := heads * size
	if n < 1 || first < 0 || first+n > a.n || len(dst) != n*width {
		panic(fmt.Sprintf("matrix: attention of %d tokens from %d on of %d, %d heads of %d to %d numbers", n, first, a.n, heads, size, len(dst)))
	}
	if usesTiles(size) {
		a.tiles(dst, first, n, heads, size)
		return
	}
	qkv := a.qkv[3*first*width : 3*(first+n)*width]
	if size%keyUnit != 0 {
		a.generic(dst, qkv, n, heads, size)
		return
	}
	a.prepare(n, size)
	for h := range heads {
		transposeKeys(&qkv[width+h*size], 4*3*width, n, size, &a.keys[0], roundUp(n, keyUnit))
		a.head(dst[h*size:], qkv[h*size:], n, heads, size)
	}
}

const (
	keyUnit    = 32 // keys that a kernel works on together
	queryUnit  = 8  // queries, likewise
	queryBlock = 32 // queries of one call into assembly
)

// attendTask is a call of the kernel: some queries of one head with all keys. The
// kernel in assembly knows the offsets of its fields and counts rows down.
type attendTask struct {
	q         *float32 // the first query
	stride    int      // bytes from one query, key or value to the next
	keys      *float32 // size rows of padded/4 numbers
	mask      *float32 // what is added to the scores of a key
	values    *float32
	scores    *float32 // place for queryUnit rows
	padded    int      // bytes of a row of keys
	n         int      // keys
	size      int
	rows      int // queries
	dst       *float32
	dstStride int
	scale     float32 // of scores, so that 2^score is wanted
	_         float32
	sums      *float32 // place for queryUnit numbers
	width     int      // size in bytes
}

// prepare makes place for a sequence. The mask keeps what pads the keys out of
// the softmax.
func (a *Attention) prepare(n, size int) {
	padded := roundUp(n, keyUnit)
	if need := padded * size; cap(a.keys) < need {
		a.keys = ofBytes[float32](alignedBytes(4 * need))
	}
	if need := queryUnit * (padded + 1); cap(a.scores) < need {
		a.scores = ofBytes[float32](alignedBytes(4 * need))
	}
	if cap(a.mask) < padded {
		a.mask = ofBytes[float32](alignedBytes(4 * padded))
	}
	a.keys, a.scores, a.mask = a.keys[:padded*size], a.scores[:queryUnit*(padded+1)], a.mask[:padded]
	clear(a.mask[:n])
	for i := n; i < padded; i++ {
		a.mask[i] = -1e30
	}
}

// head attends for one head, of which dst and qkv begin with the first row.
func (a *Attention) head(dst, qkv []float32, n, heads, size int) {
	width, padded := heads*size, roundUp(n, keyUnit)
	t := attendTask{
		stride: 4 * 3 * width, keys: &a.keys[0], mask: &a.mask[0], values: &qkv[2*width],
		scores: &a.scores[queryUnit], padded: 4 * padded, n: n, size: size, dstStride: 4 * width,
		scale: float32(math.Log2E / math.Sqrt(float64(size))), sums: &a.scores[0], width: 4 * size,
	}
	for i := 0; i < n; i += queryBlock {
		t.q, t.dst, t.rows = &qkv[3*i*width], &dst[i*width], min(queryBlock, n-i)
		attend((*byte)(unsafe.Pointer(&t)))
	}
}
