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
// by its row.
func (g *graph) scanRows(ctx context.Context, s *scratch, k int, allow *core.Set) error {
	s.pool.reset(k)
	s.top.reset(bulk)
	p, near := s.rows, s.list[:0]
	look := p.prepare(s, g.slab)
	err := g.inBatches(ctx, s, allow, func(batch []uint32) {
		// What came since the rows were drawn may have none.
		batch = slices.DeleteFunc(batch, func(v uint32) bool {
			if int(v) < p.room {
				return false
			}
			near = g.considerLater(s, near, v)
			return true
		})
		for part := range slices.Chunk(batch, scanPart) {
			ests := s.ests[:len(part)]
			simd.EstimateList(unsafe.Pointer(&p.mem[0]), p.stride, part, &s.q.small[0], g.slab.dim, look.mul, look.add, look.origin, ests)
			for i, est := range ests {
				if est <= s.pool.limit() {
					near = g.considerLater(s, near, part[i])
				}
			}
		}
	})
	g.consider(s, near)
	g.leastFound(s)
	return err
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

// considerLater adds v to list, which is considered once it is full.
func (g *graph) considerLater(s *scratch, list []uint32, v uint32) []uint32 {
	g.slab.fetchMeta(v)
	if list = append(list, v); len(list) < cap(list) {
		return list
	}
	g.consider(s, list)
	return list[:0]
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
