package core

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"math"
	"strings"
)

// Float16 returns the number of an IEEE 754 binary16 pattern.
func Float16(h uint16) float32 {
	sign, exponent, fraction := uint32(h&0x8000)<<16, uint32(h>>10&0x1f), uint32(h&0x3ff)
	switch exponent {
	case 0: // zero or subnormal: fraction · 2^-24
		return math.Float32frombits(sign | math.Float32bits(float32(fraction)*0x1p-24))
	case 0x1f: // an infinity or NaN
		return math.Float32frombits(sign | 0x7f800000 | fraction<<13)
	}
	return math.Float32frombits(sign | (exponent+127-15)<<23 | fraction<<13)
}

// numberType is a type of numbers that packed vectors hold, little-endian.
type numberType struct {
	name   string
	size   int // bytes a number
	number func([]byte) float32
}

// numberTypes are all there are.
func numberTypes() []numberType {
	return []numberType{
		{"float32", 4, func(b []byte) float32 { return math.Float32frombits(binary.LittleEndian.Uint32(b)) }},
		{"float16", 2, func(b []byte) float32 { return Float16(binary.LittleEndian.Uint16(b)) }},
		{"int8", 1, func(b []byte) float32 { return float32(int8(b[0])) }},
	}
}

const packedHint = `for instance {"float16":"…"} with the little-endian numbers in base64; float32, float16 and int8 are read`

// UnpackVector reads the packed form of a vector in JSON, which all inputs
// share beside the array of numbers: an object whose only member is named by
// the type of the numbers, float32, float16 or int8, and holds them
// little-endian in base64, with or without padding. int8 stand for the whole
// numbers from -128 to 127. Errors are *InputError with a pointer within the
// object.
func UnpackVector(packed map[string]any) ([]float32, error) {
	for _, t := range numberTypes() {
		if value, there := packed[t.name]; there && len(packed) == 1 {
			text, ok := value.(string)
			if !ok {
				return nil, Invalid("/"+t.name, packedHint, "the numbers of a packed vector must be a string")
			}
			return t.unpack(text)
		}
	}
	return nil, Invalid("", packedHint, "the vector is neither an array of numbers nor an object with one member that names their type")
}

func (t numberType) unpack(text string) ([]float32, error) {
	pointer := "/" + t.name
	raw, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(text, "="))
	if err != nil {
		return nil, Invalid(pointer, packedHint, "the vector is not base64: %v", err)
	}
	if len(raw)%t.size != 0 {
		return nil, Invalid(pointer, "name the type that the numbers have", "%d bytes are no whole number of %s", len(raw), t.name)
	}
	if len(raw)/t.size > MaxDim {
		return nil, &InputError{Pointer: pointer, Cause: ErrDimension, Detail: fmt.Sprintf("the vector has %d numbers, 1 to %d are allowed", len(raw)/t.size, MaxDim)}
	}
	out := make([]float32, len(raw)/t.size)
	for i := range out {
		out[i] = t.number(raw[i*t.size:])
	}
	return out, nil
}

// Shorten returns the first n numbers of v, scaled to unit length, as the
// vectors of Matryoshka models allow (Kusupati et al., arXiv 2205.13147). It
// changes v. n is 1 to len(v).
func Shorten(v []float32, n int) []float32 {
	v = v[:n:n]
	var square float64
	for _, x := range v {
		square += float64(x) * float64(x)
	}
	if square == 0 {
		return v
	}
	for i, x := range v {
		v[i] = float32(float64(x) / math.Sqrt(square))
	}
	return v
}
