//go:build !purego

package matrix

import "unsafe"

// The kernels for rows take multiples of some numbers only; rows of other lengths
// go the way of plain Go.

func layerNorm(x, gain, bias []float32, eps float32) {
	if len(x)%16 != 0 {
		layerNormGeneric(x, gain, bias, eps)
		return
	}
	normRow(&x[0], &gain[0], &bias[0], len(x), eps)
}

func sum(dst, a, b, c []float32) {
	whole := len(dst) &^ 15
	if whole > 0 {
		sumRow(&dst[0], &a[0], &b[0], &c[0], whole)
	}
	sumGeneric(dst[whole:], a[whole:], b[whole:], c[whole:])
}

func bounds(x []float32) (low, high float32) {
	if len(x)%64 != 0 {
		return boundsGeneric(x)
	}
	return boundsOf(&x[0], len(x))
}

func quantize(x []float32, low, inv float32, to *byte) {
	if len(x)%64 != 0 {
		quantizeGeneric(x, low, inv, to)
		return
	}
	quantizeRow(&x[0], low, inv, len(x), to)
}

func roundBFloat16(x []float32, to *byte) {
	if len(x)%32 != 0 {
		roundBFloat16Generic(x, to)
		return
	}
	roundRow(&x[0], len(x), to)
}

// The twins of the kernels in assembly, as these are called.

func normRowGeneric(x, gain, bias *float32, n int, eps float32) {
	layerNormGeneric(unsafe.Slice(x, n), unsafe.Slice(gain, n), unsafe.Slice(bias, n), eps)
}

func sumRowGeneric(dst, a, b, c *float32, n int) {
	sumGeneric(unsafe.Slice(dst, n), unsafe.Slice(a, n), unsafe.Slice(b, n), unsafe.Slice(c, n))
}

func boundsOfGeneric(x *float32, n int) (low, high float32) { return boundsGeneric(unsafe.Slice(x, n)) }

func quantizeRowGeneric(x *float32, low, inv float32, n int, to *byte) {
	quantizeGeneric(unsafe.Slice(x, n), low, inv, to)
}

func roundRowGeneric(x *float32, n int, to *byte) { roundBFloat16Generic(unsafe.Slice(x, n), to) }
