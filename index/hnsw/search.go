package hnsw

import (
	"context"
	"math/bits"
	"slices"
	"sync/atomic"

	"github.com/vecdb/vecdb/index"
	"github.com/vecdb/vecdb/internal/core"
	"github.com/vecdb/vecdb/internal/simd"
)

// patience is how many vertices a walk expands before it looks at its context
// again.
const patience = 512

// distances puts into s.est the distances of up to degree vertices, from 8-bit
// codes or what there is in memory instead.
func (g *graph) distances(s *scratch, list []uint32) {
	if len(list) == 0 {
		return
	}
	if g.slab.twoBits {
		g.slab.estimates(s.q, list, s.dots[:], &s.est)
		return
	}
	g.slab.distances(s.q, list, s.dots[:], &s.est)
}

// walk searches the bottom layer from s.starts with a beam of steps and leaves the
// nearest allowed vertices in s.top. It ends when as many of the nearest seen as
// are in the beam are expanded; k is 0 for that. Where the k nearest allowed are
// wanted, the last of which is taken to be the rank-th nearest of all, it ends
// when what is left lies out of reach (see reach.go).
//
// Under a filter that not very much passes, what tells better than rank is what the
// walk sees (see filter.go). It returns false where it sees too few that are
// allowed, or where comparing the query with all of them is faster than going on.
func (g *graph) walk(ctx context.Context, s *scratch, k, ef, steps, rank int, allow *core.Set) (bool, error) {
	n := int(g.n.Load())
	s.seen.reset(n)
	room := steps
	s.reach = newReach(k, rank, steps)
	s.scores = allow != nil && !wide(k, rank)
	s.beam, s.rank, s.taken, s.lost = steps, 0, 0, false
	switch {
	case s.scores:
		s.asked.reset(n)
		room = min(n, max(keepRank*rank, int(keepBeam*float64(steps)))+degree)
		s.reach = newReach(0, 0, ef)
	case k > 0:
		room = min(n, reachBeam(k, steps))
		s.beam = room
	}
	s.pool.reset(room)
	for _, start := range s.starts[:s.started] {
		if s.seen.add(start.vertex()) {
			s.pool.insert(start)
		}
	}
	if s.hidden != nobody {
		s.seen.add(s.hidden)
	}
	for steps := 0; ; {
		var err error
		if steps, err = g.expandAll(ctx, s, k, ef, steps, n, allow); err != nil {
			return false, err
		}
		if s.lost {
			return false, nil
		}
		if !s.scores {
			return allow == nil || s.wideEnough(k, rank), nil
		}
		more := g.gather(s, k, ef, allow)
		switch {
		case s.rank == 0 || s.lost:
			return false, nil
		case !more:
			return true, nil
		case s.farther(k, ef, steps):
			return false, nil
		}
	}
}

// expandAll expands all vertices within the limit, the nearest first, and returns
// how many there were, besides steps.
func (g *graph) expandAll(ctx context.Context, s *scratch, k, ef, steps, n int, allow *core.Set) (int, error) {
	cur, ok := s.pool.pop()
	for ok && cur.dist() <= s.limit() {
		if steps++; steps%patience == 0 && ctx.Err() != nil {
			return steps, ctx.Err()
		}
		// The next vertex is chosen before the present one is looked at, so
		// that its block can be fetched meanwhile.
		next, more := s.pool.pop()
		g.expand(s, cur, next, more, n, allow)
		if s.scores && s.reach.k == 0 && len(s.top.keys) >= k {
			if g.gather(s, k, ef, allow); s.farther(k, ef, steps) {
				s.lost = true
				return steps, nil
			}
		}
		s.reach.fit(s.top.keys, g.slab)
		limit := s.limit()
		if s.reach.k > 0 { // a beam that can grow again keeps what it does not reach
			s.pool.cut(limit)
		}
		if more && next.dist() > limit {
			s.pool.push(next)
			more = false
		}
		if !more {
			next, more = s.pool.pop()
		}
		cur, ok = next, more
	}
	if ok {
		s.pool.push(cur)
	}
	return steps, nil
}

// expand scores vertex cur and puts its neighbors into the pool.
func (g *graph) expand(s *scratch, cur, next key, more bool, n int, allow *core.Set) {
	sl := g.slab
	v := cur.vertex()
	if more {
		sl.fetchMeta(next.vertex())
	}
	d := sl.distance(s.q, v)
	limit := s.limit()
	if s.scores && s.reach.k == 0 {
		limit = s.pool.limit() // what is not reached may yet be allowed
	}
	if (!s.scores || s.asked.add(v)) && g.allowed(v, allow) {
		if k := makeKey(d, v); s.top.loose {
			s.top.gather(k)
		} else {
			s.top.insert(k)
		}
		s.taken++
	}
	ids := sl.neighbors(v)
	if !sl.withSigns {
		g.expandCodes(s, ids, n, limit)
		return
	}
	ahead, bytes := sl.block0, 0
	if more {
		ahead, bytes = sl.block(next.vertex()), int(sl.stride)
	}
	block := sl.block(v)
	mask := simd.ScanBlock(at8(block, sl.signs), &s.q.table[0], sl.groups, at16(block, sl.factors), s.q.mul, s.q.add, d, limit, &s.est, ahead, bytes)
	for ; mask != 0; mask &= mask - 1 {
		j := bits.TrailingZeros32(mask)
		nb := atomic.LoadUint32(&ids[j])
		if int(nb) < n && s.seen.add(nb) {
			s.pool.insert(makeKey(max(0, s.est[j]), nb))
		}
	}
}

// expandCodes puts neighbors into the pool by their 8-bit codes.
func (g *graph) expandCodes(s *scratch, ids *[degree]uint32, n int, limit float32) {
	m := 0
	for j := range ids {
		if nb := atomic.LoadUint32(&ids[j]); int(nb) < n && s.seen.add(nb) {
			s.list[m] = nb
			m++
		}
	}
	g.distances(s, s.list[:m])
	for j, nb := range s.list[:m] {
		if s.est[j] < limit {
			s.pool.insert(makeKey(s.est[j], nb))
		}
	}
}

// scan compares the query with the vertices of all allowed ordinals, or of all
// ordinals, and leaves the nearest in s.top.
func (g *graph) scan(ctx context.Context, s *scratch, allow *core.Set) error {
	err := g.inBatches(ctx, s, allow, func(batch []uint32) {
		g.score(s, batch)
	})
	s.top.settle()
	return err
}

// score gathers the vertices of list in s.top by their distances.
func (g *graph) score(s *scratch, list []uint32) {
	for part := range slices.Chunk(list, degree) {
		g.distances(s, part)
		for j, v := range part {
			s.top.gather(makeKey(s.est[j], v))
		}
	}
}

// scanBatch is how many vertices a scan looks at before it looks at its context
// again.
const scanBatch = 1024

// inBatches calls do with the vertices of all allowed ordinals, or with all that hold
// one, up to scanBatch at a time.
func (g *graph) inBatches(ctx context.Context, s *scratch, allow *core.Set, do func(batch []uint32)) error {
	s.batch = slices.Grow(s.batch[:0], scanBatch)
	room := s.batch[:scanBatch]
	if allow != nil {
		for ords := range allow.Batches(room) {
			if batch := g.slots.getAll(ords); len(batch) > 0 {
				do(batch)
			}
			if err := ctx.Err(); err != nil {
				return err
			}
		}
		return ctx.Err()
	}
	n := uint32(g.n.Load())
	for first := uint32(0); first < n; first += scanBatch {
		batch := room[:0]
		for v := first; v < min(n, first+scanBatch); v++ {
			if g.slab.ord(v) != noOrd {
				batch = append(batch, v)
			}
		}
		if len(batch) > 0 {
			do(batch)
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// walkMost is the largest breadth of a walk: keeping more candidates sorted costs
// more than comparing with all vectors.
const walkMost = 1 << 14

const (
	scanBound  = 8  // share of the vertices from which k is a scan's business
	scanWindow = 64 // how many a scan scores again, besides 2k
)

// search finds the k nearest allowed neighbors of the prepared query.
func (g *graph) search(ctx context.Context, s *scratch, k, ef int, allow *core.Set) ([]index.Neighbor, error) {
	total := g.vertices()
	node, level, there := g.entry.get()
	if !there || total <= 0 {
		return nil, nil
	}
	k = min(k, int(g.slots.count.Load()))
	if k <= 0 {
		return nil, nil
	}
	ef = min(max(ef, k), total)
	walks := (k < total/scanBound || k <= 10) && ef <= walkMost
	steps, count, rank := ef, 0, k
	if allow != nil {
		if count = allow.Len(); count == 0 {
			return nil, nil
		}
		rank = 1 + k*total/count
		steps = beamFor(k, ef, rank)
		walk := walkCost(steps)
		g.scanning(s, k, count, walk, allow)
		// That it turns out to take longer is dearer than a scan that was not needed.
		walks = walks && count > ef && walk < s.scan*2/3
	} else if dying := int(g.dying.Load()); dying > 0 {
		steps += int(int64(ef) * int64(dying) / int64(total)) // they take places in the beam
		rank += int(int64(k) * int64(dying) / int64(total))
	}
	window := g.slab.window(k, ef)
	if g.crowded.Load() > 0 {
		window += crowdFrom // as many lead the crowd of one place
	}
	if walks || count > ef {
		if found := g.bySketches(s, k, ef, steps, count, window, allow); found != nil {
			return found, nil
		}
	}
	for walks {
		if g.slab.withSigns {
			s.q.estimates()
		}
		s.top.reset(window)
		g.start(s, node, level)
		done, err := g.walk(ctx, s, k, ef, steps, rank, allow)
		if err != nil {
			return nil, err
		}
		if done && (len(s.top.keys) >= min(k, total) || g.found(s) >= min(k, total)) {
			return g.refine(s, k, g.worth(s, k, window), max(crowdMost, crowdShare*ef), allow), nil
		}
		// What is near the query is hardly allowed.
		rank = max(2*rank, s.rank)
		steps = max(2*steps, beamFor(k, ef, rank))
		walks = allow != nil && walkCost(steps) < s.scan
	}
	if allow != nil && count <= min(k, scanBatch) {
		// All of them are among the nearest.
		s.top.reset(count)
		err := g.inBatches(ctx, s, allow, func(batch []uint32) {
			for _, v := range batch {
				s.top.keys = append(s.top.keys, makeKey(0, v))
			}
		})
		if err != nil {
			return nil, err
		}
		slices.Sort(s.top.keys)
		s.top.keys = slices.Compact(s.top.keys)
		return g.refine(s, k, count, 0, allow), nil
	}
	if !g.slab.twoBits && k < bulk {
		scan := g.scanFor
		if allow != nil && s.rows != nil {
			scan = g.scanRows
		}
		if err := scan(ctx, s, k, allow); err != nil {
			return nil, err
		}
		return g.refine(s, k, len(s.top.keys), 0, allow), nil
	}
	// Far from the query many are about as near, so that more are scored again.
	window = g.slab.scanWindow(k)
	s.top.reset(window)
	if err := g.scan(ctx, s, allow); err != nil {
		return nil, err
	}
	return g.refine(s, k, window, 0, allow), nil
}

// start finds where a walk begins: at the nearest pivots, or where descending from
// the entry leads.
func (g *graph) start(s *scratch, node uint32, level int) {
	if p := g.drawn(); p != nil && len(p.slots) > 0 {
		p.nearest(s, g.slab)
		return
	}
	k := g.descend(s, node, level, 0)
	s.starts[0], s.started = makeKey(k.dist(), g.upper.node(k.vertex()).slot), 1
}

// refine scores the first vertices of s.top, as many as window, and up to members
// of the crowds that they lead, by all bits that are stored and returns the k
// best allowed ordinals.
func (g *graph) refine(s *scratch, k, window, members int, allow *core.Set) []index.Neighbor {
	keys := s.top.keys[:min(len(s.top.keys), window)]
	g.bring(s, keys)
	for _, c := range keys {
		// So that all places of ordinals come from memory at the same time.
		s.touched += int(g.slots.get(core.Ord(g.slab.ord(c.vertex()))))
	}
	out := make([]index.Neighbor, 0, len(keys))
	for try := 0; ; try++ {
		seq := g.slots.changes.Load()
		out = out[:0]
		sharing := g.anyShared(keys)
		for _, c := range keys {
			v := c.vertex()
			score := g.space.score(s.q, g.slab.dot(s.q, v), g.slab.meta(v).full2)
			ord := core.Ord(g.slab.ord(v))
			if g.slots.get(ord) == v && (allow == nil || allow.Contains(ord)) {
				out = append(out, index.Neighbor{Ord: ord, Score: score})
			}
			if sharing {
				for _, ord := range g.others(v, allow, k) {
					if g.slots.get(ord) == v {
						out = append(out, index.Neighbor{Ord: ord, Score: score})
					}
				}
			}
		}
		if members > 0 && g.crowded.Load() > 0 {
			out = g.refineCrowds(s, out, keys, members, allow)
		}
		// An ordinal that moved to another vertex meanwhile could be here twice.
		if g.slots.changes.Load() == seq {
			break
		}
		if try == refineTries {
			out = lastOf(out)
			break
		}
	}
	index.Sort(out)
	return out[:min(k, len(out))]
}

// refineTries is how often refine begins again because ordinals have moved.
const refineTries = 3

// lastOf returns list without those whose ordinal comes again later.
func lastOf(list []index.Neighbor) []index.Neighbor {
	seen := make(map[core.Ord]bool, len(list))
	at := len(list)
	for i := len(list) - 1; i >= 0; i-- {
		if !seen[list[i].Ord] {
			seen[list[i].Ord] = true
			at--
			list[at] = list[i]
		}
	}
	return list[at:]
}

// guarded is answer that returns an error where a mapped page cannot be read.
func (g *graph) guarded(ctx context.Context, q []float32, o index.Options) (found []index.Neighbor, err error) {
	if g.guard == nil {
		return g.answer(ctx, q, o)
	}
	err = g.guard.run(func() (err error) {
		found, err = g.answer(ctx, q, o)
		return err
	})
	return found, err
}

// answer searches for q, whatever its length.
func (g *graph) answer(ctx context.Context, q []float32, o index.Options) ([]index.Neighbor, error) {
	ticket := g.readers.enter()
	defer g.readers.leave(ticket)
	s := g.get()
	defer g.put(s)
	g.space.prepare(s.q, q, false)
	if s.q.far() {
		return g.answerFar(ctx, q, o)
	}
	ef := o.Ef
	if ef <= 0 {
		ef = g.space.breadth()
	}
	return g.search(ctx, s, o.K, ef, o.Allow)
}

// answerFar compares q with every vector in 64 bits.
func (g *graph) answerFar(ctx context.Context, q []float32, o index.Options) ([]index.Neighbor, error) {
	top, seen := &index.Top{K: o.K}, core.NewSet()
	g.each(func(ords []core.Ord, v []float32) bool {
		score := g.space.metric.Score(q, v)
		for _, ord := range ords {
			// An ordinal that moves meanwhile is met twice.
			if (o.Allow == nil || o.Allow.Contains(ord)) && !seen.Contains(ord) {
				seen.Add(ord)
				top.Offer(index.Neighbor{Ord: ord, Score: score})
			}
		}
		return ctx.Err() == nil
	})
	return top.Sorted(), ctx.Err()
}

// touch reads a byte of each cache line, so that all of them come from memory at
// the same time.
func touch(b []uint8) (sum int) {
	for i := 0; i < len(b); i += 64 {
		sum += int(b[i])
	}
	return sum
}
