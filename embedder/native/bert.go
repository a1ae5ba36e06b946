package native

import (
	"math"
	"slices"
)

// weights are those of a model as its file has them.
type weights struct {
	hidden, heads int
	words         *table
	positions     *table
	segments      *table // nil where the model has none
	first         norm   // behind the embeddings
	layers        []layerWeights
}

// layerWeights are those of a layer.
type layerWeights struct {
	query, key, value, out, up, down linear
	attended, done                   norm
}

// The names of the inputs, as all exporters give them.
const (
	inputIDs      = "input_ids"
	inputMask     = "attention_mask"
	inputSegments = "token_type_ids"
)

// maxLayers is more than any model has.
const maxLayers = 1000

// readWeights follows the graph from its output back to its inputs. The error
// matches ErrArchitecture when a step is not that of a BERT encoder.
func readWeights(g *graph) (*weights, error) {
	name, err := g.output()
	if err != nil {
		return nil, err
	}
	w := &weights{hidden: g.width(name)}
	if w.hidden == 0 {
		return nil, unknown("its output does not come from a layer norm")
	}
	for range maxLayers {
		in, l, ok := g.norm(name, w.hidden)
		if !ok {
			return nil, unknown("layer %d from the end does not end in a layer norm", len(w.layers)+1)
		}
		if g.embeddings(in, w) {
			w.first = l
			slices.Reverse(w.layers)
			return w, w.check()
		}
		layer := layerWeights{done: l}
		if name, err = g.layer(in, w, &layer); err != nil {
			return nil, err
		}
		w.layers = append(w.layers, layer)
	}
	return nil, unknown("it has more than %d layers", maxLayers)
}

// output returns the output with one vector a token.
func (g *graph) output() (string, error) {
	for _, name := range g.inputs {
		if name != inputIDs && name != inputMask && name != inputSegments && g.tensors[name] == nil {
			return "", unknown("it wants an input %.80q", name)
		}
	}
	for _, want := range []string{"last_hidden_state", "token_embeddings"} {
		if slices.Contains(g.outputs, want) {
			return want, nil
		}
	}
	if len(g.outputs) == 0 {
		return "", damaged("it has no output")
	}
	return g.outputs[0], nil
}

// width is the length of the gain of the layer norm that computes name.
func (g *graph) width(name string) int {
	gain := ""
	if n := g.step(name, 3, "LayerNormalization"); n != nil {
		gain = n.in[1]
	} else if add := g.step(name, 2, "Add"); add != nil {
		_, rest, _ := g.split(add)
		if mul := g.step(rest, 2, "Mul"); mul != nil {
			gain, _, _ = g.split(mul)
		}
	}
	if t := g.constant(gain); t != nil && len(t.dims) == 1 {
		return t.dims[0]
	}
	return 0
}

// layer goes back over a layer, up to the sum before its last norm, and returns
// what goes into it.
func (g *graph) layer(sum string, w *weights, l *layerWeights) (string, error) {
	var ok bool
	middle, down, ok := g.residual(sum, &l.down)
	if !ok {
		return "", unknown("the end of a layer is not a matrix and what went into its feed-forward part")
	}
	inner, ok := g.gelu(down)
	if !ok {
		return "", unknown("the activation of a layer is not GELU by the error function")
	}
	from, up, ok := g.linear(inner)
	if !ok || from != middle {
		return "", unknown("the feed-forward part of a layer is not two matrices")
	}
	l.up = up
	in, normed, ok := g.norm(middle, w.hidden)
	if !ok {
		return "", unknown("there is no layer norm behind the attention of a layer")
	}
	l.attended = normed
	x, mixed, ok := g.residual(in, &l.out)
	if !ok {
		return "", unknown("behind the attention of a layer is not a matrix and what went into it")
	}
	return x, g.attention(mixed, x, w, l)
}

// residual goes back over x + (y·W + b).
func (g *graph) residual(name string, l *linear) (x, y string, ok bool) {
	add := g.step(name, 2, "Add")
	if add == nil {
		return "", "", false
	}
	for i := range 2 {
		if y, found, ok := g.linear(add.in[i]); ok {
			*l = found
			return add.in[1-i], y, true
		}
	}
	return "", "", false
}

// gelu goes back over x·(1 + erf(x/√2))/2 (Hendrycks and Gimpel, arXiv
// 1606.08415), whose factors may stand in any order.
func (g *graph) gelu(name string) (string, bool) {
	if n := g.step(name, 1, "Gelu"); n != nil {
		return n.in[0], n.attributes["approximate"].tensor == nil
	}
	rest, half := g.scaled(name)
	mul := g.step(rest, 2, "Mul")
	if mul == nil {
		return "", false
	}
	for i := range 2 {
		x, f := g.scaled(mul.in[i])
		bracket, h := g.scaled(mul.in[1-i])
		if near(half*f*h, 0.5) && g.onePlusErf(bracket, x) {
			return x, true
		}
	}
	return "", false
}

// onePlusErf tells whether name is 1 + erf(x/√2).
func (g *graph) onePlusErf(name, x string) bool {
	add := g.step(name, 2, "Add")
	if add == nil {
		return false
	}
	number, other, _ := g.split(add)
	one, ok := g.scalar(number)
	erf := g.step(other, 1, "Erf")
	if !ok || one != 1 || erf == nil {
		return false
	}
	of, factor := g.scaled(erf.in[0])
	return of == x && near(factor, math.Sqrt2/2)
}

// embeddings goes back over the sum of the embeddings of words, positions and
// segments.
func (g *graph) embeddings(name string, w *weights) bool {
	var parts []string
	todo := []string{name}
	for len(todo) > 0 && len(parts) <= 3 {
		name, todo = todo[0], todo[1:]
		if add := g.step(name, 2, "Add"); add != nil {
			todo = append(todo, add.in...)
		} else {
			parts = append(parts, name)
		}
	}
	for _, part := range parts {
		indices, t := g.lookup(part)
		switch {
		case t == nil || t.columns != w.hidden:
			return false
		case indices == inputIDs && w.words == nil:
			w.words = t
		case indices == inputSegments && w.segments == nil:
			w.segments = t
		case g.counts(indices, t.rows) && w.positions == nil:
			w.positions = t
		default:
			return false
		}
	}
	return w.words != nil && w.positions != nil
}

// counts tells whether name is 0, 1, 2 … up to the length of the texts.
func (g *graph) counts(name string, n int) bool {
	if slice := g.step(name, 3, "Slice"); slice != nil {
		for _, start := range g.integers(slice.in[1]) {
			if start != 0 {
				return false
			}
		}
		name = slice.in[0]
	}
	t := g.constant(name)
	if t == nil || t.kind != typeInt64 || t.count() != n {
		return false
	}
	for i := range n {
		if t.integer(i) != int64(i) {
			return false
		}
	}
	return true
}

// check tells whether the sizes fit together.
func (w *weights) check() error {
	for i, l := range w.layers {
		inner := l.up.weights.columns
		for _, m := range []struct {
			of      *table
			in, out int
		}{
			{l.query.weights, w.hidden, w.hidden}, {l.key.weights, w.hidden, w.hidden}, {l.value.weights, w.hidden, w.hidden},
			{l.out.weights, w.hidden, w.hidden}, {l.up.weights, w.hidden, inner}, {l.down.weights, inner, w.hidden},
		} {
			if m.of.rows != m.in || m.of.columns != m.out {
				return unknown("a matrix of layer %d is %d × %d, not %d × %d", i, m.of.rows, m.of.columns, m.in, m.out)
			}
		}
	}
	if len(w.layers) == 0 {
		return unknown("it has no layers")
	}
	return nil
}
