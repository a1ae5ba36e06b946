package matrix

import (
	"fmt"
	"testing"
)

// layer is the arithmetic of one layer of BERT.
type layer struct {
	heads, size        int
	qkv, out, up, down *Matrix
	zeros, ones        []float32 // biases and gains
	rows               Rows
	attention          Attention
	mixed, wide        []float32
}

func newLayer(b *testing.B, kind Kind, heads, size, most int) *layer {
	rng := newRand(b)
	h := heads * size
	l := &layer{heads: heads, size: size, zeros: make([]float32, 4*h), ones: make([]float32, h)}
	for i := range l.ones {
		l.ones[i] = 1
	}
	for _, m := range []struct {
		to      **Matrix
		in, out int
	}{{&l.qkv, h, 3 * h}, {&l.out, h, h}, {&l.up, h, 4 * h}, {&l.down, 4 * h, h}} {
		*m.to = pack(kind, normals(rng, m.in*m.out), m.in, m.out).Fit()
	}
	l.mixed, l.wide = make([]float32, h*most), make([]float32, 4*h*BlockRows)
	return l
}

// apply goes over texts of as many tokens each; what follows the attention is
// done block by block, so that it stays in the cache.
func (l *layer) apply(x []float32, tokens int) {
	h, kind := l.heads*l.size, l.qkv.Kind()
	n := len(x) / h
	l.rows.Set(kind, x, n, h)
	l.attention.Project(l.qkv, &l.rows, l.zeros[:3*h], l.heads)
	for i := 0; i < n; i += tokens {
		l.attention.Apply(l.mixed[i*h:(i+tokens)*h], i, tokens)
	}
	for i := 0; i < n; i += BlockRows {
		m := min(BlockRows, n-i)
		block := x[i*h : (i+m)*h]
		l.rows.Set(kind, l.mixed[i*h:(i+m)*h], m, h)
		l.out.Mul(block, &l.rows, l.zeros[:h], Add)
		LayerNorm(block, l.ones, l.zeros[:h], 1e-12)
		l.rows.Set(kind, block, m, h)
		l.up.Mul(l.wide[:4*h*m], &l.rows, l.zeros, GELU)
		l.rows.Set(kind, l.wide[:4*h*m], m, 4*h)
		l.down.Mul(block, &l.rows, l.zeros[:h], Add)
		LayerNorm(block, l.ones, l.zeros[:h], 1e-12)
	}
}

// BenchmarkLayer reports how many products of matrices a second a whole layer
// of 12 heads of 32 does.
func BenchmarkLayer(b *testing.B) {
	for name, kind := range kinds {
		b.Run(name, func(b *testing.B) {
			eachSet(b, func(b *testing.B) {
				if level == 0 {
					b.Skip("plain Go is for correctness")
				}
				for _, c := range []struct{ texts, tokens int }{{1, 12}, {8, 12}, {1, 92}, {4, 92}, {1, 256}} {
					n := c.texts * c.tokens
					const heads, size = 12, 32
					l := newLayer(b, kind, heads, size, n)
					x := normals(newRand(b), n*heads*size)
					b.Run(fmt.Sprint(c.texts, "×", c.tokens), func(b *testing.B) {
						for b.Loop() {
							l.apply(x, c.tokens)
						}
						ns := float64(b.Elapsed().Nanoseconds()) / float64(b.N)
						work := 2 * float64(n*12*heads*size*heads*size)
						b.ReportMetric(work/ns, "GOP/s")
						b.ReportMetric(ns/float64(n), "ns/token")
					})
				}
			})
		})
	}
}
