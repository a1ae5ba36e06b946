package bench

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/vecdb/vecdb/bench/vectors"
	"github.com/vecdb/vecdb/index"
	"github.com/vecdb/vecdb/internal/core"
)

// truth holds queries and the rows that are truly nearest to each.
type truth struct {
	queries [][]float32
	nearest [][]index.Neighbor // at most k a query, with true scores
	allow   []*core.Set        // what each query is restricted to; nil for no filter
}

// restrictedTo returns the set that the i-th query may find; nil is all.
func (t *truth) restrictedTo(i int) *core.Set {
	if t.allow == nil {
		return nil
	}
	return t.allow[i]
}

// findTruth computes the exact neighbours.
func (r *run) findTruth(ctx context.Context) error {
	begin := time.Now()
	r.cfg.Progress(fmt.Sprintf("find the exact neighbours of %d queries", len(r.data.queries)))
	nearest, err := r.nearest(ctx, "exact neighbours", r.data.queries, everyRow)
	if err != nil {
		return err
	}
	r.truth = &truth{queries: r.data.queries, nearest: nearest}
	r.report.TruthSeconds = time.Since(begin).Seconds()
	r.cfg.Progress("found them in " + since(begin))
	return nil
}

// readTruth takes the neighbours from a file with a row for each of the asked
// queries, and compares some of them with the exact ones.
func (r *run) readTruth(ctx context.Context, path string, asked int) error {
	begin := time.Now()
	ids, err := vectors.ReadIDs(ctx, path)
	if err != nil {
		return err
	}
	if ids.Len() != asked {
		return core.Invalid("", "give a row for each query, or leave the truth out to compute it", "%s has %d rows for %d queries", path, ids.Len(), asked)
	}
	k := r.data.k
	if ids.Cols < k {
		return core.Invalid("", "ask for a smaller k, or leave the truth out to compute it", "%s has %d neighbours a query, at least %d are needed", path, ids.Cols, k)
	}
	r.truth = &truth{queries: r.data.queries}
	for i, q := range r.data.queries {
		nearest, err := r.data.named(q, ids.Row(i)[:k])
		if err != nil {
			return fmt.Errorf("%s: row %d: %w", path, i, err)
		}
		r.truth.nearest = append(r.truth.nearest, nearest)
	}
	if err := r.checkTruth(ctx, path); err != nil {
		return err
	}
	r.report.TruthSeconds = time.Since(begin).Seconds()
	r.cfg.Progress(fmt.Sprintf("read the neighbours of %d queries from %s and checked some in %s", len(r.data.queries), path, since(begin)))
	return nil
}

// named returns the rows of the ids with their true scores.
func (d *dataset) named(q []float32, ids []int64) ([]index.Neighbor, error) {
	var out []index.Neighbor
	seen := make(map[int64]bool)
	for _, id := range ids {
		if id < 0 || id >= int64(d.base.Len()) {
			return nil, core.Invalid("", "a truth belongs to the whole base, or with a limit to that part of it; leave it out to compute it", "the id %d is not below the %d vectors of the base", id, d.base.Len())
		}
		if seen[id] {
			return nil, core.Invalid("", "leave the truth out to compute it", "the id %d comes twice", id)
		}
		seen[id] = true
		out = append(out, index.Neighbor{Ord: core.Ord(id), Score: d.score(q, int(id))})
	}
	return out, nil
}

// checkedQueries is how many rows of a given truth are compared.
const checkedQueries = 8

// checkTruth refuses a truth that belongs to another metric or other vectors.
// Truths computed in 32 bits pass.
func (r *run) checkTruth(ctx context.Context, path string) error {
	some := r.data.queries[:min(checkedQueries, len(r.data.queries))]
	exact, err := r.data.nearest(ctx, some, everyRow, func(int) {})
	if err != nil {
		return err
	}
	for i := range some {
		given, best := least(r.truth.nearest[i]), least(exact[i])
		if given < best-1e-4*math.Abs(best) {
			return core.Invalid("", "it may be of another metric, base, limit or dimension; leave the truth out to compute it",
				"%s does not fit: neighbour %d of query %d scores %g, the exact one %g (%s)", path, r.data.k, i, given, best, r.data.cfg.Metric)
		}
	}
	return nil
}

// least returns the lowest score. The neighbours of a given truth may be in
// any order.
func least(of []index.Neighbor) float64 {
	low := math.Inf(1)
	for _, n := range of {
		low = min(low, float64(n.Score))
	}
	return low
}

// tie is how far, as a share of it, a score may lie below the last true one
// and still count as equal.
const tie = 1e-6

// recall is the mean share of the true neighbours that answers hold. What is
// truly as near as the last of them counts as well, so that equal vectors are
// no loss. rowOf gives the row of an ordinal. Scores are computed anew; those
// in the answers count nothing. An answer that breaks the rules is an error.
func (d *dataset) recall(t *truth, found [][]index.Neighbor, rowOf func(core.Ord) (int, bool)) (float64, error) {
	var sum float64
	for i, hits := range found {
		if len(hits) > d.k {
			return 0, fmt.Errorf("query %d: the index returned %d neighbours instead of %d", i, len(hits), d.k)
		}
		if len(t.nearest[i]) == 0 {
			return 0, fmt.Errorf("query %d: no true neighbours are known", i)
		}
		last := least(t.nearest[i])
		seen := make(map[int]bool, len(hits))
		n := 0
		for _, h := range hits {
			row, there := rowOf(h.Ord)
			if allow := t.restrictedTo(i); !there || allow != nil && !allow.Contains(h.Ord) {
				return 0, fmt.Errorf("query %d: the index returned ordinal %d, which is absent or not allowed", i, h.Ord)
			}
			if seen[row] {
				return 0, fmt.Errorf("query %d: the index returned ordinal %d twice", i, h.Ord)
			}
			seen[row] = true
			if float64(d.score(t.queries[i], row)) >= last-tie*math.Abs(last) {
				n++
			}
		}
		sum += float64(min(n, len(t.nearest[i]))) / float64(len(t.nearest[i]))
	}
	return sum / float64(len(found)), nil
}
