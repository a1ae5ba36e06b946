package native

import (
	"encoding/binary"
	"fmt"
	"math"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/vecdb/vecdb/internal/core"
)

// The field numbers are those of onnx.proto, IR version 8
// (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto).

// graph is what is used of the graph of a model.
type graph struct {
	inputs  []string
	outputs []string
	nodes   map[string]*node   // by the names of their outputs
	tensors map[string]*tensor // initialisers and constants
}

// node is one step of a graph.
type node struct {
	op         string
	in, out    []string
	attributes map[string]attribute
}

// attribute is a setting of a node; only the field of its type is set.
type attribute struct {
	number  float32
	integer int64
	ints    []int64
	tensor  *tensor
}

// The element types of tensors that are read.
const (
	typeFloat = 1
	typeUint8 = 2
	typeInt8  = 3
	typeInt32 = 6
	typeInt64 = 7
)

// elementSize is the size of an element in raw data, in bytes.
var elementSize = map[int32]int{typeFloat: 4, typeUint8: 1, typeInt8: 1, typeInt32: 4, typeInt64: 8}

// tensor is a constant. raw holds the elements of its type, little-endian.
type tensor struct {
	dims []int
	kind int32
	raw  []byte
}

// maxElements bounds the elements of a tensor.
const maxElements = 1 << 30

// damaged is an error about a file that is no ONNX model.
func damaged(format string, args ...any) error {
	return fmt.Errorf("%w: not an ONNX model: %s", core.ErrCorrupt, fmt.Sprintf(format, args...))
}

// fields calls f for each field of a message: with bytes for fields that have a
// length, with a number for the others that are used.
func fields(msg []byte, f func(field protowire.Number, data []byte, v uint64) error) error {
	for len(msg) > 0 {
		field, kind, n := protowire.ConsumeTag(msg)
		if n < 0 {
			return damaged("%v", protowire.ParseError(n))
		}
		msg = msg[n:]
		var data []byte
		var v uint64
		switch kind {
		case protowire.BytesType:
			data, n = protowire.ConsumeBytes(msg)
		case protowire.VarintType:
			v, n = protowire.ConsumeVarint(msg)
		case protowire.Fixed32Type:
			var w uint32
			w, n = protowire.ConsumeFixed32(msg)
			v = uint64(w)
		default:
			if n = protowire.ConsumeFieldValue(field, kind, msg); n >= 0 {
				msg = msg[n:]
				continue
			}
		}
		if n < 0 {
			return damaged("%v", protowire.ParseError(n))
		}
		msg = msg[n:]
		if err := f(field, data, v); err != nil {
			return err
		}
	}
	return nil
}

// parseONNX reads the graph of a model. Tensors refer to data, which must not
// change.
func parseONNX(data []byte) (*graph, error) {
	g := &graph{nodes: make(map[string]*node), tensors: make(map[string]*tensor)}
	found := false
	err := fields(data, func(field protowire.Number, data []byte, _ uint64) error {
		if field != 7 {
			return nil
		}
		found = true
		return g.parse(data)
	})
	if err == nil && !found {
		err = damaged("there is no graph")
	}
	return g, err
}

func (g *graph) parse(data []byte) error {
	return fields(data, func(field protowire.Number, data []byte, _ uint64) error {
		switch field {
		case 1:
			return g.addNode(data)
		case 5:
			name, t, err := parseTensor(data)
			if err == nil {
				g.tensors[name] = t
			}
			return err
		case 11, 12:
			return fields(data, func(inner protowire.Number, name []byte, _ uint64) error {
				if inner == 1 && field == 11 {
					g.inputs = append(g.inputs, string(name))
				} else if inner == 1 {
					g.outputs = append(g.outputs, string(name))
				}
				return nil
			})
		}
		return nil
	})
}

func (g *graph) addNode(data []byte) error {
	n := &node{attributes: make(map[string]attribute)}
	err := fields(data, func(field protowire.Number, data []byte, _ uint64) error {
		switch field {
		case 1:
			n.in = append(n.in, string(data))
		case 2:
			n.out = append(n.out, string(data))
		case 4:
			n.op = string(data)
		case 5:
			name, a, err := parseAttribute(data)
			n.attributes[name] = a
			return err
		}
		return nil
	})
	for _, out := range n.out {
		if t := n.attributes["value"].tensor; n.op == "Constant" && t != nil {
			g.tensors[out] = t
		} else {
			g.nodes[out] = n
		}
	}
	return err
}

func parseAttribute(data []byte) (name string, a attribute, err error) {
	err = fields(data, func(field protowire.Number, data []byte, v uint64) (err error) {
		switch field {
		case 1:
			name = string(data)
		case 2:
			a.number = math.Float32frombits(uint32(v))
		case 3:
			a.integer = int64(v)
		case 5:
			_, a.tensor, err = parseTensor(data)
		case 8:
			a.ints, err = appendVarints(a.ints, data, v)
		}
		return err
	})
	return name, a, err
}

// appendVarints takes a repeated field of integers, which may be packed.
func appendVarints(dst []int64, packed []byte, v uint64) ([]int64, error) {
	if packed == nil {
		return append(dst, int64(v)), nil
	}
	for len(packed) > 0 {
		v, n := protowire.ConsumeVarint(packed)
		if n < 0 {
			return nil, damaged("%v", protowire.ParseError(n))
		}
		dst, packed = append(dst, int64(v)), packed[n:]
	}
	return dst, nil
}

func parseTensor(data []byte) (name string, t *tensor, err error) {
	t = &tensor{}
	var dims, ints []int64
	var floats []byte
	external := false
	err = fields(data, func(field protowire.Number, data []byte, v uint64) (err error) {
		switch field {
		case 1:
			dims, err = appendVarints(dims, data, v)
		case 2:
			t.kind = int32(v)
		case 4: // float_data, packed or one by one
			if data == nil {
				data = binary.LittleEndian.AppendUint32(nil, uint32(v))
			}
			floats = append(floats, data...)
		case 5, 7: // int32_data and int64_data
			ints, err = appendVarints(ints, data, v)
		case 8:
			name = string(data)
		case 9:
			t.raw = data
		case 14:
			external = v == 1
		}
		return err
	})
	if err != nil {
		return name, t, err
	}
	if external {
		return name, t, unknown("tensor %q lies in another file", name)
	}
	return name, t, t.finish(name, dims, ints, floats)
}

// finish brings all elements to raw and checks their number.
func (t *tensor) finish(name string, dims, ints []int64, floats []byte) error {
	size, known := elementSize[t.kind]
	if !known {
		*t = tensor{} // nothing that is read has it
		return nil
	}
	elements := int64(1)
	for _, d := range dims {
		if d < 0 || d > maxElements || elements*d > maxElements {
			return damaged("tensor %.80q has sizes %v", name, dims)
		}
		elements *= d
		t.dims = append(t.dims, int(d))
	}
	if t.raw == nil {
		t.raw = floats
		for _, v := range ints {
			switch size {
			case 1:
				t.raw = append(t.raw, byte(v))
			case 4:
				t.raw = binary.LittleEndian.AppendUint32(t.raw, uint32(v))
			default:
				t.raw = binary.LittleEndian.AppendUint64(t.raw, uint64(v))
			}
		}
	}
	if int64(len(t.raw)) != elements*int64(size) {
		return damaged("tensor %.80q of sizes %v has %d bytes", name, dims, len(t.raw))
	}
	return nil
}

// count is the number of elements.
func (t *tensor) count() int {
	n := 1
	for _, d := range t.dims {
		n *= d
	}
	return n
}

// float returns element i of a tensor of a known type, without scale.
func (t *tensor) float(i int) float32 {
	switch t.kind {
	case typeFloat:
		return math.Float32frombits(binary.LittleEndian.Uint32(t.raw[4*i:]))
	case typeUint8:
		return float32(t.raw[i])
	case typeInt8:
		return float32(int8(t.raw[i]))
	}
	return float32(t.integer(i))
}

// integer returns element i of a tensor of integers.
func (t *tensor) integer(i int) int64 {
	switch t.kind {
	case typeInt32:
		return int64(int32(binary.LittleEndian.Uint32(t.raw[4*i:])))
	case typeInt64:
		return int64(binary.LittleEndian.Uint64(t.raw[8*i:]))
	}
	return int64(t.float(i))
}
