// Package field is the index of document fields: it answers a condition on a
// field with the set of ordinals that satisfy it, so that filters are pushed
// into the vector search. It lives in memory and is filled from the store.
package field

import (
	"math"
	"sync"

	"github.com/vecdb/vecdb/internal/core"
)

// Index maps values of fields to the ordinals that hold them. It is safe for
// concurrent use.
type Index struct {
	mu     sync.RWMutex // guards the rest
	live   *core.Set    // all ordinals present
	texts  *core.Set    // those with a text
	ids    map[string]core.Ord
	fields map[string]*column
	docs   map[core.Ord]entry
}

// entry remembers where an ordinal stands, to take it out again.
type entry struct {
	id     string
	values []posting
}

type posting struct {
	field string
	value key
}

// New returns an empty index.
func New() *Index {
	return &Index{live: core.NewSet(), texts: core.NewSet(), ids: make(map[string]core.Ord),
		fields: make(map[string]*column), docs: make(map[core.Ord]entry)}
}

// Insert adds the fields of doc under ord. Nested objects are reached by
// dotted names; each element of an array is a value.
func (x *Index) Insert(ord core.Ord, doc *core.Document) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.remove(ord)
	e := entry{id: doc.ID}
	for name, v := range doc.Fields {
		x.insert(ord, name, v, &e)
	}
	x.docs[ord] = e
	x.ids[doc.ID] = ord
	x.live.Add(ord)
	if doc.Text != "" {
		x.texts.Add(ord)
	}
}

func (x *Index) insert(ord core.Ord, name string, v any, e *entry) {
	switch v := v.(type) {
	case nil:
	case []any:
		for _, element := range v {
			x.insert(ord, name, element, e)
		}
	case map[string]any:
		for k, element := range v {
			x.insert(ord, name+"."+k, element, e)
		}
		x.column(name).objects.Add(ord)
		e.values = append(e.values, posting{field: name})
	default:
		k := keyOf(v)
		x.column(name).add(k, ord)
		e.values = append(e.values, posting{name, k})
	}
}

func (x *Index) column(name string) *column {
	c := x.fields[name]
	if c == nil {
		c = newColumn()
		x.fields[name] = c
	}
	return c
}

// Delete takes ord out; an absent one is no error.
func (x *Index) Delete(ord core.Ord) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.remove(ord)
}

func (x *Index) remove(ord core.Ord) {
	e, there := x.docs[ord]
	if !there {
		return
	}
	for _, p := range e.values {
		c := x.fields[p.field]
		if c == nil {
			continue
		}
		c.remove(p.value, ord)
		if c.empty() {
			delete(x.fields, p.field)
		}
	}
	delete(x.docs, ord)
	if x.ids[e.id] == ord { // not when a newer ordinal has taken the id over
		delete(x.ids, e.id)
	}
	x.live.Remove(ord)
	x.texts.Remove(ord)
}

// Lookup returns the ordinals that satisfy cond; the caller owns the set. The
// field "id" can be asked for equality and existence, "text" for existence
// only. A field that no document has gives the empty set.
func (x *Index) Lookup(cond core.Condition) (*core.Set, error) {
	if err := check(cond); err != nil {
		return nil, err
	}
	x.mu.RLock()
	defer x.mu.RUnlock()
	switch {
	case cond.Op == core.CondExists:
		return x.existing(cond.Field, cond.Values[0].(bool)), nil
	case cond.Field == "id":
		return x.byID(cond), nil
	}
	c := x.fields[cond.Field]
	if c == nil {
		return core.NewSet(), nil
	}
	switch cond.Op {
	case core.CondEq, core.CondIn:
		out := core.NewSet()
		for _, v := range cond.Values {
			if p := c.values[keyOf(v)]; p != nil {
				p.addTo(out)
			}
		}
		return out, nil
	default:
		return c.compare(cond.Op, keyOf(cond.Values[0])), nil
	}
}

func (x *Index) existing(field string, want bool) *core.Set {
	out := core.NewSet()
	switch field {
	case "id":
		out = x.live.Clone()
	case "text":
		out = x.texts.Clone()
	default:
		if c := x.fields[field]; c != nil {
			out = c.all()
		}
	}
	if want {
		return out
	}
	rest := x.live.Clone()
	rest.AndNot(out)
	return rest
}

func (x *Index) byID(cond core.Condition) *core.Set {
	out := core.NewSet()
	for _, v := range cond.Values {
		id, _ := v.(string)
		if ord, there := x.ids[id]; there {
			out.Add(ord)
		}
	}
	return out
}

// check refuses conditions that have no meaning.
func check(cond core.Condition) error {
	if cond.Op == core.CondExists {
		if len(cond.Values) == 1 {
			if _, ok := cond.Values[0].(bool); ok {
				return nil
			}
		}
		return core.Invalid("", "use true or false", `"exists" takes a bool`)
	}
	if cond.Field == "text" {
		return core.Invalid("", `search for text, or use "exists"`, "the text cannot be compared in a filter")
	}
	equality := cond.Op == core.CondEq || cond.Op == core.CondIn
	if cond.Field == "id" && !equality {
		return core.Invalid("", `use "eq" or "in"`, "ids can only be compared for equality")
	}
	if cond.Op != core.CondIn && len(cond.Values) != 1 {
		return core.Invalid("", "give one value", "%q takes one value, not %d", cond.Op, len(cond.Values))
	}
	for _, v := range cond.Values {
		if err := checkValue(cond, v, equality); err != nil {
			return err
		}
	}
	return nil
}

func checkValue(cond core.Condition, v any, equality bool) error {
	switch v := v.(type) {
	case string, int64:
	case bool:
		if !equality {
			return core.Invalid("", "compare numbers or strings", "%q cannot order true and false", cond.Op)
		}
	case float64:
		if math.IsNaN(v) {
			return core.Invalid("", "use a number", "NaN equals nothing")
		}
	default:
		return core.Invalid("", "use strings, numbers, true or false", "%q cannot compare with a %T", cond.Op, v)
	}
	if _, text := v.(string); cond.Field == "id" && !text {
		return core.Invalid("", "give the id as a string", "ids are strings")
	}
	return nil
}

// SizeBytes estimates the memory held, in bytes.
func (x *Index) SizeBytes() int64 {
	x.mu.RLock()
	defer x.mu.RUnlock()
	const perDoc, perValue = 120, 64 // map entries with their slices and strings
	n := int64(x.live.SizeBytes() + x.texts.SizeBytes())
	for _, e := range x.docs {
		n += perDoc + int64(len(e.id)) + int64(len(e.values))*perValue
	}
	for _, c := range x.fields {
		n += c.sizeBytes()
	}
	return n
}
