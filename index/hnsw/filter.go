package hnsw

import (
	"math"
	"slices"

	"github.com/vecdb/vecdb/internal/core"
)

// The cost of a search in units of one comparison of 8-bit codes.
const (
	stepCost = 12 // of expanding one vertex
	poolCost = 64 // length of a pool by which it rises by one more
	scanFar  = 4  // times this a walk that has come far may take rather than end in a scan
)

// walkCost is what a walk of so many steps costs.
func walkCost(steps int) int { return steps * (stepCost + steps/poolCost) }

// A scan by rows (see rows.go) costs a rowShare-th of one by 8-bit codes, by a copy of
// them (see copies.go) a copyShare-th, and as much as rowScores comparisons by these of
// what is near. One of rowsFrom or fewer is not worth leaving anything out.
const (
	rowShare  = 4
	copyShare = 9
	rowScores = 300
	rowsFrom  = 600
)

// scanning sets what comparing the query with the vertices of count allowed ordinals
// costs, how much a walk may have before it rather than end in that, and by what rows
// it is done. Where walk, what a walk costs, is more than a scan by a copy of these, it
// is done by that where there is one.
func (g *graph) scanning(s *scratch, k, count, walk int, allow *core.Set) {
	s.scan, s.most, s.rows, s.copy = count, scanFar*count, nil, nil
	if count <= rowsFrom || k >= bulk {
		return
	}
	if s.rows = g.rowed(); s.rows == nil {
		return
	}
	s.scan = count/rowShare + rowScores
	if cost := count/copyShare + rowScores; cost < walk {
		if s.copy = s.rows.copyOf(g, allow, count); s.copy != nil {
			s.scan = cost
		}
	}
	s.most = s.scan
}

// farther reports whether what a walk has still before it costs more than a scan.
func (s *scratch) farther(k, ef, steps int) bool {
	return s.rank > 0 && walkCost(beamFor(k, ef, s.rank))-walkCost(steps) >= s.most
}

// wideShare is how much of all vectors a filter lets pass, at least, for a walk like
// one without a filter, that returns those allowed among what it expands.
const wideShare = 0.75

// wide reports whether a filter with which the k-th nearest allowed is the rank-th
// of all lets so much pass.
func wide(k, rank int) bool { return wideShare*float64(rank-1) <= float64(k) }

// wideEnough reports whether at least half as many of the vertices expanded were
// allowed as if the allowed lay anywhere. If not, it tells in s.rank how far the
// k-th is.
func (s *scratch) wideEnough(k, rank int) bool {
	if 2*s.taken*rank >= s.reach.steps*k {
		return true
	}
	s.rank = k * s.reach.steps / max(1, s.taken)
	return false
}

// A walk with a narrower filter has to find the k nearest allowed, the last of which
// is the rank-th nearest of all. They need not be expanded to be found: of what a
// walk has seen the allowed are scored, too. To see them with the recall that a walk
// of breadth ef without a filter has for k takes about ef·(rank/k)^beamGrowth steps
// (measured on sentence vectors), and no fewer than beamLeast for each of them; of
// what it sees a walk keeps the nearest, keepRank times rank and keepBeam times the
// steps. Where rank turns out to be so high that keepLeast times as many were not
// kept it keeps more from then on, and where it turns out to be nearly as high as what
// was kept, keepAll times, it begins anew.
const (
	beamGrowth = 0.65
	beamLeast  = 2
	keepRank   = 5
	keepBeam   = 1.5
	keepLeast  = 2
	keepAll    = 1.25
)

// beamFor is how many steps find the k nearest allowed when the last of them is the
// rank-th nearest of all.
func beamFor(k, ef, rank int) int {
	if rank <= k {
		return ef
	}
	beam := max(float64(ef)*math.Pow(float64(rank)/float64(k), beamGrowth), beamLeast*float64(rank))
	return int(min(beam, math.MaxInt32))
}

// gather puts the allowed among the vertices that were seen into s.top. Once k are
// there, it sets the reach of the walk by how many of all lie before the k-th, and
// again where these are a quarter more than before; it returns whether it has.
func (g *graph) gather(s *scratch, k, ef int, allow *core.Set) bool {
	const ahead = 8
	keys := s.pool.keys
	for _, c := range keys[:min(ahead, len(keys))] {
		g.slab.fetchMeta(c.vertex())
	}
	s.batch = s.batch[:0]
	for i, c := range keys {
		if i+ahead < len(keys) {
			g.slab.fetchMeta(keys[i+ahead].vertex())
		}
		if v := c.vertex(); s.asked.add(v) && g.allowed(v, allow) {
			s.batch = append(s.batch, v)
		}
	}
	g.score(s, s.batch)
	s.top.settle()
	if len(s.top.keys) < k {
		return false
	}
	rank, _ := slices.BinarySearch(keys, s.top.keys[k-1])
	rank = max(k, rank+1)
	if rank <= s.rank+s.rank/4 {
		return false
	}
	s.rank = rank
	s.lost = s.lost || keepAll*float64(rank) > float64(s.pool.max)
	if s.pool.max < keepLeast*rank {
		s.pool.max = min(keepRank*rank, int(g.n.Load()))
	}
	s.reach.aim(k, rank, beamFor(k, ef, rank))
	s.beam = s.pool.max
	s.reach.fit(s.top.keys, g.slab)
	return true
}
