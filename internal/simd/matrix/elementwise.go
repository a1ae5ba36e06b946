package matrix

import (
	"fmt"
	"math"
)

// LayerNorm brings each row of len(gain) numbers in x to mean 0 and variance 1,
// then multiplies by gain and adds bias (Ba, Kiros and Hinton, arXiv 1607.06450).
// eps is added to the variance.
func LayerNorm(x, gain, bias []float32, eps float32) {
	width := len(gain)
	if width == 0 || len(bias) != width || len(x)%width != 0 {
		panic(fmt.Sprintf("matrix: layer norm of %d numbers with a gain of %d and a bias of %d", len(x), width, len(bias)))
	}
	for ; len(x) > 0; x = x[width:] {
		layerNorm(x[:width], gain, bias, eps)
	}
}

// Sum puts a[i] + b[i] + c[i] into dst[i]: the embedding of a token from those of
// its word, its place and its segment. All have the same length.
func Sum(dst, a, b, c []float32) {
	sum(dst, a[:len(dst)], b[:len(dst)], c[:len(dst)])
}

// MeanPool puts into dst the mean of the rows of len(dst) numbers in x, of which
// there is at least one.
func MeanPool(dst, x []float32) {
	if len(dst) == 0 || len(x) == 0 || len(x)%len(dst) != 0 {
		panic(fmt.Sprintf("matrix: %d numbers are no rows of %d", len(x), len(dst)))
	}
	copy(dst, x)
	for rest := x[len(dst):]; len(rest) > 0; rest = rest[len(dst):] {
		for i := range dst {
			dst[i] += rest[i]
		}
	}
	scale(dst, 1/float32(len(x)/len(dst)))
}

// Normalize scales x to length 1; zeros stay.
func Normalize(x []float32) {
	var squares float64
	for _, v := range x {
		squares += float64(v) * float64(v)
	}
	if squares > 0 {
		scale(x, float32(1/math.Sqrt(squares)))
	}
}

func scale(x []float32, by float32) {
	for i := range x {
		x[i] *= by
	}
}
