package core

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"unicode/utf8"
)

// PlainJSON decodes one JSON value the way documents do: whole numbers that
// fit become int64, others float64. It is part of reading each document, so what
// is written as usual is read here and the rest, what is no JSON too, by
// encoding/json.
func PlainJSON(data []byte) (any, error) {
	r := plainReader{data: data}
	if v, ok := r.value(0); ok {
		return v, nil
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return nil, err
	}
	return plain(v)
}

// plainDepth is how deep plainReader goes into arrays and objects.
const plainDepth = 100

// plainReader reads JSON (RFC 8259). What it does not return is left to others:
// it tells no error from a rare form.
type plainReader struct {
	data    []byte
	at      int
	numbers bool // are left as json.Number
}

// value reads a value within so many others.
func (r *plainReader) value(depth int) (any, bool) {
	switch c := r.next(); {
	case c == '"':
		return r.text()
	case c == '{' && depth < plainDepth:
		return r.object(depth)
	case c == '[' && depth < plainDepth:
		return r.array(depth)
	case c == 't':
		return true, r.word("true")
	case c == 'f':
		return false, r.word("false")
	case c == 'n':
		return nil, r.word("null")
	}
	return r.number()
}

// next passes over blanks and returns the byte behind them, 0 at the end.
func (r *plainReader) next() byte {
	for ; r.at < len(r.data); r.at++ {
		if c := r.data[r.at]; c != ' ' && c != '\n' && c != '\t' && c != '\r' {
			return c
		}
	}
	return 0
}

// word passes over one that is there.
func (r *plainReader) word(w string) bool {
	there := len(r.data)-r.at >= len(w) && string(r.data[r.at:r.at+len(w)]) == w
	r.at += len(w)
	return there
}

// more passes over the comma or the end behind a member, which is returned.
func (r *plainReader) more(end byte) (c byte, ok bool) {
	c = r.next()
	r.at++
	return c, c == ',' || c == end
}

func (r *plainReader) object(depth int) (any, bool) {
	out := make(map[string]any)
	r.at++
	if r.next() == '}' {
		r.at++
		return out, true
	}
	for {
		if r.next() != '"' {
			return nil, false
		}
		name, ok := r.text()
		if !ok || r.next() != ':' {
			return nil, false
		}
		r.at++
		v, ok := r.value(depth + 1)
		if !ok {
			return nil, false
		}
		out[name] = v
		if c, ok := r.more('}'); !ok || c == '}' {
			return out, ok
		}
	}
}

func (r *plainReader) array(depth int) (any, bool) {
	out := make([]any, 0, 4)
	r.at++
	if r.next() == ']' {
		r.at++
		return out, true
	}
	for {
		v, ok := r.value(depth + 1)
		if !ok {
			return nil, false
		}
		out = append(out, v)
		if c, ok := r.more(']'); !ok || c == ']' {
			return out, ok
		}
	}
}

// text reads a string.
func (r *plainReader) text() (string, bool) {
	begin, usual := r.at+1, true
	for r.at++; r.at < len(r.data); r.at++ {
		switch c := r.data[r.at]; {
		case c == '"':
			raw := r.data[begin:r.at]
			r.at++
			if usual || utf8.Valid(raw) && bytes.IndexByte(raw, '\\') < 0 {
				return string(raw), true
			}
			var out string
			return out, json.Unmarshal(r.data[begin-1:r.at], &out) == nil
		case c < ' ':
			return "", false
		case c == '\\':
			usual = false
			r.at++
		case c >= utf8.RuneSelf:
			usual = false
		}
	}
	return "", false
}

// number reads a number.
func (r *plainReader) number() (any, bool) {
	begin, whole := r.at, true
	if r.is('-') {
		r.at++
	}
	first := r.at
	if n := r.digits(); n == 0 || n > 1 && r.data[first] == '0' {
		return nil, false
	}
	if r.is('.') {
		whole = false
		r.at++
		if r.digits() == 0 {
			return nil, false
		}
	}
	if r.is('e') || r.is('E') {
		whole = false
		r.at++
		if r.is('+') || r.is('-') {
			r.at++
		}
		if r.digits() == 0 {
			return nil, false
		}
	}
	if r.numbers {
		return json.Number(r.data[begin:r.at]), true
	}
	if whole {
		if i, err := strconv.ParseInt(string(r.data[begin:r.at]), 10, 64); err == nil {
			return i, true
		}
	}
	f, err := strconv.ParseFloat(string(r.data[begin:r.at]), 64)
	return f, err == nil
}

// is reports whether c is the next byte.
func (r *plainReader) is(c byte) bool { return r.at < len(r.data) && r.data[r.at] == c }

// digits passes over digits and returns how many there are.
func (r *plainReader) digits() int {
	begin := r.at
	for r.at < len(r.data) && '0' <= r.data[r.at] && r.data[r.at] <= '9' {
		r.at++
	}
	return r.at - begin
}

// plain turns json.Number into int64 or float64, at any depth.
func plain(v any) (any, error) {
	switch v := v.(type) {
	case json.Number:
		if i, err := v.Int64(); err == nil {
			return i, nil
		}
		f, err := v.Float64()
		if err != nil {
			return nil, fmt.Errorf("%s does not fit a 64-bit float", v)
		}
		return f, nil
	case []any:
		for i := range v {
			e, err := plain(v[i])
			if err != nil {
				return nil, err
			}
			v[i] = e
		}
	case map[string]any:
		for k := range v {
			e, err := plain(v[k])
			if err != nil {
				return nil, err
			}
			v[k] = e
		}
	}
	return v, nil
}
