package hnsw

import (
	"math"
	"slices"
)

// The cost of a search in units of one comparison of 8-bit codes.
const (
	stepCost = 12 // of expanding one vertex
	poolCost = 64 // length of a pool by which it rises by one more
)

// walkCost is what a walk of so many steps costs.
func walkCost(steps int) int { return steps * (stepCost + steps/poolCost) }

// A walk with a filter has to find the k nearest allowed, the last of which is
// farther from the query than rank-1 others. A walk without a filter that finds
// rank vertices with the recall that one of breadth ef has for k takes about
// ef·(rank/k)^beamGrowth steps (measured on sentence vectors), and no fewer than
// beamLeast for each of them.
const (
	beamGrowth = 0.65
	beamLeast  = 4
)

// beamFor is the length of the beam that finds the k nearest allowed when the
// last of them is the rank-th nearest of all.
func beamFor(k, ef, rank int) int {
	if rank <= k {
		return ef
	}
	beam := max(float64(ef)*math.Pow(float64(rank)/float64(k), beamGrowth), beamLeast*float64(rank))
	return int(min(beam, math.MaxInt32))
}

// fitBeam makes the beam as long as what was expanded so far tells.
func (s *scratch) fitBeam(k, ef int) {
	if len(s.top.keys) < k {
		return
	}
	at, _ := slices.BinarySearch(s.all.keys, s.top.keys[k-1])
	if rank := at + 1; rank != s.rank {
		s.rank, s.beam = rank, beamFor(k, ef, rank)
	}
}
