package native

import (
	"math"
	"slices"
)

// attention goes back from the mixed values to x, from which queries, keys and
// values come.
func (g *graph) attention(mixed, x string, w *weights, l *layerWeights) error {
	joined := g.step(mixed, 2, "Reshape")
	if joined == nil {
		return unknown("the heads of an attention are not joined")
	}
	product := g.step(g.swapped(joined.in[0], 0, 2, 1, 3), 2, "MatMul")
	if product == nil {
		return unknown("an attention does not end in a product")
	}
	softmax := g.step(product.in[0], 1, "Softmax")
	if softmax == nil || softmax.attributes["axis"].integer != 3 && softmax.attributes["axis"].integer != -1 {
		return unknown("an attention has no softmax")
	}
	scores, ok := g.unmasked(softmax.in[0])
	if !ok {
		return unknown("the mask of an attention is of an unknown kind")
	}
	scores, scale := g.scaled(scores)
	dot := g.step(scores, 2, "MatMul")
	if dot == nil {
		return unknown("the scores of an attention are no product")
	}
	heads := [3]int{}
	for i, part := range []struct {
		name string
		to   *linear
		key  bool
	}{{dot.in[0], &l.query, false}, {dot.in[1], &l.key, true}, {product.in[1], &l.value, false}} {
		name, factor := g.scaled(part.name)
		from, n, ok := g.head(name, w.hidden, part.key, part.to)
		if !ok || from != x || part.to == &l.value && factor != 1 {
			return unknown("the queries, keys or values of an attention are not as in BERT")
		}
		heads[i], scale = n, scale*factor
	}
	if heads[1] != heads[0] || heads[2] != heads[0] || w.heads != 0 && w.heads != heads[0] {
		return unknown("the numbers of heads differ")
	}
	w.heads = heads[0]
	if want := 1 / math.Sqrt(float64(w.hidden/w.heads)); !near(scale, want) {
		return unknown("the scores of an attention are multiplied by %g, not %g", scale, want)
	}
	return nil
}

// unmasked goes back over what keeps padding out of the softmax.
func (g *graph) unmasked(name string) (string, bool) {
	if n := g.step(name, 3, "Where"); n != nil { // as DistilBERT does it
		return n.in[2], g.constant(n.in[1]) != nil && g.reaches(n.in[0], inputMask)
	}
	add := g.step(name, 2, "Add")
	if add == nil {
		return "", false
	}
	for i := range 2 {
		if mask := add.in[i]; g.reaches(mask, inputMask) && !g.reaches(mask, inputSegments) && g.step(mask, 1, "MatMul") == nil {
			if other, _ := g.scaled(add.in[1-i]); g.step(other, 2, "MatMul") != nil {
				return add.in[1-i], true
			}
		}
	}
	return "", false
}

// head goes back from the queries, keys or values by heads to what they are
// made from, and returns the number of heads.
func (g *graph) head(name string, hidden int, key bool, to *linear) (from string, heads int, ok bool) {
	apart := ""
	if key {
		if apart = g.swapped(name, 0, 2, 3, 1); apart == "" {
			name = g.swapped(name, 0, 1, 3, 2)
		}
	}
	if apart == "" {
		apart = g.swapped(name, 0, 2, 1, 3)
	}
	reshape := g.step(apart, 2, "Reshape")
	if reshape == nil {
		return "", 0, false
	}
	rows, factor := g.scaled(reshape.in[0])
	if from, *to, ok = g.linear(rows); !ok || factor != 1 {
		return "", 0, false
	}
	heads, ok = g.shape(reshape.in[1], hidden)
	return from, heads, ok
}

// swapped goes back over a transposition and returns what is transposed, "" when
// it is another or none.
func (g *graph) swapped(name string, order ...int64) string {
	n := g.step(name, 1, "Transpose")
	if n == nil || !slices.Equal(n.attributes["perm"].ints, order) {
		return ""
	}
	return n.in[0]
}

// shape returns the number of heads from the shape that rows of hidden numbers
// are brought to: texts × tokens × heads × size.
func (g *graph) shape(name string, hidden int) (heads int, ok bool) {
	sizes := g.integers(name)
	if concat := g.step(name, 4, "Concat"); concat != nil {
		sizes = nil
		for _, part := range concat.in {
			known := g.integers(part)
			if len(known) != 1 {
				known = []int64{0}
			}
			sizes = append(sizes, known...)
		}
	}
	if len(sizes) != 4 {
		return 0, false
	}
	n, size := sizes[2], sizes[3]
	if n <= 0 && size > 0 {
		n = int64(hidden) / size
	}
	if size <= 0 && n > 0 {
		size = int64(hidden) / n
	}
	return int(n), n > 0 && n*size == int64(hidden)
}
