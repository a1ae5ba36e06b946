package field

import (
	"slices"
	"sync"

	"github.com/vecdb/vecdb/internal/core"
)

// A range with more than manyValues values is looked up by going through the
// codes of all ordinals. Such a range, and one with fewer values whose members are
// marked one by one, is kept until the column changes.
const (
	manyValues = 256
	keptRanges = 8
)

// ranges keeps the ordinals of the wide ranges of a column that were asked for
// last. Writers hold the lock of the index, readers share it; readMu is locked
// inside of it.
type ranges struct {
	readMu sync.Mutex
	kept   []rangeSet // the latest one last
}

type rangeSet struct {
	op    core.CondOp
	bound key
	set   *core.Set // not to be changed
}

// forget drops all: the column is about to change.
func (r *ranges) forget() { r.kept = nil }

// get returns a copy of what is kept of a range, nil where nothing is.
func (r *ranges) get(op core.CondOp, bound key) *core.Set {
	r.readMu.Lock()
	defer r.readMu.Unlock()
	i := slices.IndexFunc(r.kept, func(k rangeSet) bool { return k.op == op && k.bound == bound })
	if i < 0 {
		return nil
	}
	found := r.kept[i]
	r.kept = append(slices.Delete(r.kept, i, i+1), found)
	return found.set.Clone()
}

// put keeps a copy of a set.
func (r *ranges) put(op core.CondOp, bound key, set *core.Set) {
	r.readMu.Lock()
	defer r.readMu.Unlock()
	if len(r.kept) == keptRanges {
		r.kept = slices.Delete(r.kept, 0, 1)
	}
	r.kept = append(r.kept, rangeSet{op, bound, set.Clone()})
}

func (r *ranges) sizeBytes() (n int64) {
	r.readMu.Lock()
	defer r.readMu.Unlock()
	for _, k := range r.kept {
		n += int64(k.set.SizeBytes())
	}
	return n
}

// scattered reports whether the sets of values, which codes are kept of, have so
// many members that marking them one by one takes less time than joining the sets.
func (c *column) scattered(values []*value) bool {
	members := 0
	for _, v := range values {
		if v.alive() {
			members += int(c.codes.sizes[v.code])
		}
	}
	const words = pageSize / 64
	return len(values) >= fewSets && members*markedAWord >= len(c.codes.pages)*words
}

const (
	fewSets     = 8 // are joined in any case
	markedAWord = 2 // members that cost as much as a word of what is marked
)

// gathered returns the ordinals that hold any of the values.
func (c *column) gathered(values []*value) *core.Set {
	out := core.NewCollector(core.Ord(len(c.codes.pages) * pageSize))
	for _, v := range values {
		switch {
		case v.set != nil:
			for ord := range v.set.All() {
				out.Add(ord)
			}
		case v.only != core.NoOrd:
			out.Add(v.only)
		}
	}
	return out.Set()
}

// holding returns the ordinals that hold any of many values of one kind.
func (c *column) holding(values []*value) *core.Set {
	inside := make([]bool, len(c.codes.values))
	for _, v := range values {
		if v.alive() {
			inside[v.code] = true
		}
	}
	out := core.NewCollector(core.Ord(len(c.codes.pages) * pageSize))
	for at, p := range c.codes.pages {
		if p == nil {
			continue
		}
		first := core.Ord(at) * pageSize
		for i, code := range p.codes {
			ord := first + core.Ord(i)
			if code == several {
				if slices.ContainsFunc(c.codes.more[ord], func(one uint32) bool { return inside[one] }) {
					out.Add(ord)
				}
			} else if inside[code] { // no value has code 0
				out.Add(ord)
			}
		}
	}
	return out.Set()
}
