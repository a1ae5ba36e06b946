package matrix

import (
	"math"
	"unsafe"
)

// generic attends within a sequence with heads of any size, query by query.
func (a *Attention) generic(dst, qkv []float32, n, heads, size int) {
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
				scores[j] = dot
			}
			part := softmax2(scores, float32(math.Log2E/math.Sqrt(float64(size))))
			mix(dst[i*width+h*size:][:size], scores, part, qkv[2*width+h*size:], 3*width)
		}
	}
}

// softmax2 makes 2^(scale·(x[i]-greatest)) of each number and returns 1 by their
// sum.
func softmax2(x []float32, scale float32) float32 {
	_, high := boundsGeneric(x)
	var sum float64
	for i, v := range x {
		e := math.Exp2(float64(scale * (v - high)))
		x[i] = float32(e)
		sum += e
	}
	return float32(1 / sum)
}

// mix puts the sum of the rows of v, weighted by p·part, into out.
func mix(out, p []float32, part float32, v []float32, stride int) {
	clear(out)
	for j, w := range p {
		for c, x := range v[j*stride:][:len(out)] {
			out[c] += w * x
		}
	}
	scale(out, part)
}

// attendGeneric attends for some queries of one head.
func attendGeneric(p *byte) {
	t := (*attendTask)(unsafe.Pointer(p))
	line := func(p *float32, i, stride, n int) []float32 {
		return unsafe.Slice((*float32)(unsafe.Add(unsafe.Pointer(p), i*stride)), n)
	}
	values := line(t.values, 0, 0, (t.n-1)*t.stride/4+t.size)
	for i := range t.rows {
		q, scores := line(t.q, i, t.stride, t.size), line(t.scores, 0, 0, t.n)
		clear(scores)
		for c, v := range q {
			for j, k := range line(t.keys, c, t.padded, t.n) {
				scores[j] += v * k
			}
		}
		mix(line(t.dst, i, t.dstStride, t.size), scores, softmax2(scores, t.scale), values, t.stride/4)
	}
}

// transposeKeysGeneric lays size numbers of n tokens, stride bytes apart, out by
// their place: to has size rows of padded numbers, with zeros behind n.
func transposeKeysGeneric(k *float32, stride, n, size int, to *float32, padded int) {
	rows := unsafe.Slice(to, size*padded)
	for j := range n {
		for c, v := range unsafe.Slice((*float32)(unsafe.Add(unsafe.Pointer(k), j*stride)), size) {
			rows[c*padded+j] = v
		}
	}
	for c := range size {
		clear(rows[c*padded+n : (c+1)*padded])
	}
}
