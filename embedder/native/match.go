package native

import (
	"fmt"
	"math"
	"slices"

	"github.com/vecdb/vecdb/internal/core"
)

// ErrArchitecture is the error for a model that is not of the BERT family, or
// whose file describes it in a way that is not known here.
var ErrArchitecture = fmt.Errorf("vecdb's own runtime does not know this model: %w", core.ErrCorrupt)

// unknown is an error that matches ErrArchitecture.
func unknown(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrArchitecture, fmt.Sprintf(format, args...))
}

// step returns the node that computes name, past steps that change nothing, if
// it is of one of the given kinds and has so many inputs; else nil.
func (g *graph) step(name string, inputs int, ops ...string) *node {
	for range len(g.nodes) { // a damaged graph may run in a circle
		n := g.nodes[name]
		if n == nil {
			return nil
		}
		if slices.Contains(ops, n.op) {
			if len(n.in) < inputs {
				return nil
			}
			return n
		}
		if n.op != "Identity" && n.op != "Dropout" || len(n.in) == 0 {
			return nil
		}
		name = n.in[0]
	}
	return nil
}

// constant returns the constant of that name, nil when it is none.
func (g *graph) constant(name string) *tensor {
	if n := g.step(name, 1, "Identity"); n != nil {
		name = n.in[0]
	}
	if t := g.tensors[name]; t != nil && t.kind != 0 {
		return t
	}
	return nil
}

// scalar returns a constant of one number.
func (g *graph) scalar(name string) (float64, bool) {
	t := g.constant(name)
	if t == nil || t.count() != 1 {
		return 0, false
	}
	return float64(t.float(0)), true
}

// vector returns a constant of n numbers.
func (g *graph) vector(name string, n int) []float32 {
	t := g.constant(name)
	if t == nil || t.kind != typeFloat || t.count() != n || len(t.dims) == 0 {
		return nil
	}
	v := make([]float32, n)
	for i := range v {
		v[i] = t.float(i)
	}
	return v
}

// split returns the inputs of a node of two, the constant first.
func (g *graph) split(n *node) (constant, other string, ok bool) {
	if g.constant(n.in[0]) != nil {
		return n.in[0], n.in[1], true
	}
	return n.in[1], n.in[0], g.constant(n.in[1]) != nil
}

// scaled goes back over multiplications by numbers and divisions by them, and
// returns what is multiplied and with what in all.
func (g *graph) scaled(name string) (string, float64) {
	factor := 1.0
	for range len(g.nodes) {
		n := g.step(name, 2, "Mul", "Div")
		if n == nil {
			break
		}
		number, other, ok := g.split(n)
		v, single := g.scalar(number)
		if !ok || !single || n.op == "Div" && number != n.in[1] {
			break
		}
		if n.op == "Div" {
			v = 1 / v
		}
		name, factor = other, factor*v
	}
	return name, factor
}

// near tells whether two numbers are the same but for rounding.
func near(a, b float64) bool { return math.Abs(a-b) <= 1e-3*math.Abs(b) }

// norm is a layer norm over rows of the same width as gain and bias.
type norm struct {
	gain, bias []float32
	epsilon    float64
}

// norm goes back over a layer norm and returns what goes into it.
func (g *graph) norm(name string, width int) (in string, l norm, ok bool) {
	if n := g.step(name, 3, "LayerNormalization"); n != nil {
		l = norm{g.vector(n.in[1], width), g.vector(n.in[2], width), float64(n.attributes["epsilon"].number)}
		if l.epsilon == 0 {
			l.epsilon = 1e-5 // the default of ONNX
		}
		axis, there := n.attributes["axis"]
		return n.in[0], l, l.gain != nil && l.bias != nil && (!there || axis.integer == -1 || axis.integer == 2)
	}
	add := g.step(name, 2, "Add")
	if add == nil {
		return "", l, false
	}
	bias, rest, _ := g.split(add)
	mul := g.step(rest, 2, "Mul")
	if mul == nil {
		return "", l, false
	}
	gain, rest, _ := g.split(mul)
	l.gain, l.bias = g.vector(gain, width), g.vector(bias, width)
	in, l.epsilon, ok = g.standardized(rest)
	return in, l, ok && l.gain != nil && l.bias != nil
}

// standardized goes back over (x − mean) / √(variance + ε).
func (g *graph) standardized(name string) (in string, epsilon float64, ok bool) {
	div := g.step(name, 2, "Div")
	if div == nil {
		return "", 0, false
	}
	centred := g.centred(div.in[0])
	root := g.step(div.in[1], 1, "Sqrt")
	if centred == "" || root == nil {
		return "", 0, false
	}
	sum := g.step(root.in[0], 2, "Add")
	if sum == nil {
		return "", 0, false
	}
	number, variance, _ := g.split(sum)
	epsilon, single := g.scalar(number)
	squares := g.mean(variance)
	if square := g.step(squares, 2, "Pow", "Mul"); square != nil && single {
		two, isNumber := g.scalar(square.in[1])
		twice := square.op == "Pow" && isNumber && two == 2 || square.op == "Mul" && square.in[0] == square.in[1]
		return centred, epsilon, twice && g.centred(square.in[0]) == centred
	}
	return "", 0, false
}

// centred goes back over x − mean and returns x.
func (g *graph) centred(name string) string {
	if n := g.step(name, 2, "Sub"); n != nil && g.mean(n.in[1]) == n.in[0] {
		return n.in[0]
	}
	return ""
}

// mean goes back over the mean of a row and returns the row.
func (g *graph) mean(name string) string {
	n := g.step(name, 1, "ReduceMean")
	if n == nil {
		return ""
	}
	axes := n.attributes["axes"].ints
	if len(n.in) > 1 {
		axes = g.integers(n.in[1])
	}
	if keep, there := n.attributes["keepdims"]; len(axes) != 1 || axes[0] != -1 && axes[0] != 2 || there && keep.integer == 0 {
		return ""
	}
	return n.in[0]
}

// integers returns the elements of a short constant.
func (g *graph) integers(name string) []int64 {
	t := g.constant(name)
	if t == nil || t.count() > 8 {
		return nil
	}
	var out []int64
	for i := range t.count() {
		out = append(out, t.integer(i))
	}
	return out
}

// reaches tells whether name depends on the input.
func (g *graph) reaches(name, input string) bool {
	seen := make(map[string]bool)
	todo := []string{name}
	for len(todo) > 0 {
		name, todo = todo[len(todo)-1], todo[:len(todo)-1]
		if name == input {
			return true
		}
		if n := g.nodes[name]; n != nil && !seen[name] {
			todo = append(todo, n.in...)
		}
		seen[name] = true
	}
	return false
}
