package field

import (
	"slices"
	"sync"

	"github.com/vecdb/vecdb/internal/core"
)

// order keeps the texts or the numbers of a column in rising order for range
// conditions. It exists only once such a condition has been asked, and is kept
// up by merging what came since in front of the next one; when much has
// changed it is thrown away and made anew when it is next asked for.
//
// Writers hold the lock of the index, readers share it; readMu is locked
// inside of it and lets the first reader after a write bring the order up to
// date before the others look.
type order struct {
	readMu sync.Mutex
	made   bool
	sorted []*value // rising; values that died meanwhile are still there
	added  []*value // came since sorted was made
	died   int      // values that died since
}

// slack is how many changes are always merged, however small the order is.
const slack = 1024

// add takes a new value up.
func (o *order) add(v *value) {
	if o.made {
		o.added = append(o.added, v)
		o.tire()
	}
}

// lose notes that a value has died.
func (o *order) lose() {
	if o.made {
		o.died++
		o.tire()
	}
}

// tire throws the order away when bringing it up to date would cost as much as
// making it, which also bounds the dead values that it keeps from being freed.
func (o *order) tire() {
	if len(o.added)+o.died > slack+len(o.sorted)/2 {
		o.made, o.sorted, o.added, o.died = false, nil, nil, 0
	}
}

// len returns how many places the order holds, dead values included.
func (o *order) len() int {
	o.readMu.Lock()
	defer o.readMu.Unlock()
	return len(o.sorted) + len(o.added)
}

// values returns the values in rising order, among them dead ones. all yields
// those of the column that belong here.
func (o *order) values(all func(yield func(*value) bool)) []*value {
	o.readMu.Lock()
	defer o.readMu.Unlock()
	switch {
	case !o.made:
		o.sorted = slices.SortedFunc(all, compareValues)
		o.made = true
	case len(o.added) > 0:
		o.merge()
	}
	return o.sorted
}

// merge puts the added values at their places, from the last to the first, so
// that each piece between two of them moves once.
func (o *order) merge() {
	slices.SortFunc(o.added, compareValues)
	rest := len(o.sorted)
	o.sorted = append(o.sorted, o.added...)
	for i := len(o.added) - 1; i >= 0; i-- {
		at := o.position(rest, o.added[i].key)
		copy(o.sorted[at+i+1:rest+i+1], o.sorted[at:rest])
		o.sorted[at+i] = o.added[i]
		rest = at
	}
	o.added = o.added[:0]
}

// position returns where k stands, or would stand, among the first n values.
func (o *order) position(n int, k key) int {
	at, _ := slices.BinarySearchFunc(o.sorted[:n], k, compareToKey)
	return at
}

func compareValues(a, b *value) int { return compareKeys(a.key, b.key) }

func compareToKey(v *value, k key) int { return compareKeys(v.key, k) }

// within returns the part of sorted on the right side of bound.
func within(sorted []*value, op core.CondOp, bound key) []*value {
	from, _ := slices.BinarySearchFunc(sorted, bound, compareToKey)
	after := from
	// A value that died and came again stands there twice.
	for after < len(sorted) && compareKeys(sorted[after].key, bound) == 0 {
		after++
	}
	switch op {
	case core.CondGt:
		return sorted[after:]
	case core.CondGte:
		return sorted[from:]
	case core.CondLt:
		return sorted[:from]
	default:
		return sorted[:after]
	}
}
