package bench

import (
	"cmp"
	"context"
	"math"
	"runtime"
	"slices"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/vecdb/vecdb/index"
	"github.com/vecdb/vecdb/internal/core"
	"github.com/vecdb/vecdb/internal/simd"
)

// The exact neighbours are computed on the base itself, without the copy that
// an index would make. Blocks of rows are compared with a few queries at once
// in 32 bits; the best and some more are scored again in 64 bits, so that
// rounding does not choose.
const (
	exactBatch = 16  // queries
	exactBlock = 256 // rows, which stay in the processor's cache
	exactSpare = 22  // rows beyond k that are scored again
)

// score is the true score of a row.
func (d *dataset) score(q []float32, row int) float32 { return d.cfg.Metric.Score(q, d.base.Row(row)) }

// everyRow restricts no query.
func everyRow(int) []core.Ord { return nil }

// nearest returns the best k rows for each query, best first, out of those
// that rowsOf gives for its number; nil is all. tell is told how many queries
// more are done, by several goroutines.
func (d *dataset) nearest(ctx context.Context, queries [][]float32, rowsOf func(int) []core.Ord, tell func(more int)) ([][]index.Neighbor, error) {
	out := make([][]index.Neighbor, len(queries))
	scales := d.scales()
	err := inBatches(ctx, len(queries), rowsOf, func(ctx context.Context, from, to int) error {
		tops, err := d.scan(ctx, queries[from:to], rowsOf(from), scales)
		if err != nil {
			return err
		}
		for i, top := range tops {
			out[from+i] = d.again(queries[from+i], top.Sorted())
		}
		tell(to - from)
		return nil
	})
	return out, err
}

// nearest does the same and tells how far it has come under a name.
func (r *run) nearest(ctx context.Context, name string, queries [][]float32, rowsOf func(int) []core.Ord) ([][]index.Neighbor, error) {
	var done atomic.Int64
	return r.data.nearest(ctx, queries, rowsOf, func(more int) {
		r.cfg.Advance(name, int(done.Add(int64(more))), len(queries))
	})
}

// inBatches calls do for ranges of queries that share their rows, on all
// cores.
func inBatches(ctx context.Context, n int, rowsOf func(int) []core.Ord, do func(ctx context.Context, from, to int) error) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))
	for at := 0; at < n; {
		from, to := at, at+1
		for to < min(n, from+exactBatch) && same(rowsOf(from), rowsOf(to)) {
			to++
		}
		g.Go(func() error { return do(ctx, from, to) })
		at = to
	}
	return g.Wait()
}

// same reports whether both are the same slice.
func same(a, b []core.Ord) bool {
	return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0])
}

// scan returns for each query the best rows by 32-bit scores.
func (d *dataset) scan(ctx context.Context, queries [][]float32, rows []core.Ord, scales []float32) ([]*index.Top, error) {
	tops, units := make([]*index.Top, len(queries)), make([][]float32, len(queries))
	for i, q := range queries {
		tops[i], units[i] = &index.Top{K: d.k + exactSpare}, q
		if d.cfg.Metric == index.Cosine {
			units[i] = index.Normalize(q)
		}
	}
	total := d.base.Len()
	if rows != nil {
		total = len(rows)
	}
	scores, scratch := make([]float32, exactBlock), make([]float32, 0, exactBlock*d.cfg.Dim)
	for from := 0; from < total; from += exactBlock {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		n := min(exactBlock, total-from)
		rowAt := func(i int) int { return from + i }
		block := d.base.Data[from*d.cfg.Dim:]
		if rows != nil {
			rowAt = func(i int) int { return int(rows[from+i]) }
			block = d.gather(scratch, rows[from:from+n])
		}
		for i, q := range units {
			d.rough(q, block[:n*d.cfg.Dim], scores[:n], rowAt, scales)
			for j, s := range scores[:n] {
				if s >= tops[i].Worst() {
					tops[i].Offer(index.Neighbor{Ord: core.Ord(rowAt(j)), Score: s})
				}
			}
		}
	}
	return tops, nil
}

// gather copies rows into scratch, one after the other.
func (d *dataset) gather(scratch []float32, rows []core.Ord) []float32 {
	for _, row := range rows {
		scratch = append(scratch, d.base.Row(int(row))...)
	}
	return scratch
}

// rough puts the 32-bit scores of a block into out.
func (d *dataset) rough(q, block, out []float32, rowAt func(int) int, scales []float32) {
	if d.cfg.Metric == index.L2 {
		simd.SquaredL2Many(q, block, out)
	} else {
		simd.DotMany(q, block, out)
	}
	for i, s := range out {
		switch d.cfg.Metric {
		case index.L2:
			s = -s
		case index.Cosine:
			s *= scales[rowAt(i)]
		}
		if s-s != 0 { // beyond 32 bits
			s = d.score(q, rowAt(i))
		}
		out[i] = s
	}
}

// scales returns what the rows are multiplied with to have unit length; nil
// where the metric does not need it.
func (d *dataset) scales() []float32 {
	if d.cfg.Metric != index.Cosine {
		return nil
	}
	out := make([]float32, d.base.Len())
	for i := range out {
		var sum float64
		for _, x := range d.base.Row(i) {
			sum += float64(x) * float64(x)
		}
		out[i] = float32(1 / math.Sqrt(sum))
	}
	return out
}

// again scores candidates truly and keeps the best.
func (d *dataset) again(q []float32, candidates []index.Neighbor) []index.Neighbor {
	for i := range candidates {
		candidates[i].Score = d.score(q, int(candidates[i].Ord))
	}
	slices.SortFunc(candidates, index.Compare)
	return slices.Clone(candidates[:min(d.k, len(candidates))])
}

// ranked returns all rows, the nearest to q first.
func (d *dataset) ranked(q []float32, scales []float32) []core.Ord {
	scores := make([]float32, d.base.Len())
	if d.cfg.Metric == index.Cosine {
		q = index.Normalize(q)
	}
	d.rough(q, d.base.Data, scores, func(i int) int { return i }, scales)
	out := make([]core.Ord, len(scores))
	for i := range out {
		out[i] = core.Ord(i)
	}
	slices.SortFunc(out, func(a, b core.Ord) int {
		return cmp.Or(cmp.Compare(scores[b], scores[a]), cmp.Compare(a, b))
	})
	return out
}
