package train

import (
	"context"
	"math"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/vecdb/vecdb/internal/simd"
)

// The votes that are tried.
var (
	triedNeighbors    = []int{5, 10, 20, 40}
	triedTemperatures = []float64{0.02, 0.05, 0.1}
)

const mostNeighbors = 40

// near is an example with its similarity.
type near struct {
	row   int
	score float32
}

// nearest returns the rows most similar to v, best first, of those that pass.
func nearest(v []float32, rows []*row, pass func(i int) bool) []near {
	list := make([]near, 0, mostNeighbors+1)
	for i, r := range rows {
		if r.vector == nil || !pass(i) {
			continue
		}
		score := simd.Dot(v, r.vector)
		if len(list) == mostNeighbors && score <= list[mostNeighbors-1].score {
			continue
		}
		at, _ := slices.BinarySearchFunc(list, score, func(n near, s float32) int {
			if n.score >= s {
				return -1
			}
			return 1
		})
		list = slices.Insert(list, at, near{i, score})
		list = list[:min(len(list), mostNeighbors)]
	}
	return list
}

// vote lets the first k of the list vote; the votes sum to 1.
func vote(list []near, rows []*row, classes, k int, temperature float64) []float64 {
	votes := make([]float64, classes)
	var sum float64
	for _, n := range list[:min(k, len(list))] {
		w := math.Exp(float64(n.score-list[0].score) / temperature)
		votes[rows[n.row].label] += w
		sum += w
	}
	for i := range votes {
		votes[i] /= max(sum, 1e-300)
	}
	return votes
}

// tryNeighbors lets the examples of other folds vote on each example. It also
// returns the similarity of each example to the nearest other one.
func (s *set) tryNeighbors(ctx context.Context, fold []int, workers int) ([]*outcome, []float32, error) {
	lists := make([][]near, len(s.rows))
	scope := make([]float32, len(s.rows))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(workers)
	for i, r := range s.rows {
		if r.vector == nil {
			continue
		}
		group.Go(func() error {
			all := nearest(r.vector, s.rows, func(j int) bool { return j != i })
			if len(all) > 0 {
				scope[i] = all[0].score
			}
			lists[i] = slices.DeleteFunc(all, func(n near) bool { return fold[n.row] == fold[i] })
			return ctx.Err()
		})
	}
	if err := group.Wait(); err != nil {
		return nil, nil, err
	}
	var out []*outcome
	for _, k := range triedNeighbors {
		for _, t := range triedTemperatures {
			o := &outcome{Candidate: Candidate{Method: Neighbors, K: k, Temperature: t}}
			for i := range s.rows {
				o.logits = append(o.logits, voteLogits(vote(lists[i], s.rows, len(s.labels), k, t)))
			}
			out = append(out, o)
		}
	}
	return out, scope, nil
}

func voteLogits(votes []float64) []float32 {
	logits := make([]float32, len(votes))
	for i, v := range votes {
		logits[i] = voteLogit(v)
	}
	return logits
}

// leastScope returns the similarity that all but one of 1,000 examples reach.
func leastScope(scope []float32) *float32 {
	scope = slices.Sorted(slices.Values(scope))
	if len(scope) == 0 {
		return nil
	}
	return &scope[len(scope)/1000]
}
