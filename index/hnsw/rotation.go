package hnsw

import (
	"math/rand/v2"

	"github.com/vecdb/vecdb/internal/simd"
)

// rounds is how often a rotation flips signs and mixes.
const rounds = 3

// rotation is a random orthogonal map: rounds of random sign flips and
// Walsh-Hadamard transforms, over the whole vector where its length is a power
// of two and else over the first and then the last of the largest power of two
// that fits. It spreads each vector evenly over all dimensions, which is what
// makes one bit or eight a dimension tell much.
type rotation struct {
	dim   int // of the padded vector
	block int // the largest power of two up to dim
	signs [][]float32
}

func newRotation(dim int, seed uint64) *rotation {
	r := &rotation{dim: dim, block: 1}
	for r.block*2 <= dim {
		r.block *= 2
	}
	passes := rounds
	if r.block < dim {
		passes *= 2
	}
	rng := rand.New(rand.NewPCG(seed, 0x726f74617465))
	for range passes {
		s := make([]float32, dim)
		for i := range s {
			s[i] = float32(rng.IntN(2)*2 - 1)
		}
		r.signs = append(r.signs, s)
	}
	return r
}

// apply rotates v in place.
func (r *rotation) apply(v []float32) {
	for p, signs := range r.signs {
		simd.Multiply(v, signs)
		simd.Hadamard(r.part(v, p))
	}
}

// invert undoes apply.
func (r *rotation) invert(v []float32) {
	for p := len(r.signs) - 1; p >= 0; p-- {
		simd.Hadamard(r.part(v, p))
		simd.Multiply(v, r.signs[p])
	}
}

// part is what pass p mixes.
func (r *rotation) part(v []float32, p int) []float32 {
	if p%2 == 0 || r.block == r.dim {
		return v[:r.block]
	}
	return v[r.dim-r.block:]
}
