package hnsw

import (
	"slices"
	"sync"
	"sync/atomic"

	"github.com/vecdb/vecdb/internal/core"
)

// copies are the rows (see rows.go) of what a filter allows, one behind the other, of
// filters that are asked for again and again: of a tenant, a language, what is in
// stock. What a filter allows lies all over memory, so that fetching it takes most of
// a scan; a copy is read as fast as memory is. A filter is known by what it allows, and
// its copy is of use until any ordinal comes, goes or moves.
type copies struct {
	drawn atomic.Pointer[[]*rowCopy]
	clock atomic.Int64 // searches that had use for a copy

	mu  sync.Mutex // held to change drawn, and for all below
	met []*rowCopy // not drawn: what searches have met, the latest last
}

// rowCopy is the rows of what one filter allows.
type rowCopy struct {
	allow   *core.Set
	count   int      // its members
	changes int64    // of the places of ordinals until then
	slots   []uint32 // whose rows they are
	mem     []uint8
	used    atomic.Int64 // when it was of use last, by the clock
}

const (
	copyFrom = 2000 // as many rows are worth a copy
	copyMet  = 64   // how many filters are remembered until a search meets them again
	copyPart = 3    // all copies take this part of what the rows take at most
	copyRest = 256  // searches for which a copy was of no use before it gives way to another
)

// copyOf returns the copy of what a filter allows, count ordinals, for a search that has
// use for one. It draws it where an earlier search had use for the same one and nothing
// has changed since; else it returns nil, as where there is no room for more copies.
func (p *rows) copyOf(g *graph, allow *core.Set, count int) *rowCopy {
	c := &p.copies
	now, changes := c.clock.Add(1), g.slots.changes.Load()
	same := func(r *rowCopy) bool { return r.count == count && r.changes == changes && r.allow.Equal(allow) }
	list := c.list()
	if at := slices.IndexFunc(list, same); at >= 0 {
		list[at].used.Store(now)
		return list[at]
	}
	size, most := count*int(p.stride), len(p.mem)/copyPart
	if count < copyFrom || size > most || int(g.n.Load()) > p.room || !c.mu.TryLock() {
		return nil
	}
	defer c.mu.Unlock()
	c.forget(now, changes)
	at := slices.IndexFunc(c.met, same)
	if at < 0 {
		if len(c.met) == copyMet {
			c.met = slices.Delete(c.met, 0, 1)
		}
		c.met = append(c.met, &rowCopy{allow: allow.Clone(), count: count, changes: changes})
		return nil
	}
	for _, r := range c.list() {
		size += len(r.mem)
	}
	if size > most {
		return nil
	}
	r := c.met[at]
	c.met = slices.Delete(c.met, at, at+1)
	if !p.copyRows(g, r) {
		return nil
	}
	r.used.Store(now)
	list = append(slices.Clone(c.list()), r)
	c.drawn.Store(&list)
	return r
}

// list returns the copies that are drawn.
func (c *copies) list() []*rowCopy {
	if list := c.drawn.Load(); list != nil {
		return *list
	}
	return nil
}

// forget drops what is of no use any more, and copies that have been of none for long.
func (c *copies) forget(now, changes int64) {
	old := func(r *rowCopy) bool { return r.changes != changes }
	c.met = slices.DeleteFunc(c.met, old)
	list := slices.DeleteFunc(slices.Clone(c.list()), func(r *rowCopy) bool { return old(r) || now-r.used.Load() > copyRest })
	c.drawn.Store(&list)
}

// copyRows draws a copy. It returns false where some vertices have no row, or where
// places have changed meanwhile.
func (p *rows) copyRows(g *graph, r *rowCopy) bool {
	r.slots, r.mem = make([]uint32, 0, r.count), aligned[uint8](r.count*int(p.stride))
	n := 0
	for ords := range r.allow.Batches(make([]uint32, scanBatch)) {
		for _, v := range g.slots.getAll(ords) {
			if int(v) >= p.room {
				return false
			}
			r.slots = append(r.slots, v)
			n += p.copyTo(r.mem[n:], v)
		}
	}
	r.mem = r.mem[:n]
	return g.slots.changes.Load() == r.changes
}

// bytes is the memory that the copies take.
func (c *copies) bytes() int64 {
	n := int64(0)
	for _, r := range c.list() {
		n += int64(cap(r.mem) + 4*cap(r.slots))
	}
	return n
}
