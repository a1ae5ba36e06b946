package field

import (
	"cmp"
	"math"
	"math/big"
	"slices"
	"sync"

	"github.com/vecdb/vecdb/internal/core"
)

// key is a value of a field in a form that can be compared and used in a map:
// equal numbers have equal keys, whether they came as int64 or float64. The
// zero key stands for an object.
type key struct {
	kind kind
	text string
	i    int64
	f    float64
}

type kind uint8

const (
	isObject kind = iota
	isBool
	isInt   // whole numbers that fit int64
	isFloat // all other numbers
	isText
)

func keyOf(v any) key {
	switch v := v.(type) {
	case bool:
		if v {
			return key{kind: isBool, i: 1}
		}
		return key{kind: isBool}
	case int64:
		return key{kind: isInt, i: v}
	case float64:
		// 2^63 itself does not fit; every whole float64 below does.
		if v == math.Trunc(v) && v >= -(1<<63) && v < 1<<63 {
			return key{kind: isInt, i: int64(v)}
		}
		return key{kind: isFloat, f: v}
	case string:
		return key{kind: isText, text: v}
	}
	return key{}
}

func (k key) number() bool { return k.kind == isInt || k.kind == isFloat }

// compareKeys orders two numbers or two texts.
func compareKeys(a, b key) int {
	switch {
	case a.kind == isText:
		return cmp.Compare(a.text, b.text)
	case a.kind == isInt && b.kind == isInt:
		return cmp.Compare(a.i, b.i)
	case a.kind == isFloat && b.kind == isFloat:
		return cmp.Compare(a.f, b.f)
	case a.kind == isFloat:
		return -compareKeys(b, a)
	}
	// A whole number beside a broken or huge one: float64 would round large
	// whole numbers, so they are compared exactly.
	if math.IsInf(b.f, 0) {
		return -cmp.Compare(b.f, 0)
	}
	return new(big.Float).SetInt64(a.i).Cmp(big.NewFloat(b.f))
}

// postings are the ordinals that hold one value. Most values of a field with
// many of them belong to one ordinal, which needs no set.
type postings struct {
	only core.Ord
	set  *core.Set // nil while only is the only one
}

func (p *postings) add(ord core.Ord) {
	switch {
	case p.set != nil:
		p.set.Add(ord)
	case p.only != ord:
		p.set = core.NewSet(p.only, ord)
	}
}

// remove takes ord out and reports whether none is left.
func (p *postings) remove(ord core.Ord) bool {
	if p.set == nil {
		return p.only == ord
	}
	p.set.Remove(ord)
	return p.set.Len() == 0
}

func (p *postings) addTo(out *core.Set) {
	if p.set != nil {
		out.Or(p.set)
		return
	}
	out.Add(p.only)
}

// column holds the values of one field.
type column struct {
	values  map[key]*postings
	objects *core.Set // ordinals that hold an object here

	sortMu sync.Mutex // guards the sorted keys, which are made when first asked for
	texts  []key
	nums   []key
	fresh  bool
}

func newColumn() *column {
	return &column{values: make(map[key]*postings), objects: core.NewSet()}
}

func (c *column) add(k key, ord core.Ord) {
	if p := c.values[k]; p != nil {
		p.add(ord)
		return
	}
	c.values[k] = &postings{only: ord}
	c.fresh = false
}

func (c *column) remove(k key, ord core.Ord) {
	if k.kind == isObject {
		c.objects.Remove(ord)
		return
	}
	if p := c.values[k]; p != nil && p.remove(ord) {
		delete(c.values, k)
		c.fresh = false
	}
}

func (c *column) empty() bool { return len(c.values) == 0 && c.objects.Len() == 0 }

// all returns the ordinals that hold anything.
func (c *column) all() *core.Set {
	out := c.objects.Clone()
	for _, p := range c.values {
		p.addTo(out)
	}
	return out
}

// compare returns the ordinals with a value on the right side of bound; only
// values of the bound's kind are compared with it.
func (c *column) compare(op core.CondOp, bound key) *core.Set {
	sorted := c.sorted(bound)
	at, found := slices.BinarySearchFunc(sorted, bound, compareKeys)
	after := at
	if found {
		after++
	}
	switch op {
	case core.CondGt:
		sorted = sorted[after:]
	case core.CondGte:
		sorted = sorted[at:]
	case core.CondLt:
		sorted = sorted[:at]
	case core.CondLte:
		sorted = sorted[:after]
	}
	out := core.NewSet()
	for _, k := range sorted {
		c.values[k].addTo(out)
	}
	return out
}

// sorted returns the keys of bound's kind in rising order.
func (c *column) sorted(bound key) []key {
	c.sortMu.Lock()
	defer c.sortMu.Unlock()
	if !c.fresh {
		c.texts, c.nums = nil, nil
		for k := range c.values {
			switch {
			case k.kind == isText:
				c.texts = append(c.texts, k)
			case k.number():
				c.nums = append(c.nums, k)
			}
		}
		slices.SortFunc(c.texts, compareKeys)
		slices.SortFunc(c.nums, compareKeys)
		c.fresh = true
	}
	if bound.kind == isText {
		return c.texts
	}
	return c.nums
}

func (c *column) sizeBytes() int64 {
	n := int64(c.objects.SizeBytes())
	for k, p := range c.values {
		n += 80 + int64(len(k.text))
		if p.set != nil {
			n += int64(p.set.SizeBytes())
		}
	}
	return n
}
