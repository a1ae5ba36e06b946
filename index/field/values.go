package field

import "github.com/vecdb/vecdb/internal/core"

// Values calls each with every value that the documents under ords hold in a
// field, as documents hold it; i is the place of the document in ords. Values
// of one document come in no order. The ids of documents are the values of
// "id". A field whose values have no order, points and objects, is an
// *core.InputError. each must not call the index.
func (x *Index) Values(field string, ords []core.Ord, each func(i int, v any)) error {
	x.mu.RLock()
	defer x.mu.RUnlock()
	if field == "id" {
		for i, ord := range ords {
			if e, there := x.docs[ord]; there {
				each(i, e.id)
			}
		}
		return nil
	}
	c := x.fields[field]
	switch {
	case c == nil:
		return nil
	case len(c.points) > 0:
		return core.Invalid("", "use a member of it, "+field+".lat or "+field+".lon", "the field %.80q holds points, which have no order", field)
	case len(c.values) == 0:
		return core.Invalid("", "use a member of it, for instance "+field+".name", "the field %.80q holds no strings, numbers or booleans", field)
	}
	for i, ord := range ords {
		for _, code := range c.codes.of(ord) {
			each(i, c.codes.values[code].key.plain())
		}
	}
	return nil
}

// Ords returns the ordinals of the documents under ids, core.NoOrd where there is
// none.
func (x *Index) Ords(ids []string) []core.Ord {
	x.mu.RLock()
	defer x.mu.RUnlock()
	ords := make([]core.Ord, len(ids))
	for i, id := range ids {
		ord, there := x.ids[id]
		if !there {
			ord = core.NoOrd
		}
		ords[i] = ord
	}
	return ords
}

// Several returns the ordinals that hold several values of a field; the caller
// owns the set.
func (x *Index) Several(field string) *core.Set {
	x.mu.RLock()
	defer x.mu.RUnlock()
	set := core.NewSet()
	if c := x.fields[field]; c != nil {
		for ord := range c.codes.more {
			set.Add(ord)
		}
	}
	return set
}
