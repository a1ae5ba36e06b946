package embedder

import "math"

// Pooling says how the vectors of a text's tokens become the text's vector.
type Pooling string

// The poolings: the mean over all tokens (Sentence-BERT, arXiv 1908.10084), or
// the vector of the first token, [CLS].
const (
	PoolMean Pooling = "mean"
	PoolCLS  Pooling = "cls"
)

// Pool returns the vector of sequence i, of n tokens, scaled to unit length;
// where nothing is to be scaled, as with no tokens, it is all zeros.
// The sum is kept in 64 bits, so that the result does not depend on how texts
// are batched.
func Pool(h Hidden, i, n int, p Pooling) []float32 {
	first := h.Data[h.Offsets[i]*h.Dim:]
	if p == PoolCLS {
		n = min(n, 1)
	}
	sum := make([]float64, h.Dim)
	for t := range n {
		for d, x := range first[t*h.Dim : (t+1)*h.Dim] {
			sum[d] += float64(x)
		}
	}
	var square float64
	for _, x := range sum {
		square += x * x
	}
	scale := 0.0
	if square > 0 {
		scale = 1 / math.Sqrt(square)
	}
	out := make([]float32, h.Dim)
	for d, x := range sum {
		out[d] = float32(x * scale)
	}
	return out
}
