package recommender

import (
	"cmp"
	"math"
	"slices"
)

// Model knows for each item which others speak for it. It does not change and
// is safe for concurrent use.
type Model struct {
	info    Info
	items   []string // the most used first
	popular []float32

	starts  []uint32 // of each item among the weights, and their end
	to      []uint32
	weights []float32

	dim   int
	mean  []float32 // of the vectors
	codes []int8    // the vectors less the mean, of unit length, in 8 bits
	scale []float32 // of the codes of an item

	number   map[string]uint32
	byPop    []uint32 // the most popular first
	freshPop float32  // of the most popular
}

// Info describes the model.
func (m *Model) Info() Info { return m.info }

// SizeBytes estimates the memory that the model takes, in bytes.
func (m *Model) SizeBytes() int64 {
	n := int64(len(m.items))
	for _, id := range m.items {
		n += int64(len(id))
	}
	return n*80 + int64(8*len(m.weights)) + int64(len(m.codes))
}

// setRows takes over the weights of each item to others.
func (m *Model) setRows(rows [][]weight) {
	m.starts = make([]uint32, 1, len(rows)+1)
	for _, row := range rows {
		// In the order of their items, so that a sum goes through memory forwards.
		slices.SortFunc(row, func(a, b weight) int { return cmp.Compare(a.to, b.to) })
		for _, w := range row {
			m.to, m.weights = append(m.to, w.to), append(m.weights, w.value)
		}
		m.starts = append(m.starts, uint32(len(m.to)))
	}
}

// setVectors keeps the vectors of the items, and leaves them without their mean
// and with unit length.
func (m *Model) setVectors(vectors [][]float32) {
	if len(vectors) == 0 {
		return
	}
	m.dim = len(vectors[0])
	sum := make([]float64, m.dim)
	for _, v := range vectors {
		scaled(v, 1/norm(v))
		for i, x := range v {
			sum[i] += float64(x)
		}
	}
	m.mean = make([]float32, m.dim)
	for i, x := range sum {
		m.mean[i] = float32(x / float64(len(vectors)))
	}
	m.codes, m.scale = make([]int8, len(vectors)*m.dim), make([]float32, len(vectors))
	for i, v := range vectors {
		m.center(v)
		most := float32(0)
		for _, x := range v {
			most = max(most, x, -x)
		}
		if most == 0 {
			continue
		}
		m.scale[i] = most / 127
		for k, x := range v {
			m.codes[i*m.dim+k] = int8(math.Round(float64(x / m.scale[i])))
		}
	}
}

// center takes the mean from a vector of unit length and gives it unit length
// again.
func (m *Model) center(v []float32) {
	for i := range v {
		v[i] -= m.mean[i]
	}
	scaled(v, 1/norm(v))
}

// centered returns the vector of a document as those of the items are kept: less
// the mean, of unit length.
func (m *Model) centered(vector []float32) []float32 {
	v := slices.Clone(vector)
	scaled(v, 1/norm(v))
	m.center(v)
	return v
}

// scaled multiplies v by a factor; infinite ones stand for a vector of no
// length, which stays.
func scaled(v []float32, factor float32) {
	if math.IsInf(float64(factor), 0) {
		return
	}
	for i := range v {
		v[i] *= factor
	}
}

func norm(v []float32) float32 {
	var sum float64
	for _, x := range v {
		sum += float64(x) * float64(x)
	}
	return float32(math.Sqrt(sum))
}

// prepare makes what follows from the rest.
func (m *Model) prepare() {
	m.number = make(map[string]uint32, len(m.items))
	m.byPop = make([]uint32, len(m.items))
	for i, id := range m.items {
		m.number[id], m.byPop[i] = uint32(i), uint32(i)
	}
	slices.SortStableFunc(m.byPop, func(a, b uint32) int { return cmp.Compare(m.popular[b], m.popular[a]) })
	if len(m.byPop) > 0 {
		m.freshPop = m.popular[m.byPop[0]]
	}
}

// Knows reports whether the model has learnt about an item.
func (m *Model) Knows(item string) bool {
	_, known := m.number[item]
	return known
}

// Popular returns the n most popular items, by what was liked of late, with
// scores from 1 down.
func (m *Model) Popular(n int) []Candidate {
	var out []Candidate
	for _, i := range m.byPop[:min(n, len(m.byPop))] {
		out = append(out, Candidate{Item: m.items[i], Score: m.popular[i] / max(m.freshPop, 1e-30)})
	}
	return out
}

// row returns the weights of an item to others.
func (m *Model) row(i uint32) (to []uint32, weights []float32) {
	from, end := m.starts[i], m.starts[i+1]
	return m.to[from:end], m.weights[from:end]
}

// addVector adds factor times the vector of an item to sum.
func (m *Model) addVector(sum []float32, i uint32, factor float32) {
	factor *= m.scale[i]
	for k, c := range m.codes[int(i)*m.dim : (int(i)+1)*m.dim] {
		sum[k] += factor * float32(c)
	}
}

// cosine returns that of the vector of an item with one of unit length.
func (m *Model) cosine(i uint32, v []float32) float32 {
	codes := m.codes[int(i)*m.dim : (int(i)+1)*m.dim]
	v = v[:len(codes)]
	var a, b, c, d float32 // sums of their own let the processor add in parallel
	k := 0
	for ; k+4 <= len(codes); k += 4 {
		a += v[k] * float32(codes[k])
		b += v[k+1] * float32(codes[k+1])
		c += v[k+2] * float32(codes[k+2])
		d += v[k+3] * float32(codes[k+3])
	}
	for ; k < len(codes); k++ {
		a += v[k] * float32(codes[k])
	}
	return (a + b + c + d) * m.scale[i]
}
