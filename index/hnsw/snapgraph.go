package hnsw

import (
	"errors"
	"io"
	"os"
	"sync/atomic"

	"github.com/vecdb/vecdb/internal/core"
)

// read reads n bytes of the file from off on into the beginning of the arena.
func (a *arena) read(f *os.File, off int64, n int) error {
	if err := a.use(n); err != nil {
		return err
	}
	_, err := f.ReadAt(a.mem[:n], off)
	if errors.Is(err, io.EOF) && n > 0 {
		return damaged("the file was cut")
	}
	return err
}

// graph fills the empty graph and checks everything that searches follow, but
// for the lists of neighbors on the bottom layer, which they check themselves.
func (r *snapshotReader) graph(g *graph) error {
	s := &r.h.Sections
	n := int(r.h.Slots)
	if n > g.slab.max || s[secNodes].Length > uint64(g.upper.nodes.cap()) || s[secLists].Length > uint64(g.upper.lists.cap()) {
		return core.Invalid("", "make the index anew", "the snapshot has more vectors than there are addresses for")
	}
	for sec, a := range map[int]*arena{
		secBlocks: g.slab.blocks, secMetas: g.slab.metas, secFines: g.slab.fines,
		secNodes: g.upper.nodes, secLists: g.upper.lists,
	} {
		size := int(s[sec].Length)
		if err := a.fill(r.f, int64(s[sec].Offset), size); err != nil {
			return err
		}
		if sec == secBlocks || sec == secFines {
			if a.file == nil {
				a.prefetch(size)
			}
		} else if err := r.checkAll(sec, a.mem[:size]); err != nil {
			return err
		}
	}
	g.n.Store(int64(n))
	if err := r.ordinals(g, n); err != nil {
		return err
	}
	if err := r.crowds(g, n); err != nil {
		return err
	}
	if err := r.unused(g, n); err != nil {
		return err
	}
	if err := r.nodes(g.upper, n); err != nil {
		return err
	}
	return r.entry(g)
}

// ordinals fills the map of slots.
func (r *snapshotReader) ordinals(g *graph, n int) error {
	shared, err := r.numbers(secShared)
	if err != nil {
		return err
	}
	last := core.Ord(0)
	for v := range uint32(n) {
		if ord := g.slab.ord(v); ord != noOrd {
			last = max(last, core.Ord(ord))
		}
	}
	for i := 0; i < len(shared); i += 2 {
		last = max(last, core.Ord(shared[i+1]))
	}
	g.slots.reserve(last)
	for v := range uint32(n) {
		ord := g.slab.ord(v)
		if ord != noOrd && !g.slots.put(core.Ord(ord), v) {
			return damaged("ordinal %d is there twice", ord)
		}
	}
	for i := 0; i < len(shared); i += 2 {
		v, ord := shared[i], shared[i+1]
		if int(v) >= n || g.slab.ord(v) == noOrd || ord == noOrd {
			return damaged("ordinal %d is shared with slot %d, which holds nothing", ord, v)
		}
		if !g.slots.put(core.Ord(ord), v) {
			return damaged("ordinal %d is there twice", ord)
		}
		g.addShared(v, core.Ord(ord))
	}
	return nil
}

// crowds finds the crowds again, whose members tell their leaders, and checks
// the parents.
func (r *snapshotReader) crowds(g *graph, n int) error {
	for v := range uint32(n) {
		p := g.slab.parent(v)
		if p != nobody && int(p) >= n {
			return damaged("the parent of slot %d is %d", v, p)
		}
		ord := g.slab.ord(v)
		if !g.slab.member(v) || ord == noOrd {
			continue
		}
		if p == nobody || !g.slab.leads(p) || g.slab.member(p) {
			return damaged("slot %d is a member of the crowd of %d, which leads none", v, p)
		}
		if g.crowds[p] == nil {
			g.crowds[p] = core.NewSet()
			g.crowded.Add(1)
		}
		g.crowds[p].Add(core.Ord(ord))
	}
	for v := range uint32(n) {
		if g.slab.leads(v) && g.crowds[v] == nil {
			return damaged("slot %d leads a crowd without members", v)
		}
	}
	return nil
}

// unused fills the lists of the slots without a vector, each of which is in one
// of them.
func (r *snapshotReader) unused(g *graph, n int) (err error) {
	if g.free, err = r.numbers(secFree); err != nil {
		return err
	}
	if g.dead, err = r.numbers(secDead); err != nil {
		return err
	}
	seen := make(map[uint32]bool)
	for _, list := range [][]uint32{g.free, g.dead} {
		for _, v := range list {
			if int(v) >= n || g.live(v) || seen[v] {
				return damaged("slot %d is listed as unused and is not", v)
			}
			seen[v] = true
		}
	}
	held := 0
	for v := range uint32(n) {
		if g.live(v) {
			held++
		}
	}
	if held+len(seen) != n {
		return damaged("%d slots of %d hold nothing and are not listed", n-held-len(seen), n)
	}
	for _, v := range g.free {
		if !g.slab.beingLinked(v) {
			return damaged("the free slot %d has a parent", v)
		}
	}
	g.hidden.Store(int64(len(seen)))
	g.dying.Store(int64(len(g.dead)))
	return nil
}

// nodes checks the layers above the bottom of a graph of n slots, and finds
// again which nodes are free. How many lists a node has tells where those of
// the next one begin.
func (r *snapshotReader) nodes(u *upper, n int) error {
	count := u.nodes.size() / nodeLen
	u.used = u.lists.size() / listLen
	u.n.Store(int64(count))
	lists := func(i uint32) int {
		end := u.used
		if int(i)+1 < count {
			end = int(u.node(i + 1).first)
		}
		return end - int(u.node(i).first)
	}
	for i := range uint32(count) {
		nd := u.node(i)
		m := lists(i)
		if m < 1 || m > maxLevel || int(nd.first)+m > u.used || int(nd.slot) >= n || (nd.level != 0 && int(nd.level) != m) {
			return damaged("node %d is wrong", i)
		}
		if nd.level == 0 {
			u.free[m] = append(u.free[m], i)
		}
	}
	for i := range uint32(count) {
		for layer := 1; layer <= lists(i); layer++ {
			for j := range upperDegree {
				nb := atomic.LoadUint32(&u.neighbors(i, layer)[j])
				if nb != nobody && (int(nb) >= count || lists(nb) < layer) {
					return damaged("node %d has a wrong neighbor on layer %d", i, layer)
				}
			}
		}
	}
	return nil
}

// entry sets where searches start.
func (r *snapshotReader) entry(g *graph) error {
	node, level := r.h.EntryNode, r.h.EntryLevel
	if level == 0 {
		if g.vertices() > 0 {
			return damaged("there is no entry to the graph")
		}
		return nil
	}
	if int64(node) >= g.upper.n.Load() || level > maxLevel || g.upper.node(node).level != level {
		return damaged("the entry to the graph is wrong")
	}
	g.entry.set(node, int(level))
	return nil
}
