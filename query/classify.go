package query

import (
	"context"
	"runtime"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/vecdb/vecdb/index"
	"github.com/vecdb/vecdb/internal/core"
)

// Classify labels each text, vector or stored document of r, by a vote of its
// nearest labelled documents or by the head that was trained on the labels. A
// stored document does not vote on itself. Errors are those of Search.
func (e *Engine) Classify(ctx context.Context, r ClassifyRequest) (ClassifyResponse, error) {
	if err := r.Validate(e.dim); err != nil {
		return ClassifyResponse{}, err
	}
	start := time.Now()
	j, err := e.judge(&r)
	if err != nil {
		return ClassifyResponse{}, err
	}
	var took Took
	points, err := e.points(ctx, r, &took)
	if err != nil {
		return ClassifyResponse{}, err
	}
	neighbors, s, err := e.voters(ctx, r, points, &took)
	if err != nil {
		return ClassifyResponse{}, err
	}
	results, err := e.vote(ctx, r, j, points, neighbors, s, &took)
	if err != nil {
		return ClassifyResponse{}, err
	}
	took.Total = milliseconds(time.Since(start))
	return ClassifyResponse{Results: results, Took: took}, nil
}

// points makes the query vectors, one for each result.
func (e *Engine) points(ctx context.Context, r ClassifyRequest, took *Took) ([]point, error) {
	if r.Texts == nil {
		p, err := e.point(ctx, r.Request, took)
		return []point{p}, err
	}
	vectors, err := e.embed(ctx, "/texts", r.Texts, took)
	if err != nil {
		return nil, err
	}
	points := make([]point, len(vectors))
	for i, v := range vectors {
		points[i].vector = v
	}
	return points, nil
}

// voters finds the nearest labelled documents of each point.
func (e *Engine) voters(ctx context.Context, r ClassifyRequest, points []point, took *Took) ([][]index.Neighbor, scope, error) {
	defer stopwatch(&took.Search)()
	allow, err := e.labelled(ctx, r)
	if err != nil {
		return nil, scope{}, err
	}
	s, err := e.newScope(ctx, allow, append(points[0].without, r.Exclude...))
	if err != nil {
		return nil, scope{}, err
	}
	neighbors := make([][]index.Neighbor, len(points))
	err = parallel(ctx, len(points), func(ctx context.Context, i int) (err error) {
		neighbors[i], err = e.nearest(ctx, points[i].vector, s, r.K, r.Request)
		return err
	})
	return neighbors, s, err
}

// labelled returns the documents that satisfy the filter and have a label.
func (e *Engine) labelled(ctx context.Context, r ClassifyRequest) (*core.Set, error) {
	allow, err := e.Labelled(ctx, r.LabelField)
	if err != nil {
		return nil, err
	}
	matching, err := e.matching(ctx, r.Filter)
	if err != nil {
		return nil, core.At("/filter", err)
	}
	return intersect(allow, matching), nil
}

// Labelled returns the documents that have something in a field of labels,
// which need not be a label: arrays may be empty. The caller owns the set.
func (e *Engine) Labelled(ctx context.Context, labelField string) (*core.Set, error) {
	allow, err := e.lookup(ctx, core.Condition{Field: labelField, Op: core.CondExists, Values: []any{true}})
	if err != nil {
		return nil, err
	}
	blank, err := e.lookup(ctx, core.Condition{Field: labelField, Op: core.CondEq, Values: []any{""}})
	if err != nil {
		return nil, err
	}
	allow.AndNot(blank)
	return allow, nil
}

// vote reads the nearest labelled documents and finds the labels, for each
// result. The documents of one result are let go before the next ones are read,
// since there can be many.
func (e *Engine) vote(ctx context.Context, r ClassifyRequest, j judge, points []point, neighbors [][]index.Neighbor, s scope, took *Took) ([]Classification, error) {
	defer stopwatch(&took.Fetch)()
	results := make([]Classification, len(neighbors))
	err := parallel(ctx, len(neighbors), func(ctx context.Context, i int) error {
		var ignored Took // runs beside others; the wall time of all is taken above
		list, err := e.fetch(ctx, neighbors[i], s, r.K, false, &ignored)
		if err != nil {
			return err
		}
		results[i] = j.decide(r, r.textOf(i), points[i].vector, tally(list, r))
		return nil
	})
	return results, err
}

// parallel calls do for 0 to n-1, as many at a time as there are processors,
// and waits for all. The first error cancels the rest and is returned.
func parallel(ctx context.Context, n int, do func(context.Context, int) error) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i := range n {
		group.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			return do(ctx, i)
		})
	}
	return group.Wait()
}
