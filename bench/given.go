package bench

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/vecdb/vecdb/bench/vectors"
	"github.com/vecdb/vecdb/index"
	"github.com/vecdb/vecdb/internal/core"
)

// Given names files of vectors to measure on. The formats are those of the
// package vectors.
type Given struct {
	// Base is the file of the vectors that go into the indexes.
	Base string
	// Queries is the file of those that are searched for.
	Queries string
	// Truth is the file of the numbers of each query's nearest rows of the
	// base, at least Config.K columns; "" computes them.
	Truth string
	// Metric compares the vectors. Default: cosine.
	Metric index.Metric
	// Limit takes the first so many vectors of the base; 0 takes all.
	Limit int
	// Dim takes the first so many numbers of each vector, as one does with the
	// vectors of a Matryoshka model; 0 takes all.
	Dim int
}

// RunGiven measures on the given vectors as cfg says. An error while it
// measures comes with the report of what was measured until then.
func RunGiven(ctx context.Context, g Given, cfg Config) (*Report, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	data, asked, err := g.load(ctx, cfg)
	if err != nil {
		return nil, err
	}
	r := newRun(cfg, data)
	r.report.Base = g.Base
	if g.Truth == "" {
		err = r.findTruth(ctx)
	} else {
		err = r.readTruth(ctx, g.Truth, asked)
	}
	if err != nil {
		return nil, err
	}
	return r.report, r.measureAll(ctx)
}

// load reads base and queries. It also returns how many queries the file
// holds, of which cfg may ask fewer.
func (g Given) load(ctx context.Context, cfg Config) (d *dataset, asked int, err error) {
	metric, err := index.ParseMetric(string(g.Metric))
	if err != nil {
		return nil, 0, core.Invalid("", "use cosine, dot or l2", "unknown metric %q", g.Metric)
	}
	if g.Limit < 0 || g.Dim < 0 {
		return nil, 0, core.Invalid("", "give 0 for all", "%d vectors of %d numbers cannot be taken", g.Limit, g.Dim)
	}
	begin := time.Now()
	cfg.Progress("read " + g.Base)
	base, err := readChecked(ctx, g.Base, vectors.Options{Limit: g.Limit, Dim: g.Dim})
	if err != nil {
		return nil, 0, err
	}
	if base.Len() < cfg.K {
		return nil, 0, tooFew(cfg.K, base.Len())
	}
	queries, err := readChecked(ctx, g.Queries, vectors.Options{Dim: g.Dim})
	if err != nil {
		return nil, 0, err
	}
	if queries.Dim != base.Dim {
		return nil, 0, core.Invalid("", "use vectors of one model", "the queries in %s have %d numbers, the vectors in %s have %d", g.Queries, queries.Dim, g.Base, base.Dim)
	}
	cfg.Progress(fmt.Sprintf("read %d vectors of %d numbers and %d queries in %s", base.Len(), base.Dim, queries.Len(), since(begin)))
	d = &dataset{k: cfg.K, cfg: index.Config{Dim: base.Dim, Metric: metric}, base: base, queries: queries.Rows()}
	if cfg.Queries > 0 {
		d.queries = d.queries[:min(cfg.Queries, len(d.queries))]
	}
	return d, queries.Len(), nil
}

// readChecked reads vectors and refuses those that indexes refuse, all zeros
// for one.
func readChecked(ctx context.Context, path string, o vectors.Options) (*vectors.Matrix, error) {
	m, err := vectors.Read(ctx, path, o)
	if err != nil {
		return nil, err
	}
	for i := range m.Len() {
		var wrong *core.InputError
		if err := core.CheckVector("", m.Row(i), m.Dim); errors.As(err, &wrong) {
			return nil, core.Invalid("", "leave such rows out", "%s: row %d: %s", path, i, wrong.Detail)
		}
	}
	return m, nil
}

// tooFew is the error of a k beyond the number of vectors.
func tooFew(k, have int) error {
	return core.Invalid("", "ask for fewer, or give more vectors", "the %d nearest are wanted of %d vectors", k, have)
}

// since tells a time that has passed to people.
func since(begin time.Time) string { return fmt.Sprintf("%.1f s", time.Since(begin).Seconds()) }
