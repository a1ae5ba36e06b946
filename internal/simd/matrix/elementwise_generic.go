package matrix

import (
	"math"
	"unsafe"
)

// layerNormGeneric is LayerNorm of one row.
func layerNormGeneric(x, gain, bias []float32, eps float32) {
	var sum, squares float64
	for _, v := range x {
		sum += float64(v)
	}
	mean := sum / float64(len(x))
	for _, v := range x {
		squares += (float64(v) - mean) * (float64(v) - mean)
	}
	factor := 1 / math.Sqrt(squares/float64(len(x))+float64(eps))
	for i, v := range x {
		x[i] = float32((float64(v)-mean)*factor)*gain[i] + bias[i]
	}
}

// sumGeneric: dst[i] = a[i] + b[i] + c[i].
func sumGeneric(dst, a, b, c []float32) {
	for i := range dst {
		dst[i] = a[i] + b[i] + c[i]
	}
}

// boundsGeneric finds the least and the greatest number.
func boundsGeneric(x []float32) (low, high float32) {
	low, high = x[0], x[0]
	for _, v := range x {
		low, high = min(low, v), max(high, v)
	}
	return low, high
}

// quantizeGeneric puts (x[i]-low)·inv, rounded to even, as bytes into tiles, of
// which to is the place of the row in the first, and zeros behind them.
func quantizeGeneric(x []float32, low, inv float32, to *byte) {
	for i := 0; i < roundUp(len(x), stepBytes); i++ {
		var q byte
		if i < len(x) {
			q = byte(max(0, min(255, math.RoundToEven(float64((x[i]-low)*inv)))))
		}
		*(*byte)(unsafe.Add(unsafe.Pointer(to), i/stepBytes*tileBytes+i%stepBytes)) = q
	}
}

// roundBFloat16Generic puts x as bfloat16 into tiles, as quantizeGeneric does
// with bytes.
func roundBFloat16Generic(x []float32, to *byte) {
	const numbers = stepBytes / 2
	for i := 0; i < roundUp(len(x), numbers); i++ {
		var b uint16
		if i < len(x) {
			b = toBFloat16(x[i])
		}
		*(*uint16)(unsafe.Add(unsafe.Pointer(to), i/numbers*tileBytes+i%numbers*2)) = b
	}
}
