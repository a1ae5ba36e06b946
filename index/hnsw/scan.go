package hnsw

import (
	"context"
	"math"
	"slices"

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

// scanFor compares the query with the vertices of all allowed ordinals by their
// 8-bit codes and leaves in s.top those that can be among the k nearest by all
// that is stored, in order.
func (g *graph) scanFor(ctx context.Context, s *scratch, k int, allow *core.Set) error {
	// The pool has the k least of what distances are at most.
	s.pool.reset(k)
	s.top.reset(bulk)
	limit := float32(math.Inf(1))
	sl := g.slab
	err := g.inBatches(ctx, s, allow, func(batch []uint32) {
		for part := range slices.Chunk(batch, scanPart) {
			for _, v := range part {
				sl.fetchMeta(v)
			}
			dots := s.many[:len(part)]
			simd.DotCodesList(sl.codes0, sl.codesStride, part, &s.q.codes[0], sl.dim, dots)
			for i, v := range part {
				d := sl.between8(s.q, v, dots[i])
				if d > limit+sl.doubt(s.q, v, d) {
					continue
				}
				s.top.keys = append(s.top.keys, makeKey(d, v))
				s.pool.insert(makeKey(d+sl.doubt(s.q, v, d), v))
				limit = s.pool.limit()
			}
		}
	})
	s.top.keys = slices.DeleteFunc(s.top.keys, func(c key) bool { return c.dist() > limit+sl.doubt(s.q, c.vertex(), c.dist()) })
	slices.Sort(s.top.keys)
	s.top.keys = slices.Compact(s.top.keys)
	return err
}
