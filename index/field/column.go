package field

import "github.com/vecdb/vecdb/internal/core"

// column holds the values of one field.
type column struct {
	name    string
	values  map[key]*value
	ords    *core.Set // all ordinals that have the field
	texts   order
	numbers order

	textBytes int64 // bytes of all texts
	shared    int64 // ordinals beyond the first of each value
}

func newColumn(name string) *column {
	return &column{name: name, values: make(map[key]*value), ords: core.NewSet()}
}

// add puts ord under k and returns the value, or nil when ord was there.
func (c *column) add(k key, ord core.Ord) *value {
	if v := c.values[k]; v != nil {
		if !v.add(ord) {
			return nil
		}
		c.shared++
		return v
	}
	v := &value{key: k, only: ord}
	c.values[k] = v
	c.textBytes += int64(len(k.text))
	if o := c.orderOf(k); o != nil {
		o.add(v)
	}
	return v
}

// remove takes ord, a member, out of v.
func (c *column) remove(v *value, ord core.Ord) {
	if !v.remove(ord) {
		c.shared--
		return
	}
	delete(c.values, v.key)
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
	}
	return nil
}

// equal returns the ordinals that hold any of the values.
func (c *column) equal(values []any) *core.Set {
	out := core.NewSet()
	for _, want := range values {
		if k, ok := keyOf(want); ok {
			if v := c.values[k]; v != nil {
				v.addTo(out)
			}
		}
	}
	return out
}

// compare returns the ordinals with a value on the right side of bound, a text
// or a number; only values of the bound's kind are compared with it.
func (c *column) compare(op core.CondOp, bound key) *core.Set {
	o := c.orderOf(bound)
	sorted := o.values(func(yield func(*value) bool) {
		for k, v := range c.values {
			if c.orderOf(k) == o && !yield(v) {
				return
			}
		}
	})
	out := core.NewSet()
	for _, v := range within(sorted, op, bound) {
		v.addTo(out)
	}
	return out
}

func (c *column) sizeBytes() int64 {
	const perValue, perShared, perOrdered = 100, 2, 8 // a value with its place in the map; a member of a set; a place in an order
	ordered := c.texts.len() + c.numbers.len()
	return int64(len(c.name)) + int64(c.ords.SizeBytes()) + int64(len(c.values))*perValue + c.textBytes +
		c.shared*perShared + int64(ordered)*perOrdered
}
