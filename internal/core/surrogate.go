package core

import (
	"bytes"
	"encoding/json"
	"strconv"
)

// CheckSurrogates returns an *InputError at the string in data, which is JSON, that
// holds half of a surrogate pair, such as "\ud800" with no "\udc00" to "\udfff"
// behind it. Such a string is no Unicode text (RFC 8259, section 8.2);
// encoding/json would put U+FFFD there, so that different ids become one. Where it
// is the name of a member, the pointer is that of the object. Data that is no JSON
// is left to those who read it.
func CheckSurrogates(data []byte) error {
	at := loneSurrogate(data)
	if at < 0 || !json.Valid(data) {
		return nil
	}
	return Invalid(pointerTo(data, at), `write both halves, such as "\ud83d\ude00", or the character itself`,
		"%s at byte %d is half of a surrogate pair, which is no character", data[at:at+6], at)
}

// loneSurrogate returns where the first escape of half a pair is, -1 where there
// is none.
func loneSurrogate(data []byte) int {
	for at := 0; ; {
		next := bytes.IndexByte(data[at:], '\\')
		if next < 0 {
			return -1
		}
		at += next
		switch half := surrogate(data[at:]); {
		case half < 0:
			at += 2
			if at > len(data) {
				return -1
			}
		case half == 1 || surrogate(data[at+6:]) != 1:
			return at
		default:
			at += 12
		}
	}
}

// surrogate tells whether data begins with the escape of the first half of a pair,
// 0, or of the second, 1; otherwise it is -1.
func surrogate(data []byte) int {
	if len(data) < 6 || data[0] != '\\' || data[1] != 'u' {
		return -1
	}
	switch c, err := strconv.ParseUint(string(data[2:6]), 16, 16); {
	case err != nil || c < 0xd800 || c > 0xdfff:
		return -1
	case c < 0xdc00:
		return 0
	}
	return 1
}

// pointerTo returns the pointer to the value in which a place of valid JSON is, to
// the object where the place is in the name of a member.
func pointerTo(data []byte, at int) string {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	var path []level
	for {
		t, err := dec.Token()
		if err != nil {
			return ""
		}
		last := len(path) - 1
		if t == json.Delim(']') || t == json.Delim('}') {
			path = path[:last]
			continue
		}
		named := false
		if last >= 0 {
			named = path[last].take(t)
		}
		if dec.InputOffset() > int64(at) {
			if named {
				last--
			}
			return joined(path[:last+1])
		}
		if d, opens := t.(json.Delim); opens {
			path = append(path, level{object: d == '{', index: -1})
		}
	}
}

// level is an array or an object on the way to a place.
type level struct {
	object, within bool // within tells that the name of a member was read, not yet its value
	name           string
	index          int // in an array, -1 before the first element
}

// take takes the next token of a level, and tells whether it is a name.
func (l *level) take(t json.Token) (named bool) {
	if !l.object {
		l.index++
		return false
	}
	if l.within = !l.within; l.within {
		l.name, _ = t.(string)
	}
	return l.within
}

func joined(path []level) string {
	out := ""
	for _, l := range path {
		token := strconv.Itoa(l.index)
		if l.object {
			token = EscapePointer(l.name)
		}
		out += "/" + token
	}
	return out
}
