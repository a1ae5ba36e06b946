package native_test

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
)

// message is an encoded Protocol Buffers message; its methods append a field.
// The field numbers below are those of onnx.proto.
type message []byte

func (m message) number(field int, v uint64) message {
	m = binary.AppendUvarint(m, uint64(field)<<3)
	return binary.AppendUvarint(m, v)
}

func (m message) bytes(field int, b []byte) message {
	m = binary.AppendUvarint(m, uint64(field)<<3|2)
	m = binary.AppendUvarint(m, uint64(len(b)))
	return append(m, b...)
}

func (m message) text(field int, s string) message { return m.bytes(field, []byte(s)) }

// The sizes of the tiny model.
const (
	tinyHidden, tinyHeads, tinyInner, tinyWords, tinyPositions = 64, 2, 96, 50, 40
)

// tiny writes a BERT encoder of two layers with random weights, as newer
// exporters do it: with LayerNormalization as one step.
type tiny struct {
	graph message
	rng   *rand.Rand
	erf   string // the function of the activation
	scale float64
	eps   float32
	plus  float64 // added to all weights of the embeddings
}

func newTiny() *tiny {
	return &tiny{rng: rand.New(rand.NewPCG(1, 2)), erf: "Erf", scale: 1 / math.Sqrt(tinyHidden/tinyHeads), eps: 1e-12}
}

const (
	elemFloat, elemInt64         = 1, 7
	attrFloat, attrInt, attrInts = 1, 2, 7
	ids, mask, segments, output  = "input_ids", "attention_mask", "token_type_ids", "last_hidden_state"
)

// node adds a step and returns the name of its output.
func (t *tiny) node(out, op string, in []string, attributes ...message) string {
	var n message
	for _, name := range in {
		n = n.text(1, name)
	}
	n = n.text(2, out).text(4, op)
	for _, a := range attributes {
		n = n.bytes(5, a)
	}
	t.graph = t.graph.bytes(1, n)
	return out
}

func axis(v int64) message {
	return message{}.text(1, "axis").number(3, uint64(v)).number(20, attrInt)
}

func perm(order ...uint64) message {
	a := message{}.text(1, "perm")
	for _, v := range order {
		a = a.number(8, v)
	}
	return a.number(20, attrInts)
}

// floats adds a constant and returns its name.
func (t *tiny) floats(name string, values []float32, dims ...uint64) string {
	var c message
	for _, d := range dims {
		c = c.number(1, d)
	}
	var raw []byte
	for _, v := range values {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(v))
	}
	t.graph = t.graph.bytes(5, c.number(2, elemFloat).text(8, name).bytes(9, raw))
	return name
}

func (t *tiny) integers(name string, values []int64, dims ...uint64) string {
	var c message
	for _, d := range dims {
		c = c.number(1, d)
	}
	var raw []byte
	for _, v := range values {
		raw = binary.LittleEndian.AppendUint64(raw, uint64(v))
	}
	t.graph = t.graph.bytes(5, c.number(2, elemInt64).text(8, name).bytes(9, raw))
	return name
}

func (t *tiny) random(name string, mean, spread float64, dims ...uint64) string {
	n := uint64(1)
	for _, d := range dims {
		n *= d
	}
	values := make([]float32, n)
	for i := range values {
		values[i] = float32(mean + spread*t.rng.NormFloat64())
	}
	return t.floats(name, values, dims...)
}

func (t *tiny) number(name string, v float64) string {
	return t.floats(name, []float32{float32(v)})
}

func (t *tiny) norm(name, in string) string {
	eps := message{}.text(1, "epsilon")
	eps = binary.AppendUvarint(eps, 2<<3|5)
	eps = binary.LittleEndian.AppendUint32(eps, math.Float32bits(t.eps))
	return t.node(name, "LayerNormalization", []string{in, t.random(name+".gain", 1, 0.1, tinyHidden), t.random(name+".bias", 0, 0.1, tinyHidden)},
		axis(-1), eps.number(20, attrFloat))
}

func (t *tiny) linear(name, in string, from, to uint64) string {
	product := t.node(name+".product", "MatMul", []string{in, t.random(name+".weight", 0, 0.2, from, to)})
	return t.node(name, "Add", []string{product, t.random(name+".bias", 0, 0.1, to)})
}

// heads brings rows to heads.
func (t *tiny) heads(name, in string, order ...uint64) string {
	rows := t.linear(name, in, tinyHidden, tinyHidden)
	apart := t.node(name+".apart", "Reshape", []string{rows, t.integers(name+".shape", []int64{0, 0, tinyHeads, -1}, 4)})
	return t.node(name+".heads", "Transpose", []string{apart}, perm(order...))
}

func (t *tiny) layer(name, x string) string {
	q, k, v := t.heads(name+".q", x, 0, 2, 1, 3), t.heads(name+".k", x, 0, 2, 3, 1), t.heads(name+".v", x, 0, 2, 1, 3)
	dot := t.node(name+".dot", "MatMul", []string{q, k})
	scaled := t.node(name+".scaled", "Mul", []string{dot, t.number(name+".scale", t.scale)})
	masked := t.node(name+".masked", "Add", []string{scaled, "mask"})
	weights := t.node(name+".softmax", "Softmax", []string{masked}, axis(-1))
	mixed := t.node(name+".mixed", "MatMul", []string{weights, v})
	back := t.node(name+".back", "Transpose", []string{mixed}, perm(0, 2, 1, 3))
	joined := t.node(name+".joined", "Reshape", []string{back, t.integers(name+".join", []int64{0, 0, tinyHidden}, 3)})
	sum := t.node(name+".sum", "Add", []string{t.linear(name+".o", joined, tinyHidden, tinyHidden), x})
	middle := t.norm(name+".norm1", sum)
	up := t.linear(name+".up", middle, tinyHidden, tinyInner)
	root := t.node(name+".root", "Div", []string{up, t.number(name+".two", math.Sqrt2)})
	erf := t.node(name+".erf", t.erf, []string{root})
	plus := t.node(name+".plus", "Add", []string{erf, t.number(name+".one", 1)})
	half := t.node(name+".half", "Mul", []string{up, t.number(name+".0.5", 0.5)})
	act := t.node(name+".act", "Mul", []string{half, plus})
	return t.node(name+".sum2", "Add", []string{middle, t.linear(name+".down", act, tinyInner, tinyHidden)})
}

// value describes an input or output of texts × tokens × sizes.
func value(name string, elem uint64, sizes ...uint64) message {
	open := message{}.bytes(1, message{}.text(2, "any"))
	shape := append(open, open...)
	for _, n := range sizes {
		shape = shape.bytes(1, message{}.number(1, n))
	}
	return message{}.text(1, name).bytes(2, message{}.bytes(1, message{}.number(1, elem).bytes(2, shape)))
}

// model returns the whole file.
func (t *tiny) model() []byte {
	t.graph = message{}.text(2, "tiny")
	axes := t.integers("axes", []int64{1, 2}, 2)
	spread := t.node("spread", "Unsqueeze", []string{mask, axes})
	cast := t.node("cast", "Cast", []string{spread}, message{}.text(1, "to").number(3, elemFloat).number(20, attrInt))
	missing := t.node("missing", "Sub", []string{t.number("whole", 1), cast})
	t.node("mask", "Mul", []string{missing, t.number("lowest", -1e9)})
	positions := make([]int64, tinyPositions)
	for i := range positions {
		positions[i] = int64(i)
	}
	length := t.node("length", "Slice", []string{t.node("sizes", "Shape", []string{ids}), t.integers("from", []int64{1}, 1), t.integers("to", []int64{2}, 1)})
	places := t.node("places", "Slice", []string{t.integers("all", positions, 1, tinyPositions), t.integers("zero", []int64{0}, 1), length, t.integers("axis", []int64{1}, 1)})
	words := t.node("words", "Gather", []string{t.random("words.table", t.plus, 0.5, tinyWords, tinyHidden), ids})
	kinds := t.node("kinds", "Gather", []string{t.random("kinds.table", 0, 0.5, 2, tinyHidden), segments})
	sum := t.node("embed", "Add", []string{words, kinds})
	sum = t.node("embed2", "Add", []string{sum, t.node("place", "Gather", []string{t.random("place.table", 0, 0.5, tinyPositions, tinyHidden), places})})
	x := t.norm("norm", sum)
	for i, name := range []string{"layer0", output} {
		x = t.norm(name, t.layer(fmt.Sprint("l", i), x))
	}
	for _, name := range []string{ids, mask, segments} {
		t.graph = t.graph.bytes(11, value(name, elemInt64))
	}
	t.graph = t.graph.bytes(12, value(output, elemFloat, tinyHidden))
	return message{}.number(1, 8).bytes(8, message{}.number(2, 17)).bytes(7, t.graph)
}

// write puts data into a file of the test and returns its path.
func write(t testing.TB, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "model.onnx")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
