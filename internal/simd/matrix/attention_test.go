package matrix

import (
	"fmt"
	"math"
	"slices"
	"testing"
)

// set takes over queries, keys and values.
func (a *Attention) set(qkv []float32, heads, size int) {
	a.place(len(qkv)/(3*heads*size), heads, size)
	if !usesTiles(size) {
		copy(a.qkv, qkv)
		return
	}
	for i, v := range qkv {
		b := toBFloat16(v)
		a.half[2*i], a.half[2*i+1] = byte(b), byte(b>>8)
	}
}

// exactAttention computes in 64 bits.
func exactAttention(qkv []float32, n, heads, size int) []float64 {
	width := heads * size
	at := func(part, token, head, c int) float64 {
		return float64(qkv[3*token*width+part*width+head*size+c])
	}
	out := make([]float64, n*width)
	for h := range heads {
		for i := range n {
			p, total := make([]float64, n), 0.0
			for j := range p {
				for c := range size {
					p[j] += at(0, i, h, c) * at(1, j, h, c) / math.Sqrt(float64(size))
				}
			}
			high := slices.Max(p)
			for j := range p {
				p[j] = math.Exp(p[j] - high)
				total += p[j]
			}
			for j := range p {
				for c := range size {
					out[i*width+h*size+c] += p[j] / total * at(2, j, h, c)
				}
			}
		}
	}
	return out
}

// attentionBound is how far numbers of about 1 may be off: with tiles they are
// kept as bfloat16.
func attentionBound(size int) float64 {
	if usesTiles(size) {
		return 0.03
	}
	return 1e-5
}

func TestAttentionAgainstItsDefinition(t *testing.T) {
	eachSet(t, func(t *testing.T) {
		rng := newRand(t)
		for _, heads := range [][2]int{{1, 32}, {3, 32}, {2, 64}, {2, 24}} {
			var a Attention
			for _, n := range []int{270, 1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 32, 33, 64, 65} {
				t.Run(fmt.Sprint(n, " tokens, heads ", heads), func(t *testing.T) {
					width := heads[0] * heads[1]
					qkv, got := normals(rng, 3*n*width), guarded(t, n*width)
					a.set(qkv, heads[0], heads[1])
					edge := a // which is unmapped when the next is set
					edge.guard(t)
					edge.Apply(got, 0, n)
					a.packed, a.keys, a.mask, a.scores = edge.packed, edge.keys, edge.mask, edge.scores
					for i, want := range exactAttention(qkv, n, heads[0], heads[1]) {
						if !(math.Abs(float64(got[i])-want) <= attentionBound(heads[1])) {
							t.Fatalf("number %d is %v, want %v", i, got[i], want)
						}
					}
				})
			}
		}
	})
}

func TestKeysAreTransposedAlikeEverywhere(t *testing.T) {
	eachSet(t, func(t *testing.T) {
		rng := newRand(t)
		for _, n := range []int{1, 7, 8, 9, 16, 31, 32, 33, 70} {
			for _, size := range []int{32, 64, 96} {
				stride, padded := 2*size+3, roundUp(n, keyUnit)
				k := guarded(t, (n-1)*stride+size)
				copy(k, normals(rng, len(k)))
				got, want := guarded(t, size*padded), make([]float32, size*padded)
				copy(got, normals(rng, len(got)))
				transposeKeys(&k[0], 4*stride, n, size, &got[0], padded)
				transposeKeysGeneric(&k[0], 4*stride, n, size, &want[0], padded)
				if !slices.Equal(got, want) {
					t.Errorf("%d keys of %d differ", n, size)
				}
			}
		}
	})
}

func TestAttentionOfLargeScoresStaysFinite(t *testing.T) {
	eachSet(t, func(t *testing.T) {
		const n, size = 20, 32
		rng := newRand(t)
		qkv, got := normals(rng, 3*n*size), make([]float32, n*size)
		for i, v := range qkv { // The scores are about 150; exp of 89 is none any more.
			// Tiles keep bfloat16, which would put scores off by up to ½.
			b := toBFloat16(12 * v)
			qkv[i] = fromBFloat16(byte(b), byte(b>>8))
		}
		var a Attention
		a.set(qkv, 1, size)
		a.Apply(got, 0, n)
		bound := 0.02
		if usesTiles(size) { // Weights are within 1 % and values about 12.
			bound = 0.5
		}
		for i, want := range exactAttention(qkv, n, 1, size) {
			if !(math.Abs(float64(got[i])-want) < bound) {
				t.Fatalf("number %d is %v, want %v", i, got[i], want)
			}
		}
	})
}

func BenchmarkAttention(b *testing.B) {
	eachSet(b, func(b *testing.B) {
		rng := newRand(b)
		for _, n := range []int{12, 92, 256, 512} {
			b.Run(fmt.Sprint(n), func(b *testing.B) {
				const heads, size = 12, 32
				qkv, dst := normals(rng, 3*n*heads*size), make([]float32, n*heads*size)
				var a Attention
				a.set(qkv, heads, size)
				for b.Loop() {
					a.Apply(dst, 0, n)
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/token")
			})
		}
	})
}

// guard moves the queries, keys and values to where their end touches a page that
// must not be touched.
func (a *Attention) guard(t *testing.T) {
	if len(a.half) > 0 {
		half := guardedBytes(t, 2*3*(a.n+tileRows)*a.heads*a.size)
		copy(half, a.half)
		a.half = half
		return
	}
	qkv := guarded(t, len(a.qkv))
	copy(qkv, a.qkv)
	a.qkv = qkv
}
