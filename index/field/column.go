package field

import (
	"slices"
	"strings"

	"github.com/vecdb/vecdb/internal/core"
)

// column holds the values of one field.
type column struct {
	name    string
	values  map[key]*value
	ords    *core.Set // all ordinals that have the field
	texts   order
	numbers order
	times   order
	codes   codes
	ranges  ranges
	counts  [kinds]int                // values of each kind
	points  map[core.Ord][]core.Point // nil while there are none

	textBytes int64 // bytes of all texts
	shared    int64 // ordinals beyond the first of each value
}

func newColumn(name string) *column {
	return &column{name: name, values: make(map[key]*value), ords: core.NewSet()}
}

// add puts ord under k and returns the value, or nil when ord was there.
func (c *column) add(k key, ord core.Ord) *value {
	c.ranges.forget()
	if v := c.values[k]; v != nil {
		if !v.add(ord) {
			return nil
		}
		c.shared++
		if k.plainly() {
			c.codes.note(ord, v)
		}
		return v
	}
	v := &value{key: k, only: ord}
	c.enter(v)
	if k.plainly() {
		c.codes.note(ord, v)
	}
	return v
}

// enter takes a new value up.
func (c *column) enter(v *value) {
	k := v.key
	c.values[k] = v
	if k.plainly() {
		c.codes.enter(v)
	}
	c.counts[k.kind]++
	c.textBytes += int64(len(k.text))
	if o := c.orderOf(k); o != nil {
		o.add(v)
	}
}

// remove takes ord, a member, out of v.
func (c *column) remove(v *value, ord core.Ord) {
	c.ranges.forget()
	c.codes.forget(ord)
	if !v.remove(ord) {
		c.shared--
		return
	}
	delete(c.values, v.key)
	if v.key.plainly() {
		c.codes.leave(v)
	}
	c.counts[v.key.kind]--
	c.textBytes -= int64(len(v.key.text))
	if o := c.orderOf(v.key); o != nil {
		o.lose()
	}
}

// orderOf returns the order that k belongs into; there is none for bools.
func (c *column) orderOf(k key) *order {
	switch {
	case k.kind == isText:
		return &c.texts
	case k.number():
		return &c.numbers
	case k.kind == isTime:
		return &c.times
	}
	return nil
}

// equal returns the ordinals that hold any of the values.
func (c *column) equal(values []any) *core.Set {
	out := core.NewSet()
	for _, want := range values {
		if k, ok := keyOf(want); ok {
			if v := c.values[k.comparedBy()]; v != nil {
				v.addTo(out)
			}
		}
	}
	return out
}

// compare returns the ordinals with a value on the right side of bound, a text,
// a number or a time; only values of the bound's kind are compared with it.
func (c *column) compare(op core.CondOp, bound key) *core.Set {
	if kept := c.ranges.get(op, bound); kept != nil {
		return kept
	}
	values := within(c.sorted(bound), op, bound)
	coded, many := bound.kind != isTime, len(values) >= manyValues
	var out *core.Set
	switch {
	case coded && many:
		out = c.holding(values)
	case coded && c.scattered(values):
		out = c.gathered(values)
	default:
		out = union(values)
		if !many {
			return out
		}
	}
	c.ranges.put(op, bound, out)
	return out
}

// sorted returns the values of the kind of k in rising order, dead ones among
// them.
func (c *column) sorted(k key) []*value {
	o := c.orderOf(k)
	return o.values(func(yield func(*value) bool) {
		for k, v := range c.values {
			if c.orderOf(k) == o && !yield(v) {
				return
			}
		}
	})
}

// beginning returns the ordinals with a text that begins with prefix.
func (c *column) beginning(prefix string) *core.Set {
	sorted := c.sorted(key{kind: isText})
	from, _ := slices.BinarySearchFunc(sorted, prefix, func(v *value, p string) int { return strings.Compare(v.key.text, p) })
	to := from
	for to < len(sorted) && strings.HasPrefix(sorted[to].key.text, prefix) {
		to++
	}
	return union(sorted[from:to])
}

// containing returns the ordinals with a text that contains part. It looks at
// every text.
func (c *column) containing(part string) *core.Set {
	out := core.NewSet()
	for k, v := range c.values {
		if k.kind == isText && strings.Contains(k.text, part) {
			v.addTo(out)
		}
	}
	return out
}

// addPoint notes that ord holds p.
func (c *column) addPoint(ord core.Ord, p core.Point) {
	if c.points == nil {
		c.points = make(map[core.Ord][]core.Point)
	}
	c.points[ord] = append(c.points[ord], p)
}

// inside returns those of the candidates that hold a point in the area.
func (c *column) inside(area core.Area, candidates *core.Set) *core.Set {
	out := core.NewSet()
	for ord := range candidates.All() {
		if slices.ContainsFunc(c.points[ord], area.Contains) {
			out.Add(ord)
		}
	}
	return out
}

func union(values []*value) *core.Set {
	out := core.NewSet()
	for _, v := range values {
		v.addTo(out)
	}
	return out
}

func (c *column) sizeBytes() int64 {
	const perValue, perShared, perOrdered, perPoint = 104, 2, 8, 80 // a value with its place in the map; a member of a set; a place in an order; a point
	ordered := c.texts.len() + c.numbers.len() + c.times.len()
	return int64(len(c.name)) + int64(c.ords.SizeBytes()) + int64(len(c.values))*perValue + c.textBytes + c.codes.sizeBytes() + c.ranges.sizeBytes() +
		c.shared*perShared + int64(ordered)*perOrdered + int64(len(c.points))*perPoint
}
