package hnsw

import (
	"math"
	"slices"

	"github.com/vecdb/vecdb/index"
	"github.com/vecdb/vecdb/internal/simd"
)

// space brings the vectors of each metric into one space in which a smaller
// squared distance is a better score and lengths are about 1:
//
//   - Cosine: vectors are normalised.
//   - L2: the center of a sample is subtracted, and the rest divided by its
//     mean length.
//   - Dot: vectors are divided by a bound of their lengths; to each stored one a
//     number is appended that makes its length 1, and a zero to queries, which
//     are scaled to length 1 (Bachrach et al., "Speeding up the Xbox
//     recommender system using a Euclidean transformation", 2014).
//
// Then they are padded with zeros to a multiple of 64 numbers and rotated.
type space struct {
	metric index.Metric
	dim    int       // of the vectors that are given
	padded int       // of those that are stored
	center []float64 // L2 only
	unit   float64   // what a length of 1 is outside
	fill   float64   // Dot only: mean squared length of the vectors in units
	rot    *rotation
}

// padding is what the lengths of stored vectors are a multiple of.
const padding = 64

func paddedDim(metric index.Metric, dim int) int {
	if metric == index.Dot {
		dim++
	}
	return (dim + padding - 1) / padding * padding
}

// newSpace returns a space fit for vectors like those of sample.
func newSpace(metric index.Metric, dim int, seed uint64, sample [][]float32) *space {
	sp := &space{metric: metric, dim: dim, padded: paddedDim(metric, dim), unit: 1, fill: 1}
	sp.rot = newRotation(sp.padded, seed+1)
	var keep [][]float32
	for _, v := range sample {
		if squared(v) < longest {
			keep = append(keep, v)
		}
	}
	switch metric {
	case index.L2:
		sp.center = make([]float64, dim)
		for range 3 { // as outliers move the center, it is found without them
			sp.moveTo(keep)
			keep = withoutOutliers(keep, sp.fromCenter)
		}
		sp.moveTo(keep)
		if mean := meanOf(keep, sp.fromCenter); mean > 0 {
			sp.unit = math.Sqrt(mean)
		}
	case index.Dot:
		most := 0.0
		for _, v := range withoutOutliers(keep, squared) {
			most = max(most, squared(v))
		}
		if most > 0 {
			sp.unit = 1.001 * math.Sqrt(most)
		}
		sp.fill = meanOf(keep, squared) / (sp.unit * sp.unit)
	}
	return sp
}

// grow makes the unit of the space that many times longer.
func (sp *space) grow(times float64) {
	sp.unit *= times
	if sp.metric == index.Dot {
		sp.fill /= times * times
	}
}

// breadth is that of searches that ask for none. Inner products with vectors of
// very different lengths need more, as those much shorter than the longest lie
// together, far from every query, and the nearest are scattered around them.
func (sp *space) breadth() int {
	return int(defaultEf * max(1, min(mostOfDefault, 1/math.Sqrt(sp.fill))))
}

// mostOfDefault is how often the default breadth is taken at most.
const mostOfDefault = 8

// meanOf is the mean of a number of each vector, 0 of none.
func meanOf(vectors [][]float32, of func([]float32) float64) float64 {
	sum := 0.0
	for _, v := range vectors {
		sum += of(v) / float64(len(vectors))
	}
	return sum
}

// moveTo makes the mean of vectors the center.
func (sp *space) moveTo(vectors [][]float32) {
	clear(sp.center)
	for n, v := range vectors {
		for i, x := range v {
			sp.center[i] += (float64(x) - sp.center[i]) / float64(n+1)
		}
	}
}

// fromCenter is the squared distance of v from the center.
func (sp *space) fromCenter(v []float32) float64 {
	s := 0.0
	for i, x := range v {
		d := float64(x) - sp.center[i]
		s += d * d
	}
	return s
}

// withoutOutliers returns the vectors whose squared length is up to 16 times
// that which nine in ten have.
func withoutOutliers(vectors [][]float32, squared func([]float32) float64) [][]float32 {
	var lengths []float64
	for _, v := range vectors {
		lengths = append(lengths, squared(v))
	}
	if len(lengths) == 0 {
		return nil
	}
	sorted := slices.Sorted(slices.Values(lengths))
	most := 16 * sorted[len(sorted)*9/10]
	var out [][]float32
	for i, v := range vectors {
		if lengths[i] <= most {
			out = append(out, v)
		}
	}
	return out
}

// longest is the squared length from which 32-bit arithmetic is in danger.
// Vectors of that length are kept apart from the graph.
const longest = 1e24

// regular reports whether a squared length is far from where 32-bit arithmetic
// ends.
func regular(squared float64) bool { return squared > 1e-24 && squared < longest }

func squared(v []float32) float64 {
	s := float64(simd.Dot(v, v))
	if regular(s) {
		return s
	}
	s = 0
	for _, x := range v {
		s += float64(x) * float64(x)
	}
	return s
}

// farthest is how many units a vector may be from the center. Estimates in half
// precision cannot tell farther ones apart.
const farthest = 64

// fits reports whether v can be stored in the graph.
func (sp *space) fits(v []float32) bool {
	switch sp.metric {
	case index.L2:
		return squared(v) < longest && sp.fromCenter(v) <= farthest*farthest*sp.unit*sp.unit
	case index.Dot:
		return squared(v) <= sp.unit*sp.unit
	}
	return true
}

// query is a vector that is searched for or inserted, in the forms that the
// kernels read. With y the vector in the space of the index:
type query struct {
	rot    []float32 // y
	codes  []int8    // y/scale, rounded
	most   float32   // largest size of a number of y, above 0
	scale  float32
	sum    int32   // of codes
	full2  float32 // |y|²
	norm2  float32 // squared length of what codes stand for
	table  []uint8 // of 1-bit estimates, for ScanBlock
	small  []int8
	spread []int8  // those of small as EstimateList wants them
	mul    float32 // Σ±y is mul times the sum of table entries plus add
	add    float32
	worth  float32 // what an inner product here is worth outside
	// What is stored of y:
	high  []uint8 // 8 bits a number, offset by 128
	fine  []uint8 // 4 bits more, as DotFine wants them
	step  float32 // what one of high is worth
	total int32   // Σ high-128
	high2 float32 // squared length of what high stands for
}

func newQuery(dim int) *query {
	return &query{
		rot: aligned[float32](dim), codes: aligned[int8](dim), small: aligned[int8](dim),
		table: aligned[uint8](dim * 4), spread: aligned[int8](simd.RowLen(dim)), high: aligned[uint8](dim), fine: aligned[uint8](dim / 2),
	}
}

// prepare brings v into the space as a query; stored says that it is to be
// stored.
func (sp *space) prepare(q *query, v []float32, stored bool) {
	clear(q.rot[len(v):])
	s := squared(v)
	switch sp.metric {
	case index.L2:
		q.worth = float32(sp.unit * sp.unit)
		s = 0
		for i, x := range v {
			d := (float64(x) - sp.center[i]) / sp.unit
			q.rot[i] = float32(d)
			s += d * d
		}
	case index.Dot:
		if stored {
			scaleTo(q.rot, v, 1/sp.unit)
			q.rot[len(v)] = float32(math.Sqrt(max(0, 1-s/(sp.unit*sp.unit))))
		} else {
			length := math.Sqrt(s)
			scaleTo(q.rot, v, 1/length)
			q.worth = float32(min(math.MaxFloat32, length*sp.unit))
		}
		s = 1
	default:
		scaleTo(q.rot, v, 1/math.Sqrt(s))
		s = 1
	}
	q.full2 = float32(s)
	sp.rot.apply(q.rot)
	q.encode()
}

func scaleTo(out, v []float32, by float64) {
	if f := float32(by); by > 1e-18 && by < 1e18 {
		for i, x := range v {
			out[i] = x * f
		}
		return
	}
	for i, x := range v {
		out[i] = float32(float64(x) * by)
	}
}

// smallest is the least scale of codes; it stands in for the scale of zero.
const smallest = 1e-37

// encode makes the codes of a query, which estimates and pack build on.
func (q *query) encode() {
	q.most = max(simd.MaxAbs(q.rot), smallest)
	q.scale = q.most / 127
	q.sum = simd.Quantize(&q.rot[0], 127/q.most, len(q.rot), &q.codes[0])
	// Σ c² is Σ (c+128)·c - 128·Σ c; high is free until pack.
	codes, offset := wordsOf(&q.codes[0], len(q.codes)), wordsOf(&q.high[0], len(q.high))
	for i, w := range codes {
		offset[i] = w ^ flipSigns
	}
	squares := simd.DotCodes(&q.high[0], &q.codes[0], len(q.codes)) - 128*q.sum
	q.norm2 = q.scale * q.scale * float32(squares)
}

// shortTop is the largest of the short codes of a query.
const shortTop = 15

// shorten makes codes of five bits.
func (q *query) shorten() {
	simd.Quantize(&q.rot[0], shortTop/q.most, len(q.rot), &q.small[0])
}

// estimates makes the table of 1-bit estimates.
func (q *query) estimates() {
	q.shorten()
	groups := len(q.rot) / 4
	simd.BuildTable(&q.small[0], &q.table[0], groups)
	// The table adds 64 for each group.
	q.mul = q.most / shortTop
	q.add = -q.mul * 64 * float32(groups)
}

// pack makes the codes that are stored.
func (q *query) pack() {
	const top = 127.4375 // 16·127 + 7 sixteenths
	q.step = q.most / top
	inv := 16 / q.step
	clear(q.fine)
	q.total = 0
	squares := int32(0)
	const magic = 3 << 22 // adding it rounds to the nearest integer
	for i, x := range q.rot {
		w := int32(math.Float32bits(x*inv+magic)) - int32(math.Float32bits(magic))
		w = max(-2039, min(2039, w))
		hi := (w + 8) >> 4
		lo := w - hi*16 + 8
		q.high[i] = uint8(hi + 128)
		q.total += hi
		squares += hi * hi
		q.fine[i/64*32+i%32] |= uint8(lo) << (i % 64 / 32 * 4)
	}
	q.high2 = q.step * q.step * float32(squares)
}

// restore turns a vector of the space into one as it was given, but for what
// its codes have lost and, for Cosine, its length. It changes y.
func (sp *space) restore(y []float32) []float32 {
	sp.rot.invert(y)
	y = y[:sp.dim:sp.dim]
	for i := range y {
		x := float64(y[i]) * sp.unit
		if sp.center != nil {
			x += sp.center[i]
		}
		y[i] = float32(x)
	}
	return y
}

// far reports whether q is so far away that its distances need 64 bits.
func (q *query) far() bool { return !(q.full2 < longest) }

// score turns an inner product in the space into a score of the metric; full2
// is the squared length of the stored vector.
func (sp *space) score(q *query, dot, full2 float32) float32 {
	switch sp.metric {
	case index.L2:
		return max(-math.MaxFloat32, min(0, (2*dot-q.full2-full2)*q.worth))
	case index.Dot:
		return max(-math.MaxFloat32, min(math.MaxFloat32, dot*q.worth))
	}
	return max(-1, min(1, dot))
}
