package field

import (
	"cmp"
	"maps"
	"slices"

	"github.com/vecdb/vecdb/internal/core"
)

// Facet counts the documents of each value of a field among those within, nil
// for all, and returns the limit (1 or more) values with the most, those first, equal ones
// in rising order. distinct is the number of all values. A document with
// several values counts for each. A field that no document has gives nothing.
func (x *Index) Facet(field string, within *core.Set, limit int) (values []core.FacetValue, distinct int) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	c := x.fields[field]
	if c == nil {
		return nil, 0
	}
	var best []counted
	var last *counted // the worst one that can be among the best
	for k, v := range c.values {
		n := 0
		if k.kind != isTime { // it stands beside its text
			n = v.among(within)
		}
		if n == 0 {
			continue
		}
		distinct++
		if last != nil && compareCounted(counted{k, n}, *last) > 0 {
			continue
		}
		if best = append(best, counted{k, n}); len(best) >= 2*limit+100 {
			best = most(best, limit)
			worst := best[limit-1]
			last = &worst
		}
	}
	for _, b := range most(best, limit) {
		values = append(values, core.FacetValue{Value: b.key.plain(), Count: b.n})
	}
	return values, distinct
}

// Names returns the names of the fields that any document has, in rising order.
func (x *Index) Names() []string {
	x.mu.RLock()
	defer x.mu.RUnlock()
	names := slices.Sorted(maps.Keys(x.fields))
	return slices.DeleteFunc(names, func(name string) bool { return name == hashes })
}

type counted struct {
	key key
	n   int
}

// most returns the limit best in their order.
func most(list []counted, limit int) []counted {
	slices.SortFunc(list, compareCounted)
	return list[:min(limit, len(list))]
}

func compareCounted(a, b counted) int {
	if a.n != b.n {
		return cmp.Compare(b.n, a.n)
	}
	return compareAny(a.key, b.key)
}

// compareAny orders keys of all kinds: booleans, numbers, texts.
func compareAny(a, b key) int {
	if a.kind == b.kind && a.kind == isBool {
		return cmp.Compare(a.bits, b.bits)
	}
	if a.kind == b.kind || a.number() && b.number() {
		return compareKeys(a, b)
	}
	return cmp.Compare(a.kind, b.kind)
}

// among counts the ordinals that hold v within a set, nil for all.
func (v *value) among(within *core.Set) int {
	switch {
	case v.set != nil && within == nil:
		return v.set.Len()
	case v.set != nil:
		return v.set.Overlap(within)
	case v.only != core.NoOrd && (within == nil || within.Contains(v.only)):
		return 1
	}
	return 0
}
