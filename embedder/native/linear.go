package native

import (
	"encoding/binary"
	"math"
)

// table is a matrix of weights as the file has it: rows of numbers, or of bytes
// with a scale and a zero point, one for all or one a column.
type table struct {
	rows, columns int
	elements      *tensor
	scale, zero   *tensor // nil for none
}

// copy fills dst with elements that lie step elements apart, the first of them in
// the given column.
func (t *table) copy(dst []float32, first, step, column int) {
	e := t.elements
	if e.kind == typeFloat {
		for i := range dst {
			dst[i] = math.Float32frombits(binary.LittleEndian.Uint32(e.raw[4*(first+i*step):]))
		}
		return
	}
	for i := range dst {
		c := column
		if step == 1 {
			c += i
		}
		v := e.float(first + i*step)
		if t.zero != nil {
			v -= t.zero.float(min(c, t.zero.count()-1))
		}
		dst[i] = v * t.scale.float(min(c, t.scale.count()-1))
	}
}

// row copies a row to dst.
func (t *table) row(row int, dst []float32) { t.copy(dst, row*t.columns, 1, 0) }

// column copies a column to dst.
func (t *table) column(column int, dst []float32) { t.copy(dst, column, t.columns, column) }

// table returns a constant of two dimensions; scale and zero are names of
// constants or "".
func (g *graph) table(name, scale, zero string) *table {
	e := g.constant(name)
	if e == nil || len(e.dims) != 2 || e.count() == 0 {
		return nil
	}
	t := &table{rows: e.dims[0], columns: e.dims[1], elements: e}
	if scale == "" {
		if e.kind != typeFloat {
			return nil
		}
		return t
	}
	t.scale, t.zero = g.constant(scale), g.constant(zero)
	for i, f := range []*tensor{t.scale, t.zero} {
		if f == nil && i == 1 && zero == "" {
			continue
		}
		if f == nil || f.count() != 1 && f.count() != t.columns {
			return nil
		}
	}
	if e.kind != typeInt8 && e.kind != typeUint8 || t.scale.kind != typeFloat {
		return nil
	}
	return t
}

// linear is a matrix, in × out, and a bias.
type linear struct {
	weights *table
	bias    []float32
}

// linear goes back over x·W + b and returns x.
func (g *graph) linear(name string) (in string, l linear, ok bool) {
	add := g.step(name, 2, "Add")
	if add == nil {
		return "", l, false
	}
	bias, product, _ := g.split(add)
	if n := g.step(product, 2, "MatMul"); n != nil {
		in, l.weights = n.in[0], g.table(n.in[1], "", "")
	} else if n := g.step(product, 2, "Mul"); n != nil {
		in, l.weights = g.integerProduct(n)
	}
	if l.weights == nil {
		return "", l, false
	}
	l.bias = g.vector(bias, l.weights.columns)
	return in, l, l.bias != nil
}

// integerProduct goes back over a product of bytes, multiplied by both scales,
// as dynamic quantization writes it.
func (g *graph) integerProduct(mul *node) (in string, weights *table) {
	for i := range 2 {
		cast, scales := g.step(mul.in[i], 1, "Cast"), g.step(mul.in[1-i], 2, "Mul")
		if cast == nil || scales == nil || cast.attributes["to"].integer != typeFloat {
			continue
		}
		product := g.step(cast.in[0], 2, "MatMulInteger")
		if product == nil {
			continue
		}
		x := g.step(product.in[0], 1, "DynamicQuantizeLinear")
		if x == nil || len(x.out) < 3 || len(product.in) < 3 || product.in[2] != x.out[2] {
			continue
		}
		scale, other, ok := g.split(scales)
		if !ok || other != x.out[1] {
			continue
		}
		zero := ""
		if len(product.in) > 3 {
			zero = product.in[3]
		}
		return x.in[0], g.table(product.in[1], scale, zero)
	}
	return "", nil
}

// lookup goes back over a look-up of rows and returns what they are looked up
// with.
func (g *graph) lookup(name string) (indices string, t *table) {
	scale, zero := "", ""
	if n := g.step(name, 2, "DequantizeLinear"); n != nil {
		name, scale = n.in[0], n.in[1]
		if len(n.in) > 2 {
			zero = n.in[2]
		}
	}
	n := g.step(name, 2, "Gather")
	if n == nil || n.attributes["axis"].integer != 0 {
		return "", nil
	}
	if scale != "" {
		return n.in[1], g.table(n.in[0], scale, zero)
	}
	if d := g.step(n.in[0], 2, "DequantizeLinear"); d != nil {
		if len(d.in) > 2 {
			zero = d.in[2]
		}
		return n.in[1], g.table(d.in[0], d.in[1], zero)
	}
	return n.in[1], g.table(n.in[0], "", "")
}
