package field

import (
	"cmp"
	"maps"
	"slices"

	"github.com/vecdb/vecdb/internal/core"
)

// manyEqual is from how many values with equal counts on the order of the
// column is asked for the least of them.
const manyEqual = 5_000

// Facet counts the documents of each value of a field among those within, nil
// for all, and returns the limit (1 or more) values with the most, those first,
// equal ones in rising order. distinct is the number of all values. A document
// with several values counts for each. A field that no document has gives
// nothing.
func (x *Index) Facet(field string, within *core.Set, limit int) (values []core.FacetValue, distinct int) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	c := x.fields[field]
	if c == nil || field == hashes {
		return nil, 0
	}
	counts := c.codes.count(within)
	least, distinct := threshold(counts, limit)
	var best []counted
	equal := 0
	for code, n := range counts {
		switch {
		case n > least:
			best = append(best, counted{c.codes.values[code].key, int(n)})
		case n == least && n > 0:
			equal++
		}
	}
	slices.SortFunc(best, compareCounted)
	for _, b := range append(best, c.equals(counts, least, equal, limit-len(best))...) {
		values = append(values, core.FacetValue{Value: b.key.plain(), Count: b.n})
	}
	return values, distinct
}

// threshold returns the limit-th largest count, the least above 0 where there
// are fewer, and how many are above 0.
func threshold(counts []uint32, limit int) (least uint32, distinct int) {
	var few [256]int             // how many values have a small count
	many := make(map[uint32]int) // and a larger one
	for _, n := range counts {
		switch {
		case n == 0:
			continue
		case n < uint32(len(few)):
			few[n]++
		default:
			many[n]++
		}
		distinct++
	}
	for _, n := range slices.SortedFunc(maps.Keys(many), func(a, b uint32) int { return cmp.Compare(b, a) }) {
		if limit -= many[n]; limit <= 0 {
			return n, distinct
		}
		least = n
	}
	for n := len(few) - 1; n > 0; n-- {
		if few[n] > 0 {
			least = uint32(n)
		}
		if limit -= few[n]; limit <= 0 {
			break
		}
	}
	return least, distinct
}

// equals returns the least values of those, equal many, that n documents hold.
func (c *column) equals(counts []uint32, n uint32, equal, limit int) []counted {
	limit = min(limit, equal)
	list := make([]counted, 0, limit)
	if equal < manyEqual {
		for code, have := range counts {
			if have == n && n > 0 {
				list = append(list, counted{c.codes.values[code].key, int(n)})
			}
		}
		slices.SortFunc(list, compareCounted)
		return list[:limit]
	}
	// In the order of compareAny.
	for _, k := range []key{{kind: isBool}, {kind: isBool, bits: 1}} {
		if v := c.values[k]; v != nil && counts[v.code] == n && len(list) < limit {
			list = append(list, counted{k, int(n)})
		}
	}
	for _, kind := range []kind{isInt, isText} {
		for _, v := range c.sorted(key{kind: kind}) {
			if len(list) == limit {
				return list
			}
			if v.alive() && counts[v.code] == n {
				list = append(list, counted{v.key, int(n)})
			}
		}
	}
	return list
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

// among counts the ordinals that hold v within a set.
func (v *value) among(within *core.Set) int {
	switch {
	case v.set != nil:
		return v.set.Overlap(within)
	case v.only != core.NoOrd && within.Contains(v.only):
		return 1
	}
	return 0
}
