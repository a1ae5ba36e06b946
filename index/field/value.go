package field

import (
	"cmp"
	"math"

	"github.com/vecdb/vecdb/internal/core"
)

// key is a value of a field in a form that can be compared and used in a map:
// equal numbers have equal keys, whether they came as int64 or float64.
type key struct {
	kind kind
	nano uint32 // of a time, below its second
	bits uint64 // of a number or bool; the second of a time, since 1970
	text string
}

type kind uint8

const (
	isBool  kind = iota
	isInt        // whole numbers that fit int64
	isFloat      // all other numbers
	isText
	isTime // beside isText, for texts that are times
	isHash // of the text of a document
	kinds  // their number
)

// keyOf returns the key of v. What equals nothing has none: NaN, and all but
// strings, bools, int64 and float64.
func keyOf(v any) (key, bool) {
	switch v := v.(type) {
	case bool:
		if v {
			return key{kind: isBool, bits: 1}, true
		}
		return key{kind: isBool}, true
	case int64:
		return key{kind: isInt, bits: uint64(v)}, true
	case float64:
		// 2^63 itself does not fit; every whole float64 below does.
		if v == math.Trunc(v) && v >= -(1<<63) && v < 1<<63 {
			return key{kind: isInt, bits: uint64(int64(v))}, true
		}
		return key{kind: isFloat, bits: math.Float64bits(v)}, !math.IsNaN(v)
	case string:
		return key{kind: isText, text: v}, true
	}
	return key{}, false
}

// timeKey returns the key of the moment that a text is.
func timeKey(text string) (key, bool) {
	t, ok := core.ParseTime(text)
	return key{kind: isTime, bits: uint64(t.Unix()), nano: uint32(t.Nanosecond())}, ok
}

// comparedBy returns the key by which k is compared: a text that is a time by
// its moment.
func (k key) comparedBy() key {
	if k.kind == isText {
		if moment, ok := timeKey(k.text); ok {
			return moment
		}
	}
	return k
}

// plain returns the value as documents hold it.
func (k key) plain() any {
	switch k.kind {
	case isBool:
		return k.bits == 1
	case isInt:
		return k.int()
	case isFloat:
		return k.float()
	}
	return k.text
}

// plainly reports whether documents hold the value so: a time stands beside its
// text, a hash for another.
func (k key) plainly() bool { return k.kind != isTime && k.kind != isHash }

func (k key) number() bool { return k.kind == isInt || k.kind == isFloat }

func (k key) int() int64 { return int64(k.bits) }

func (k key) float() float64 { return math.Float64frombits(k.bits) }

// compareKeys orders two numbers, two texts or two times.
func compareKeys(a, b key) int {
	switch {
	case a.kind == isText:
		return cmp.Compare(a.text, b.text)
	case a.kind == isTime:
		return cmp.Or(cmp.Compare(a.int(), b.int()), cmp.Compare(a.nano, b.nano))
	case a.kind == isInt && b.kind == isInt:
		return cmp.Compare(a.int(), b.int())
	}
	return core.CompareNumbers(a.plain(), b.plain())
}

// value is one value of a field with the ordinals that hold it. Most values of
// a field with many of them belong to one ordinal, which needs no set.
type value struct {
	key  key
	code uint32    // in the codes of its column, unless it is a time or a hash
	only core.Ord  // core.NoOrd when the value has been removed from its column
	set  *core.Set // nil while only is the only one
}

// add reports whether ord is new.
func (v *value) add(ord core.Ord) bool {
	switch {
	case v.set != nil:
		if v.set.Contains(ord) {
			return false
		}
		v.set.Add(ord)
	case v.only == ord:
		return false
	default:
		v.set = core.NewSet(v.only, ord)
	}
	return true
}

// remove takes ord, a member, out and reports whether none is left.
func (v *value) remove(ord core.Ord) bool {
	if v.set != nil {
		v.set.Remove(ord)
		if v.set.Len() > 0 {
			return false
		}
	}
	v.only, v.set = core.NoOrd, nil
	return true
}

// alive reports whether v is still in its column.
func (v *value) alive() bool { return v.set != nil || v.only != core.NoOrd }

func (v *value) addTo(out *core.Set) {
	switch {
	case v.set != nil:
		out.Or(v.set)
	case v.only != core.NoOrd:
		out.Add(v.only)
	}
}
