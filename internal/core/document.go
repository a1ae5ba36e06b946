package core

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"unicode/utf8"
)

// Limits of a document. They bound what one record can grow to; the server
// bounds whole requests besides.
const (
	MaxIDBytes   = 4 << 10
	MaxTextBytes = 16 << 20
	MaxDim       = 4096
)

// Document is what a user stores: an id, a text or a vector or both, and any
// number of named fields. Its JSON form is one flat object in which "id",
// "text" and "vector" are the members of those names and every other member is
// a field:
//
//	{"id": "a1", "text": "a sad film", "label": "drama", "year": 1999}
//
// A vector is read as an array of numbers or in the packed form of
// UnpackVector, and written as an array.
type Document struct {
	// ID names the document within its collection. Any non-empty valid UTF-8
	// string of at most MaxIDBytes is an id.
	ID string
	// Text is what is embedded and shown; it may be empty when Vector is given.
	Text string
	// Vector is the embedding; when nil, the collection's model computes it
	// from Text.
	Vector []float32
	// Fields holds all other members: string, bool, int64, float64, nil,
	// []any and map[string]any of the same.
	Fields map[string]any
}

// Reserved reports whether name is a member of the document itself and so
// cannot be the name of a field.
func Reserved(name string) bool {
	return name == "id" || name == "text" || name == "vector"
}

// Field returns the named field, or the id or text under those names, and
// whether it is there.
func (d *Document) Field(name string) (any, bool) {
	switch name {
	case "id":
		return d.ID, true
	case "text":
		return d.Text, d.Text != ""
	}
	v, ok := d.Fields[name]
	return v, ok
}

// MarshalJSON writes the flat form; an empty text and a nil vector are left
// out.
func (d Document) MarshalJSON() ([]byte, error) {
	flat := make(map[string]any, len(d.Fields)+3)
	maps.Copy(flat, d.Fields)
	flat["id"] = d.ID
	if d.Text != "" {
		flat["text"] = d.Text
	}
	if d.Vector != nil {
		flat["vector"] = d.Vector
	}
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(flat); err != nil {
		return nil, err
	}
	return bytes.TrimRight(buf.Bytes(), "\n"), nil
}

// UnmarshalJSON reads the flat form. An id that is a number is taken as its
// decimal text. Whole numbers that fit become int64, others float64. Errors
// are *InputError with a pointer to the bad member.
func (d *Document) UnmarshalJSON(data []byte) error {
	if !utf8.Valid(data) {
		return Invalid("", "send UTF-8", "the document is not valid UTF-8")
	}
	if err := CheckSurrogates(data); err != nil {
		return err
	}
	flat, err := members(data)
	if err != nil {
		return Invalid("", `a document is a JSON object such as {"id":"a1","text":"…"}`, "not a document: %v", err)
	}
	if flat == nil {
		return Invalid("", `a document is a JSON object such as {"id":"a1","text":"…"}`, "not a document: null")
	}
	*d = Document{}
	for name, v := range flat {
		if err := d.set(name, v); err != nil {
			return err
		}
	}
	return nil
}

// members decodes a JSON object; numbers become json.Number. A decoder would copy
// data before it reads it.
func members(data []byte) (flat map[string]any, err error) {
	r := plainReader{data: data, numbers: true}
	if v, ok := r.value(0); ok {
		if flat, ok = v.(map[string]any); ok {
			return flat, nil
		}
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	return flat, dec.Decode(&flat)
}

func (d *Document) set(name string, v any) error {
	switch name {
	case "id":
		switch id := v.(type) {
		case string:
			d.ID = id
		case json.Number:
			d.ID = id.String()
		default:
			return Invalid("/id", "give a string", "an id must be a string")
		}
	case "text":
		text, ok := v.(string)
		if !ok && v != nil {
			return Invalid("/text", "give a string", "the text must be a string")
		}
		d.Text = text
	case "vector":
		if v == nil {
			return nil
		}
		vec, err := toVector(v)
		if err != nil {
			return At("/vector", err)
		}
		d.Vector = vec
	default:
		if d.Fields == nil {
			d.Fields = make(map[string]any)
		}
		value, err := plain(v)
		if err != nil {
			return Invalid("/"+EscapePointer(name), "use numbers within the range of float64", "%v", err)
		}
		d.Fields[name] = value
	}
	return nil
}

func toVector(v any) ([]float32, error) {
	if packed, ok := v.(map[string]any); ok {
		return UnpackVector(packed)
	}
	list, ok := v.([]any)
	if !ok {
		return nil, Invalid("", "give an array of numbers", "the vector must be an array of numbers, or packed")
	}
	vec := make([]float32, len(list))
	for i, e := range list {
		n, ok := e.(json.Number)
		if !ok {
			return nil, Invalid("/"+strconv.Itoa(i), "give numbers only", "the vector holds something that is no number")
		}
		f, err := strconv.ParseFloat(n.String(), 32)
		if err != nil {
			return nil, Invalid("/"+strconv.Itoa(i), "use numbers within the range of float32", "%s does not fit a 32-bit float", n)
		}
		vec[i] = float32(f)
	}
	return vec, nil
}

// CheckVector returns an *InputError at pointer unless v has dim numbers (any
// number from 1 to MaxDim when dim is 0), all finite and not all zero.
func CheckVector(pointer string, v []float32, dim int) error {
	if dim > 0 && len(v) != dim {
		return &InputError{Pointer: pointer, Cause: ErrDimension,
			Detail: fmt.Sprintf("the vector has %d numbers, the collection's have %d", len(v), dim),
			Hint:   "use vectors of the collection's model"}
	}
	if len(v) == 0 || len(v) > MaxDim {
		return &InputError{Pointer: pointer, Cause: ErrDimension,
			Detail: fmt.Sprintf("the vector has %d numbers, 1 to %d are allowed", len(v), MaxDim)}
	}
	switch largest := largestBits(v); {
	case largest == 0:
		return Invalid(pointer, "leave such documents out or give a text", "the vector is all zeros and has no direction")
	case largest >= infinite:
		i := slices.IndexFunc(v, func(x float32) bool { return math.Float32bits(x)<<1 >= infinite })
		return Invalid(pointer+"/"+strconv.Itoa(i), "use finite numbers", "the vector holds %v", v[i])
	}
	return nil
}

// infinite is the representation of an infinity without its sign; those of NaN
// are larger, those of finite numbers smaller.
const infinite = 0xff << 24

// largestBits returns the largest of the representations without their signs,
// shifted up by one. It is part of every search, hence the four at a time.
func largestBits(v []float32) uint32 {
	var a, b, c, d uint32
	for ; len(v) >= 4; v = v[4:] {
		a = max(a, math.Float32bits(v[0])<<1)
		b = max(b, math.Float32bits(v[1])<<1)
		c = max(c, math.Float32bits(v[2])<<1)
		d = max(d, math.Float32bits(v[3])<<1)
	}
	for _, x := range v {
		a = max(a, math.Float32bits(x)<<1)
	}
	return max(a, b, c, d)
}

// CheckText returns an *InputError at pointer unless text is UTF-8 of at most
// MaxTextBytes. The hint is for longer ones.
func CheckText(pointer, text, hint string) error {
	switch {
	case len(text) > MaxTextBytes:
		return &InputError{Pointer: pointer, Cause: ErrTooLarge, Hint: hint,
			Detail: fmt.Sprintf("the text has %d bytes, %d are allowed", len(text), MaxTextBytes)}
	case !utf8.ValidString(text):
		return Invalid(pointer, "convert it to UTF-8", "the text is not valid UTF-8")
	}
	return nil
}

// EscapePointer escapes one reference token of a JSON pointer (RFC 6901).
func EscapePointer(token string) string {
	out := make([]byte, 0, len(token))
	for i := 0; i < len(token); i++ {
		switch token[i] {
		case '~':
			out = append(out, "~0"...)
		case '/':
			out = append(out, "~1"...)
		default:
			out = append(out, token[i])
		}
	}
	return string(out)
}
