package hnsw

import (
	"math"

	"github.com/vecdb/vecdb/internal/simd"
)

// middle is what the vertices lie around: their 1-bit codes tell most when they are
// drawn from there.
type middle struct {
	center []uint8 // codes
	step   float32 // what one of them is worth
	norm2  float32 // squared length of what they stand for
	spread float32 // mean squared distance from there
}

// centerOf is of how many vertices the center is taken.
const centerOf = 1 << 10

// moveTo makes the mean of some of the first n vertices the center.
func (p *middle) moveTo(sl *slab, n int) {
	sums, count, squares := make([]float32, sl.dim), 0, float32(0)
	for v := 0; v < n; v += 1 + n/centerOf {
		step := sl.meta(uint32(v)).step
		for i, c := range sl.highs(uint32(v)) {
			sums[i] += step * float32(int(c)-128)
		}
		count++
		squares += sl.meta(uint32(v)).norm2
	}
	for i := range sums {
		sums[i] /= float32(max(1, count))
	}
	p.step = max(simd.MaxAbs(sums), smallest) / 127
	for i, x := range sums {
		c := math.RoundToEven(float64(x / p.step))
		p.center[i] = uint8(c + 128)
		p.norm2 += p.step * p.step * float32(c*c)
	}
	p.spread = max(0, squares/float32(max(1, count))-p.norm2)
}

// from is the squared distance of the query from the center.
func (p *middle) from(q *query, sl *slab) float32 {
	dot := simd.DotCodes(&p.center[0], &q.codes[0], sl.dim) - 128*q.sum
	return max(0, q.norm2+p.norm2-2*q.scale*p.step*float32(dot))
}
