//go:build cgo && !noort && !purego

package ort_test

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"
)

// message is an encoded Protocol Buffers message; its methods append a field.
// The field numbers below are those of onnx.proto, IR version 7.
type message []byte

func (m message) number(field int, v uint64) message {
	m = binary.AppendUvarint(m, uint64(field)<<3)
	return binary.AppendUvarint(m, v)
}

func (m message) text(field int, s string) message {
	m = binary.AppendUvarint(m, uint64(field)<<3|2)
	m = binary.AppendUvarint(m, uint64(len(s)))
	return append(m, s...)
}

func (m message) message(field int, v message) message { return m.text(field, string(v)) }

// The element types of a tensor.
const (
	typeFloat uint64 = 1
	typeInt64 uint64 = 7
)

// value describes an input or output. Sizes that are 0 are left open.
func value(name string, elem uint64, sizes ...uint64) message {
	var shape message
	for _, n := range sizes {
		if n == 0 {
			shape = shape.message(1, message{}.text(2, "any"))
		} else {
			shape = shape.message(1, message{}.number(1, n))
		}
	}
	tensor := message{}.number(1, elem).message(2, shape)
	return message{}.text(1, name).message(2, message{}.message(1, tensor))
}

// node is a step of the graph that computes out from in.
func node(op, in, out string, attributes ...message) message {
	n := message{}.text(1, in).text(2, out).text(4, op)
	for _, a := range attributes {
		n = n.message(5, a)
	}
	return n
}

// tinyModel is a model whose vectors have one number, the token's id. The
// inputs are called as given, the first is the one it reads. Where perToken is
// false, its output has a number for each token instead of a vector.
func tinyModel(elem uint64, perToken bool, inputs ...string) message {
	const (
		attrInt  = 2 // AttributeProto.type
		attrInts = 7
	)
	read := "nothing"
	if len(inputs) > 0 {
		read = inputs[0]
	}
	to := message{}.text(1, "to").number(3, typeFloat).number(20, attrInt)
	axes := message{}.text(1, "axes").number(8, 2).number(20, attrInts)
	g := message{}.message(1, node("Cast", read, "numbers", to))
	output := value("numbers", typeFloat, 0, 0)
	if perToken {
		g = g.message(1, node("Unsqueeze", "numbers", "vectors", axes))
		output = value("vectors", typeFloat, 0, 0, 1)
	}
	g = g.text(2, "tiny")
	for _, name := range inputs {
		g = g.message(11, value(name, elem, 0, 0))
	}
	g = g.message(12, output)
	return message{}.number(1, 7).message(8, message{}.number(2, 11)).message(7, g)
}

// write puts data into a file of the test and returns its path.
func write(t *testing.T, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "model.onnx")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
