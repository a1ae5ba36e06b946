package matrix

import (
	"fmt"
	"unsafe"
)

// Rows are the left side of products, in the form that the kernels want. The
// zero value is ready for Set. It is for one goroutine at a time.
type Rows struct {
	kind       Kind
	n, width   int
	data       []byte
	scale, low []float32 // Int8 only: per row

	acc  []byte    // place for the sums of a block
	edge []float32 // place for the last outputs of a product
}

// Set takes over n rows of width numbers that lie one after the other in x,
// which is not kept. The numbers must be finite. The memory of the rows before
// is used again, so that nothing is allocated once the largest have been set.
func (r *Rows) Set(kind Kind, x []float32, n, width int) {
	if len(x) != n*width || width < 1 || width > maxInner {
		panic(fmt.Sprintf("matrix: %d numbers are not %d rows of %d", len(x), n, width))
	}
	r.kind, r.n, r.width = kind, n, width
	steps := kind.steps(width)
	size := roundUp(n, pair) * steps * stepBytes
	if cap(r.data) < size {
		r.data = alignedBytes(size)
	}
	r.data = r.data[:size]
	if cap(r.scale) < n {
		r.scale, r.low = make([]float32, roundUp(n, pair)), make([]float32, roundUp(n, pair))
	}
	r.scale, r.low = r.scale[:n], r.low[:n]
	for i := range n {
		to := &r.data[i/tileRows*steps*tileBytes+i%tileRows*stepBytes]
		row := x[i*width : (i+1)*width]
		if kind == Int8 {
			low, high := bounds(row)
			r.scale[i], r.low[i] = (high-low)/255, low
			quantize(row, low, inverse(high-low), to)
		} else {
			roundBFloat16(row, to)
		}
	}
}

// inverse is what 255 steps of a range are multiplied with; 0 for a range that
// is empty or too small to be divided by.
func inverse(span float32) float32 {
	if span < 1e-30 {
		return 0
	}
	return 255 / span
}

// Len returns the number of rows.
func (r *Rows) Len() int { return r.n }

// scratch returns place for the sums of a block of pair × pair, at a multiple of
// 64.
func (r *Rows) scratch() *[pair * pair]float32 {
	if r.acc == nil {
		r.acc = alignedBytes(pair * pair * 4)
	}
	return (*[pair * pair]float32)(unsafe.Pointer(&r.acc[0]))
}
