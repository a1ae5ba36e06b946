package embedder

import "math"

// Pooling says how the vectors of a text's tokens become the text's vector.
type Pooling string

// The poolings: the mean over all tokens (Sentence-BERT, arXiv 1908.10084), the
// vector of the first token, [CLS], that of the last token, or the largest of
// each number over all tokens.
const (
	PoolMean Pooling = "mean"
	PoolCLS  Pooling = "cls"
	PoolLast Pooling = "last"
	PoolMax  Pooling = "max"
)

// valid tells whether p is one of the poolings.
func (p Pooling) valid() bool {
	return p == PoolMean || p == PoolCLS || p == PoolLast || p == PoolMax
}

// poolings names them for messages.
const poolings = "use mean, cls, last or max"

// Pool returns the vector of sequence i, of n tokens, scaled to unit length;
// where nothing is to be scaled, as with no tokens, it is all zeros.
// The sum is kept in 64 bits, so that the result does not depend on how texts
// are batched.
func Pool(h Hidden, i, n int, p Pooling) []float32 {
	first := h.Data[h.Offsets[i]*h.Dim:]
	switch {
	case p == PoolCLS:
		n = min(n, 1)
	case p == PoolLast && n > 1:
		first, n = first[(n-1)*h.Dim:], 1
	}
	sum := make([]float64, h.Dim)
	for t := range n {
		row := first[t*h.Dim:][:len(sum)]
		if p == PoolMax && t > 0 {
			for d, x := range row {
				sum[d] = max(sum[d], float64(x))
			}
			continue
		}
		for d, x := range row {
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
