package hnsw

import "math"

// reach is how far from the query a walk still expands vertices. Of queries with
// the same breadth some have their neighbors after a few steps and others need
// many. A beam of fixed length gives all of them the same; a walk that ends when
// all that is left is some factor farther away than the k-th nearest it has found
// gives each what it needs (Al-Jazzazi et al., "Distance Adaptive Beam Search for
// Provably Accurate Graph-Based Nearest Neighbor Search", arXiv 2505.15636). As
// the distances found are exact and those of what is left are estimates, it also
// takes no notice of how many of the latter are too small.
//
// The factor is that between the distances of the k-th and of the ef-th nearest
// where vectors lie as in a space of reachDim dimensions, as embeddings of texts
// more or less do. However vectors lie, a walk takes reachLeast·ef steps at least,
// if it sees as many vertices, and its beam has a length of reachBeam.
type reach struct {
	limit float32 // squared distance, +Inf until enough is found
	ef    int     // how many of the nearest seen are kept until then
	steps int     // so far
	least int     // how many steps there are in any case
	k     int
	times float32 // squared factor, 0 for a walk that ends with its beam alone
	last  key     // the k-th nearest when the limit was set
}

const (
	reachDim   = 25
	reachLeast = 0.5
	reachTwice = 10 // neighbors for which the beam is twice the steps
)

// reachBeam is the length of the beam of a walk for the k nearest that is to take
// about so many steps, so that none takes many times as many as most do. The fewer
// neighbors are wanted, the more queries differ in the steps that they need; with
// many, most of what looks nearer than the last of them only looks so.
func reachBeam(k, steps int) int {
	return int(min(float64(steps)*(1+math.Cbrt(reachTwice/float64(k))), math.MaxInt32))
}

// newReach is the reach of a walk for the k nearest wanted, the last of which is the
// rank-th nearest of all, that is to take about so many steps; k is 0 for a walk that
// ends with its beam alone.
func newReach(k, rank, steps int) reach {
	r := reach{limit: float32(math.Inf(1)), ef: steps}
	if k > 0 {
		r.aim(k, rank, steps)
	}
	return r
}

// aim makes r the reach of another walk, see newReach.
func (r *reach) aim(k, rank, steps int) {
	r.k, r.last, r.least = k, 0, int(reachLeast*float64(steps))
	r.times = float32(math.Pow(float64(steps)/float64(rank), 2./reachDim))
}

// fit sets the limit after a step by the nearest found, which are in order. What
// the codes cannot tell from the k-th nearest is within reach.
func (r *reach) fit(found []key, s *slab) {
	r.steps++
	if r.times == 0 || len(found) < r.k || found[r.k-1] == r.last {
		return
	}
	r.last = found[r.k-1]
	r.limit = r.times*r.last.dist() + s.resolution(r.last.vertex())
}

// limit is the distance up to which a walk expands what it sees.
func (s *scratch) limit() float32 {
	r := &s.reach
	limit := r.limit
	switch {
	case r.k > 0 && r.last == 0:
		limit = s.pool.worst(r.ef)
	case r.steps < r.least:
		limit = max(limit, s.pool.worst(r.least))
	}
	return min(limit, s.pool.worst(s.beam))
}
