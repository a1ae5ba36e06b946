package matrix

import (
	"fmt"
	"math"
	"unsafe"
)

// Attention computes the attention of one sequence at a time (Vaswani et al.,
// arXiv 1706.03762). The zero value is ready; it holds scratch memory and is for
// one goroutine at a time.
type Attention struct {
	keys, mask, scores []float32
	packed             []byte // for tiles
}

// Apply attends within a sequence of n tokens. qkv has n rows, each of them the
// queries of all heads, then the keys, then the values, heads × size numbers
// each; dst has n rows of heads × size numbers. A size that is no multiple of 32
// is slow.
func (a *Attention) Apply(dst, qkv []float32, n, heads, size int) {
	width := heads * size
	if n < 1 || width < 1 || len(dst) != n*width || len(qkv) != 3*n*width {
		panic(fmt.Sprintf("matrix: attention of %d tokens, %d heads of %d from %d to %d numbers", n, heads, size, len(qkv), len(dst)))
	}
	if size%keyUnit != 0 {
		a.generic(dst, qkv, n, heads, size)
		return
	}
	if usesTiles(size) {
		a.tiles(dst, qkv, n, heads, size)
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
