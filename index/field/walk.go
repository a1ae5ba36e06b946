package field

import (
	"sort"
	"time"

	"github.com/vecdb/vecdb/internal/core"
)

// Ordered calls each with the ordinals that hold a value of a field, value by
// value in rising order or, where it falls, in falling order, until each returns
// false: booleans, numbers, strings, times, for which strings that are times
// stand. It begins at the value from, nil for all; a time is a time.Time. The
// ordinals are valid during the call, in which the index must not be called.
func (x *Index) Ordered(field string, from any, falls bool, each func(ords []core.Ord) bool) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	c := x.fields[field]
	if c == nil {
		return
	}
	lists := c.inOrder()
	list, at, step := 0, 0, 1
	if falls {
		list, step = len(lists)-1, -1
		at = len(lists[list]) - 1
	}
	if k, ok := orderKey(from); ok {
		list = orderRank(k)
		at = sort.Search(len(lists[list]), func(i int) bool { return compareAny(lists[list][i].key, k) >= 0 })
		if falls {
			at = sort.Search(len(lists[list]), func(i int) bool { return compareAny(lists[list][i].key, k) > 0 }) - 1
		}
	}
	var ords []core.Ord
	for {
		for ; at >= 0 && at < len(lists[list]); at += step {
			if v := lists[list][at]; v.alive() && orderRank(v.key.comparedBy()) == list {
				if ords = v.appendTo(ords[:0]); !each(ords) {
					return
				}
			}
		}
		if list += step; list < 0 || list == len(lists) {
			return
		}
		if at = 0; falls {
			at = len(lists[list]) - 1
		}
	}
}

// inOrder returns the booleans, numbers, texts and times of a column, each in
// rising order, with values that are not there any more among them.
func (c *column) inOrder() [4][]*value {
	var bools []*value
	for bit := range uint64(2) {
		if v := c.values[key{kind: isBool, bits: bit}]; v != nil {
			bools = append(bools, v)
		}
	}
	return [4][]*value{bools, c.sorted(key{kind: isInt}), c.sorted(key{kind: isText}), c.sorted(key{kind: isTime})}
}

// orderRank is the place of the kind of k in inOrder.
func orderRank(k key) int {
	switch {
	case k.kind == isBool:
		return 0
	case k.number():
		return 1
	case k.kind == isText:
		return 2
	}
	return 3
}

func orderKey(v any) (key, bool) {
	if t, ok := v.(time.Time); ok {
		return key{kind: isTime, bits: uint64(t.Unix()), nano: uint32(t.Nanosecond())}, true
	}
	return keyOf(v)
}

// appendTo appends the ordinals that hold v, in rising order.
func (v *value) appendTo(ords []core.Ord) []core.Ord {
	if v.set == nil {
		return append(ords, v.only)
	}
	for ord := range v.set.All() {
		ords = append(ords, ord)
	}
	return ords
}
