package bench

import (
	"context"
	"time"

	"github.com/vecdb/vecdb/bench/vectors"
	"github.com/vecdb/vecdb/index"
	"github.com/vecdb/vecdb/internal/core"
)

// Truth returns the exact neighbours of the given queries among some rows;
// nil is all.
func Truth(ctx context.Context, g Given, k int, rows []int32) ([][]int32, error) {
	r, err := g.run(ctx, k)
	if err != nil {
		return nil, err
	}
	var among []core.Ord
	for _, row := range rows {
		among = append(among, core.Ord(row))
	}
	found, err := r.nearest(ctx, "", r.data.queries, func(int) []core.Ord { return among })
	out := make([][]int32, len(found))
	for i := range found {
		for _, n := range found[i] {
			out[i] = append(out[i], int32(n.Ord))
		}
	}
	return out, err
}

// Allowed returns what a filter of n rows allows each query.
func Allowed(ctx context.Context, g Given, kind string, n int) ([][]core.Ord, error) {
	r, err := g.run(ctx, 1)
	if err != nil {
		return nil, err
	}
	return r.allowed(kind, n, r.data.queries), nil
}

func (g Given) run(ctx context.Context, k int) (*run, error) {
	cfg, err := Config{K: k}.withDefaults()
	if err != nil {
		return nil, err
	}
	data, _, err := g.load(ctx, cfg)
	return newRun(cfg, data), err
}

// RecallOf judges the answer to one query by euclidean distances in one
// dimension.
func RecallOf(base []float32, query float32, nearest, answer []core.Ord, allow *core.Set) (float64, error) {
	d := &dataset{cfg: index.Config{Dim: 1, Metric: index.L2}, k: len(nearest), base: &vectors.Matrix{Dim: 1, Data: base}}
	t := &truth{queries: [][]float32{{query}}, nearest: make([][]index.Neighbor, 1)}
	if allow != nil {
		t.allow = []*core.Set{allow}
	}
	for _, row := range nearest {
		t.nearest[0] = append(t.nearest[0], index.Neighbor{Ord: row, Score: d.score(t.queries[0], int(row))})
	}
	var hits []index.Neighbor
	for _, row := range answer {
		hits = append(hits, index.Neighbor{Ord: row}) // an index's scores count nothing
	}
	return d.recall(t, [][]index.Neighbor{hits}, func(o core.Ord) (int, bool) { return int(o), int(o) < len(base) })
}

// RateAt returns the rate of a back end at a recall.
func RateAt(points []Point, recall float64) (qps float64, reached bool) {
	return rateAt(frontier(points), recall)
}

// Percentiles returns the 50th, 95th, 99th and 100th percentile.
func Percentiles(times []time.Duration) [4]float64 {
	l := percentiles(times)
	return [4]float64{l.p50, l.p95, l.p99, l.max}
}

// Median returns the median.
func Median(of ...float64) float64 { return median(of) }

// TakingTurns returns the order of n operations in a turn.
func TakingTurns(turn, n int) []int { return takingTurns(turn, n) }
