// Package field is the index of document fields: it answers a condition on a
// field with the set of ordinals that satisfy it, so that filters are pushed
// into the vector search. It lives in memory, and in snapshots from one start to
// the next.
package field

import (
	"hash/maphash"
	"sync"

	"github.com/vecdb/vecdb/internal/core"
)

// Index maps values of fields to the ordinals that hold them. It is safe for
// concurrent use: look-ups run in parallel, changes one after the other.
type Index struct {
	mu       sync.RWMutex // guards the rest
	live     *core.Set    // all ordinals present
	texts    *core.Set    // those with a text
	ids      map[string]core.Ord
	fields   map[string]*column
	docs     map[core.Ord]entry
	idBytes  int64 // bytes of all ids
	postings int64 // all postings of all entries
	hashing  bool  // the texts are known by their hashes
	seed     maphash.Seed
}

// entry remembers where an ordinal stands, to take it out again.
type entry struct {
	id     string
	values []posting
}

// posting is a place where an ordinal stands: in a value of a column or, when
// value is nil, only among those that have the field.
type posting struct {
	column *column
	value  *value
}

// New returns an empty index.
func New() *Index {
	return &Index{live: core.NewSet(), texts: core.NewSet(), ids: make(map[string]core.Ord),
		fields: make(map[string]*column), docs: make(map[core.Ord]entry), seed: maphash.MakeSeed()}
}

// Insert adds the fields of doc under ord; it replaces what ord stood for
// before. Nested objects are reached by dotted names; each element of an array
// is a value. NaN, and values of Go types that a document cannot hold, make
// the field exist and equal nothing. Where two ordinals have the same id, the
// larger one answers to it. The index keeps the strings of doc, nothing else.
func (x *Index) Insert(ord core.Ord, doc *core.Document) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.remove(ord)
	e := entry{id: doc.ID, values: make([]posting, 0, len(doc.Fields))}
	for name, v := range doc.Fields {
		x.insert(ord, name, v, &e)
	}
	if x.hashing {
		x.addHash(ord, doc.Text, &e)
	}
	x.docs[ord] = e
	x.idBytes += int64(len(e.id))
	x.postings += int64(len(e.values))
	if holder, there := x.ids[doc.ID]; !there || holder < ord {
		x.ids[doc.ID] = ord
	}
	x.live.Add(ord)
	if doc.Text != "" {
		x.texts.Add(ord)
	}
}

func (x *Index) insert(ord core.Ord, name string, v any, e *entry) {
	if v == nil {
		return
	}
	c := x.column(name)
	present := c.ords.Contains(ord)
	c.ords.Add(ord)
	var held *value
	switch v := v.(type) {
	case []any:
		for _, element := range v {
			x.insert(ord, name, element, e)
		}
	case map[string]any:
		if p, ok := core.PointOf(v); ok {
			c.addPoint(ord, p)
		}
		for k, element := range v {
			x.insert(ord, name+"."+k, element, e)
		}
	default:
		if k, ok := keyOf(v); ok {
			held = c.add(k, ord)
			if moment := k.comparedBy(); moment != k {
				if v := c.add(moment, ord); v != nil {
					e.values = append(e.values, posting{c, v})
				}
			}
		}
	}
	if held != nil || !present {
		e.values = append(e.values, posting{c, held})
	}
}

func (x *Index) column(name string) *column {
	c := x.fields[name]
	if c == nil {
		c = newColumn(name)
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
		if p.value != nil {
			p.column.remove(p.value, ord)
		}
		p.column.ords.Remove(ord)
		delete(p.column.points, ord)
		if p.column.ords.Len() == 0 {
			delete(x.fields, p.column.name)
		}
	}
	delete(x.docs, ord)
	x.idBytes -= int64(len(e.id))
	x.postings -= int64(len(e.values))
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
	switch {
	case c == nil:
		return core.NewSet(), nil
	case equality(cond.Op):
		return c.equal(cond.Values), nil
	}
	return x.compare(c, cond.Op, cond.Values[0])
}

// compare answers what is not about equality.
func (x *Index) compare(c *column, op core.CondOp, want any) (*core.Set, error) {
	switch text, isString := want.(string); {
	case geo(op):
		return x.inside(c, want.(core.Area))
	case op == core.CondContains && !isString:
		return c.equal([]any{want}), nil
	case op == core.CondContains || op == core.CondPrefix:
		if err := c.holds(key{kind: isText, text: text}); err != nil {
			return nil, err
		}
		if op == core.CondPrefix {
			return c.beginning(text), nil
		}
		return c.containing(text), nil
	}
	bound, _ := keyOf(want)
	bound = bound.comparedBy()
	if err := c.holds(bound); err != nil {
		return nil, err
	}
	return c.compare(op, bound), nil
}

// inside returns the ordinals with a point in the area: among those whose
// latitude is right, as the numbers below the field tell.
func (x *Index) inside(c *column, area core.Area) (*core.Set, error) {
	if len(c.points) == 0 {
		return nil, core.Invalid("", `store points as {"lat":52.5,"lon":13.4}`, "the field %.80q holds no points", c.name)
	}
	south, north := area.Latitudes()
	low, _ := keyOf(south)
	high, _ := keyOf(north)
	lats := x.fields[c.name+".lat"]
	candidates := lats.compare(core.CondGte, low)
	candidates.And(lats.compare(core.CondLte, high))
	return c.inside(area, candidates), nil
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
			out = c.ords.Clone()
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

// SizeBytes estimates the memory held, in bytes. It looks at every field, not
// at every document.
func (x *Index) SizeBytes() int64 {
	x.mu.RLock()
	defer x.mu.RUnlock()
	const perDoc, perPosting = 110, 16 // an entry and an id in their maps; a place in an entry
	n := int64(x.live.SizeBytes()+x.texts.SizeBytes()) + int64(len(x.docs))*perDoc + x.idBytes + x.postings*perPosting
	for _, c := range x.fields {
		n += c.sizeBytes()
	}
	return n
}
