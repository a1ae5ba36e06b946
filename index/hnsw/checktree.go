package hnsw

import (
	"context"
	"slices"
)

// crowds compares the members of crowds with the sets of their ordinals.
func (c *checker) crowds(ctx context.Context) error {
	g := c.g
	members, listed := 0, 0
	for v := range uint32(g.n.Load()) {
		if v%patience == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		if g.slab.leads(v) != (g.crowds[v] != nil) {
			c.report("slot %d leads a crowd: %v; it has members: %v", v, g.slab.leads(v), g.crowds[v] != nil)
		}
		if g.slab.member(v) && g.slab.ord(v) != noOrd {
			members++
		}
	}
	for leader, set := range g.crowds {
		if set.Len() == 0 || g.slab.member(leader) {
			c.report("slot %d leads a crowd of %d and is a member itself: %v", leader, set.Len(), g.slab.member(leader))
		}
		for ord := range set.All() {
			listed++
			if v := g.slots.get(ord); v == nobody || !g.slab.memberOf(v, leader) {
				c.report("ordinal %d is in the crowd of slot %d; slot %d, which holds it, is not", ord, leader, v)
			}
		}
	}
	if members != listed || len(g.crowds) != int(g.crowded.Load()) {
		c.report("%d members of crowds are listed, there are %d; crowds are %d, counted are %d", listed, members, len(g.crowds), g.crowded.Load())
	}
	return nil
}

// tree checks that all vertices are below one root, and that parents and
// children hold each other.
func (c *checker) tree(ctx context.Context) error {
	g := c.g
	n := uint32(g.n.Load())
	const onTheWay = 1
	const known = 2
	marks := make([]uint8, n)
	roots := 0
	for v := range n {
		if v%patience == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		if c.free[v] || g.slab.member(v) {
			continue
		}
		if p := g.slab.parent(v); p == nobody {
			if g.live(v) { // deleted ones may have had a tree of their own
				roots++
			}
		} else if p >= n || c.free[p] || !slices.Contains(g.slab.neighbors(p)[:], v) || !slices.Contains(g.slab.neighbors(v)[:], p) {
			c.report("slot %d and its parent %d do not hold each other", v, p)
			continue
		}
		var way []uint32
		for at := v; at < n && marks[at] != known; at = g.slab.parent(at) {
			if marks[at] == onTheWay {
				c.report("slot %d is above itself", at)
				break
			}
			marks[at] = onTheWay
			way = append(way, at)
		}
		for _, at := range way {
			marks[at] = known
		}
	}
	if roots > 1 {
		c.report("%d vertices have no parent", roots)
	}
	return nil
}
