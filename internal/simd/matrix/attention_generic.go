package matrix

import "math"

// apply goes query by query, so that the scores of one query are all that is
// kept.
func (a *Attention) apply(dst, qkv []float32, n, heads, size int) {
	if cap(a.scores) < n {
		a.scores = make([]float32, n)
	}
	scores, width := a.scores[:n], heads*size
	for h := range heads {
		for i := range n {
			q := qkv[3*i*width+h*size:][:size]
			for j := range scores {
				k := qkv[3*j*width+width+h*size:][:size]
				var dot float32
				for c, v := range q {
					dot += v * k[c]
				}
				scores[j] = dot / float32(math.Sqrt(float64(size)))
			}
			softmaxGeneric(scores)
			out := dst[i*width+h*size:][:size]
			clear(out)
			for j, p := range scores {
				for c, v := range qkv[3*j*width+2*width+h*size:][:size] {
					out[c] += p * v
				}
			}
		}
	}
}

// softmaxGeneric makes exp(x[i]) of each number, as a part of their sum.
func softmaxGeneric(x []float32) {
	_, high := boundsGeneric(x)
	var sum float64
	for i, v := range x {
		e := math.Exp(float64(v - high))
		x[i] = float32(e)
		sum += e
	}
	scale(x, float32(1/sum))
}
