package hnsw

import (
	"context"
	"math"
	"slices"
	"unsafe"

	"github.com/vecdb/vecdb/internal/core"
	"github.com/vecdb/vecdb/internal/simd"
)

// doubts is how many standard deviations a distance by 8-bit codes is taken to be
// off by at most.
const doubts = 3

// doubt is how far the distance dist of the query and vertex v by 8-bit codes may
// be from the true one, but for what it is for all vertices. Rounding the numbers
// of either to multiples of a step moves each by a twelfth of the squared step in
// the mean square.
func (s *slab) doubt(q *query, v uint32, dist float32) float32 {
	step := s.meta(v).step
	rounding := (q.scale*q.scale + step*step) / 12
	return doubts * 2 * float32(math.Sqrt(float64((dist+float32(s.dim)*rounding)*rounding)))
}

// worth is how many of the first vertices of s.top, of window at most, can be
// among the k nearest by all that is stored.
func (g *graph) worth(s *scratch, k, window int) int {
	n := min(len(s.top.keys), window)
	if n <= k || g.slab.twoBits || g.crowded.Load() > 0 {
		return n
	}
	last := s.top.keys[k-1]
	limit := last.dist() + g.slab.doubt(s.q, last.vertex(), last.dist())
	for c := s.top.keys[n-1]; n > k && c.dist() > limit+g.slab.doubt(s.q, c.vertex(), c.dist()); c = s.top.keys[n-1] {
		n--
	}
	return n
}

// scanPart is how many vertices are compared while what is known of them, which is
// fetched before, is sure to stay in the second-level cache.
const scanPart = 128

// scanRows is scanFor that compares by 8-bit codes only what can be among the k nearest
// by its row, and what looks nearest of that first.
func (g *graph) scanRows(ctx context.Context, s *scratch, k int, allow *core.Set) error {
	s.pool.reset(k)
	s.top.reset(bulk)
	s.near.reset(max(k, rowsAtOnce))
	p, look, near := s.rows, s.rows.prepare(s, g.slab), &s.near
	err := g.inRows(ctx, s, allow, func(mem []uint8, places, vertices []uint32) {
		ests := s.ests[:len(places)]
		simd.EstimateList(unsafe.Pointer(&mem[0]), p.stride, places, &s.q.spread[0], g.slab.dim, look.mul, look.add, look.origin, ests)
		limit := near.limit
		for i, est := range ests {
			if est <= limit {
				near.keys = append(near.keys, makeKey(max(0, est), vertices[i]))
			}
		}
		if len(near.keys) >= rowsWait*near.max {
			g.considerNearest(s)
		}
	})
	for len(near.keys) > 0 {
		g.considerNearest(s)
	}
	g.leastFound(s)
	return err
}

// inTurn are places of rows that lie one behind the other.
var inTurn = func() (out [scanBatch]uint32) {
	for i := range out {
		out[i] = uint32(i)
	}
	return out
}()

// inRows calls do with the places of the rows of all allowed ordinals, counted from where
// mem begins, and with their vertices, up to scanBatch at a time.
func (g *graph) inRows(ctx context.Context, s *scratch, allow *core.Set, do func(mem []uint8, places, vertices []uint32)) error {
	p, c := s.rows, s.copy
	if c == nil {
		return g.inBatches(ctx, s, allow, func(batch []uint32) {
			// What came since the rows were drawn may have none.
			if int(g.n.Load()) > p.room {
				batch = slices.DeleteFunc(batch, func(v uint32) bool {
					if int(v) < p.room {
						return false
					}
					s.near.keys = append(s.near.keys, makeKey(0, v))
					return true
				})
			}
			do(p.mem, batch, batch)
		})
	}
	for at := 0; at < len(c.slots) && ctx.Err() == nil; at += scanBatch {
		part := c.slots[at:min(at+scanBatch, len(c.slots))]
		do(c.mem[at*int(p.stride):], inTurn[:len(part)], part)
	}
	return ctx.Err()
}

// Of rowsWait times as many that can be among the nearest by their rows the rowsAtOnce
// that look nearest are considered, or k, before it is seen anew which of the others can
// be.
const (
	rowsAtOnce = 32
	rowsWait   = 4
)

// considerNearest considers those of s.near that look nearest, and forgets those of the
// others that cannot be among the nearest any more.
func (g *graph) considerNearest(s *scratch) {
	near := &s.near
	n := min(len(near.keys), near.max)
	selectLeast(near.keys, n)
	for part := range slices.Chunk(near.keys[:n], len(s.list)) {
		list := s.list[:len(part)]
		for i, c := range part {
			list[i] = c.vertex()
			g.slab.fetchMeta(list[i])
		}
		g.consider(s, list)
	}
	near.limit = s.pool.limit()
	near.keys = slices.DeleteFunc(near.keys[n:], func(c key) bool { return c.dist() > near.limit })
}

// scanFor compares the query with the vertices of all allowed ordinals by their
// 8-bit codes and leaves in s.top those that can be among the k nearest by all
// that is stored, in order.
func (g *graph) scanFor(ctx context.Context, s *scratch, k int, allow *core.Set) error {
	// The pool has the k least of what distances are at most.
	s.pool.reset(k)
	s.top.reset(bulk)
	err := g.inBatches(ctx, s, allow, func(batch []uint32) {
		for part := range slices.Chunk(batch, scanPart) {
			for _, v := range part {
				g.slab.fetchMeta(v)
			}
			g.consider(s, part)
		}
	})
	g.leastFound(s)
	return err
}

// consider compares the query with vertices by their 8-bit codes. Those that may be among
// the nearest go into s.top; s.pool has the least of what distances are at most.
func (g *graph) consider(s *scratch, list []uint32) {
	sl := g.slab
	limit := s.pool.limit()
	dots := s.many[:len(list)]
	simd.DotCodesList(sl.codes0, sl.codesStride, list, &s.q.codes[0], sl.dim, dots)
	for i, v := range list {
		d := sl.between8(s.q, v, dots[i])
		if d > limit+sl.doubt(s.q, v, d) {
			continue
		}
		s.top.keys = append(s.top.keys, makeKey(d, v))
		s.pool.insert(makeKey(d+sl.doubt(s.q, v, d), v))
		limit = s.pool.limit()
	}
}

// leastFound leaves in s.top, in order, what can be among the nearest by what s.pool has
// in the end.
func (g *graph) leastFound(s *scratch) {
	limit := s.pool.limit()
	s.top.keys = slices.DeleteFunc(s.top.keys, func(c key) bool { return c.dist() > limit+g.slab.doubt(s.q, c.vertex(), c.dist()) })
	slices.Sort(s.top.keys)
	s.top.keys = slices.Compact(s.top.keys)
}
