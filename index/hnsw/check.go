package hnsw

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"unsafe"

	"github.com/vecdb/vecdb/internal/core"
)

// reportsMost is how many problems of a graph are told one by one.
const reportsMost = 20

// Check looks for contradictions in the graph and reports each, up to a number
// after which it reports only how many there are more. It also reports vertices
// that no search can walk to. Changes wait until it is done; searches do not.
// It returns an error only when ctx ends.
func (x *Index) Check(ctx context.Context, report func(problem string)) error {
	x.gate.Lock()
	defer x.gate.Unlock()
	g := x.state.Load().graph
	if g == nil {
		return nil
	}
	g.mending.Lock()
	defer g.mending.Unlock()
	c := checker{g: g, free: make(map[uint32]bool), bits: aligned[uint8](g.slab.dim / 8), codes2: aligned[uint8](g.slab.dim / 4)}
	c.report = func(format string, args ...any) {
		if c.problems++; c.problems <= reportsMost {
			report(fmt.Sprintf("graph: "+format, args...))
		}
	}
	err := g.guard.run(func() error {
		for _, pass := range []func(context.Context) error{c.slots, c.crowds, c.bottom, c.tree, c.upper, c.reach} {
			if err := pass(ctx); err != nil {
				return err
			}
		}
		return nil
	})
	if errors.Is(err, core.ErrCorrupt) {
		c.report("%v", err)
	} else if err != nil {
		return err
	}
	if more := c.problems - reportsMost; more > 0 {
		report(fmt.Sprintf("graph: %d more problems", more))
	}
	return nil
}

// checker is one check of a graph that does not change meanwhile.
type checker struct {
	g        *graph
	report   func(format string, args ...any)
	problems int
	free     map[uint32]bool
	bits     []uint8
	codes2   []uint8 // of two bits
}

// slots compares the map of slots, the ordinals in the slots, and the lists of
// slots that hold none.
func (c *checker) slots(ctx context.Context) error {
	g := c.g
	n := uint32(g.n.Load())
	for _, v := range g.free {
		if v >= n || c.free[v] {
			c.report("slot %d is free twice or not in use", v)
		}
		c.free[v] = true
	}
	dead := make(map[uint32]bool)
	for _, v := range g.dead {
		if v >= n || c.free[v] || dead[v] {
			c.report("deleted slot %d is free, deleted twice or not in use", v)
		}
		dead[v] = true
	}
	if int(g.dying.Load()) != len(dead) || int(g.hidden.Load()) != len(dead)+len(c.free) {
		c.report("%d slots are deleted and %d free, counted are %d and %d", len(dead), len(c.free), g.dying.Load(), g.hidden.Load()-g.dying.Load())
	}
	held := 0
	for v := range n {
		if v%patience == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		ord := g.slab.ord(v)
		if gone := c.free[v] || dead[v]; gone == g.live(v) {
			c.report("slot %d has ordinal %d; deleted or free: %v", v, ord, gone)
		}
		if g.live(v) {
			c.codes(v)
		}
		if ord == noOrd {
			continue
		}
		for _, ord := range append(g.others(v, nil, math.MaxInt), core.Ord(ord)) {
			held++
			if at := g.slots.get(ord); at != v {
				c.report("ordinal %d is in slot %d, by the map in %d", ord, v, at)
			}
		}
	}
	mapped := 0
	if pages := g.slots.pages.Load(); pages != nil {
		for _, page := range *pages {
			if page == nil {
				continue
			}
			for i := range page {
				if page[i].Load() != 0 {
					mapped++
				}
			}
		}
	}
	if held != mapped || held != int(g.slots.count.Load()) {
		c.report("%d ordinals are in slots, %d in the map, counted are %d", held, mapped, g.slots.count.Load())
	}
	return nil
}

// codes compares what is known of vertex v with its codes.
func (c *checker) codes(v uint32) {
	sl := c.g.slab
	m := sl.meta(v)
	total, squares := int32(0), int32(0)
	for _, code := range sl.highs(v) {
		w := int32(code) - 128
		total, squares = total+w, squares+w*w
	}
	if m.norm2 != m.step*m.step*float32(squares) {
		c.report("the codes of slot %d do not have the squared length %v", v, m.norm2)
	}
	if sl.twoBits && !sl.sameTwoBits(v, c.codes2) {
		c.report("the codes of two bits of slot %d are not those of its codes", v)
	}
	if total != m.total {
		c.report("the codes of slot %d add up to %d, stored is %d", v, total, m.total)
	}
	if !(m.step > 0) || math.IsInf(float64(m.step), 0) {
		c.report("the step of slot %d is %v", v, m.step)
		return
	}
	sum := 0.0
	for _, y := range sl.decode(v) {
		sum += float64(y) * float64(y)
	}
	// Rounding moves each number by up to half a step, or more where the
	// largest codes are cut off.
	have, want := math.Sqrt(sum), math.Sqrt(float64(m.full2))
	if math.Abs(have-want) > 0.6*float64(m.step)*math.Sqrt(float64(sl.dim))+1e-3*want {
		c.report("the codes of slot %d have length %v, stored is %v", v, have, want)
	}
}

// bottom looks at the lists of neighbors on the bottom layer.
func (c *checker) bottom(ctx context.Context) error {
	g := c.g
	n := uint32(g.n.Load())
	for v := range n {
		if v%patience == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		if !g.live(v) {
			continue
		}
		ids := g.slab.neighbors(v)
		for j, nb := range ids {
			switch {
			case nb == nobody:
				c.unused(v, j)
			case nb >= n:
				c.report("slot %d has the neighbor %d, in use are %d", v, nb, n)
			case nb == v:
				c.report("slot %d is its own neighbor", v)
			case slices.Contains(ids[:j], nb):
				c.report("slot %d has the neighbor %d twice", v, nb)
			case c.free[nb]:
				c.report("slot %d has the neighbor %d, which is free", v, nb)
			case g.slab.member(v) || g.slab.member(nb):
				c.report("slot %d has the neighbor %d, and one of them is a member of a crowd", v, nb)
			default:
				c.edge(v, j, nb)
			}
		}
	}
	return nil
}

// unused reports a place without a neighbor that a search would look at.
func (c *checker) unused(v uint32, j int) {
	if c.g.slab.withSigns {
		if a, b := c.g.slab.factor(v, j); *a != halfInf || *b != 0 {
			c.report("slot %d has no neighbor in place %d and an estimate of one", v, j)
		}
	}
}

// edge encodes the edge to place j of v again and compares.
func (c *checker) edge(v uint32, j int, nb uint32) {
	sl := c.g.slab
	if !sl.withSigns {
		return
	}
	codes := unsafe.Slice(at8(sl.block(v), sl.signs), 16*sl.groups)
	a, b := sl.factor(v, j)
	wantA, wantB := sl.edgeFactors(v, nb, c.bits)
	shift := j / 16 * 4
	have := make([]uint8, 0, len(c.bits))
	for at := j & 15; at < len(codes); at += 32 {
		have = append(have, codes[at]>>shift&15|codes[at+16]>>shift&15<<4)
	}
	if *a != wantA || *b != wantB || !bytes.Equal(have, c.bits) {
		c.report("the estimate of neighbor %d of slot %d is not that of its codes", nb, v)
	}
}

// upper looks at the layers above the bottom.
func (c *checker) upper(ctx context.Context) error {
	g, u := c.g, c.g.upper
	nodes, slots := uint32(u.n.Load()), uint32(g.n.Load())
	lists := make(map[uint32]uint32)
	for i := range nodes {
		if i%patience == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		nd := u.node(i)
		if nd.level == 0 {
			continue
		}
		if nd.level > maxLevel || nd.slot >= slots || c.free[nd.slot] {
			c.report("node %d on level %d is of slot %d, which is free or not in use", i, nd.level, nd.slot)
			continue
		}
		for layer := 1; layer <= int(nd.level); layer++ {
			at := nd.first + uint32(layer-1)
			if other, taken := lists[at]; taken || int(at) >= u.used {
				c.report("node %d has the list of node %d", i, other)
			}
			lists[at] = i
			c.upperList(i, layer, nodes)
		}
	}
	i, level, there := g.entry.get()
	switch {
	case !there && g.vertices() > 0:
		c.report("%d vertices have no entry", g.vertices())
	case there && (i >= nodes || int(u.node(i).level) < level):
		c.report("the entry is node %d on level %d, where there is none", i, level)
	}
	return nil
}

// upperList looks at one list of a node.
func (c *checker) upperList(i uint32, layer int, nodes uint32) {
	u := c.g.upper
	ids := u.neighbors(i, layer)
	for j, nb := range ids {
		switch {
		case nb == nobody:
		case nb >= nodes || nb == i || slices.Contains(ids[:j], nb):
			c.report("node %d has on layer %d the neighbor %d, which is itself, there twice or not in use", i, layer, nb)
		case int(u.node(nb).level) < layer:
			c.report("node %d has on layer %d the neighbor %d, which is on level %d", i, layer, nb, u.node(nb).level)
		}
	}
}

// reach walks from the entry over the bottom layer and reports how many
// vertices it has not come to.
func (c *checker) reach(context.Context) error {
	if lost := c.g.unreachable(); len(lost) > 0 {
		c.report("%d of %d vertices cannot be reached, such as slot %d", len(lost), c.g.vertices(), lost[0])
	}
	return nil
}

// unreachable returns the vertices that no walk from the entry can come to.
func (g *graph) unreachable() []uint32 {
	i, _, there := g.entry.get()
	if !there {
		return nil
	}
	n := uint32(g.n.Load())
	seen := make([]bool, n)
	todo := []uint32{g.upper.node(i).slot}
	seen[todo[0]] = true
	for len(todo) > 0 {
		v := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		for _, nb := range g.slab.neighbors(v) {
			if nb < n && !seen[nb] {
				seen[nb] = true
				todo = append(todo, nb)
			}
		}
	}
	var lost []uint32
	for v := range n {
		way := v
		if p := g.slab.parent(v); g.slab.member(v) && p < n {
			way = p
		}
		if g.live(v) && !seen[way] {
			lost = append(lost, v)
		}
	}
	return lost
}
