// Package bench measures recall and latency on the user's own data. It takes
// some documents of a collection as queries, puts the others into each index
// back end, compares the answers with the exact ones, and times the queries;
// besides, it times whole queries on the collection, stage by stage.
package bench

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"

	"github.com/vecdb/vecdb"
	"github.com/vecdb/vecdb/internal/core"
)

// Limits and defaults of a run.
const (
	DefaultQueries = 1000
	minVectors     = 100 // fewer say nothing about an index
	atK            = 10  // recall@10
)

// Config says what is measured. The zero value measures every back end with
// DefaultQueries held-out queries and one thread.
type Config struct {
	// Indexes are the back ends: flat, coder. Default: all.
	Indexes []string
	// Queries is how many documents are held out as queries; default
	// DefaultQueries, at most a fifth of the collection.
	Queries int
	// Texts are queries to use instead of held-out documents. They are
	// embedded with the collection's model.
	Texts []string
	// Threads is how many goroutines ask at once. Default 1.
	Threads int
	// Seed picks the held-out documents. Default 1.
	Seed uint64
	// Progress is told what is being done; it may be nil.
	Progress func(doing string)
}

// Point is one measured setting of one back end. Its JSON form is one line of
// `vecdb bench --json`.
type Point struct {
	Index          string  `json:"index"`
	Setting        string  `json:"setting"` // for instance "ef=64"
	Threads        int     `json:"threads"`
	Recall         float64 `json:"recall_at_10"`
	QPS            float64 `json:"qps"`
	P50            float64 `json:"p50_us"`
	P95            float64 `json:"p95_us"`
	P99            float64 `json:"p99_us"`
	BuildSeconds   float64 `json:"build_seconds"`
	BytesPerVector float64 `json:"bytes_per_vector"`
	PeakRSSBytes   int64   `json:"peak_rss_bytes"` // of the process so far
}

// Stage is the time of one stage of whole queries, in microseconds.
type Stage struct {
	Name string  `json:"stage"` // tokenize, embed, search, fetch or total
	P50  float64 `json:"p50_us"`
	P95  float64 `json:"p95_us"`
	P99  float64 `json:"p99_us"`
}

// Report is what a run has measured.
type Report struct {
	Collection string  `json:"collection"`
	Vectors    int     `json:"vectors"` // in the indexes, without the held-out ones
	Queries    int     `json:"queries"`
	Dim        int     `json:"dimension"`
	Metric     string  `json:"metric"`
	Serving    string  `json:"serving"` // the back end that the collection uses
	Kernels    string  `json:"kernels"`
	Machine    string  `json:"machine"`
	Points     []Point `json:"points"`
	Stages     []Stage `json:"stages"` // empty without texts or a model
}

// Run measures the collection as cfg says.
func Run(ctx context.Context, col *vecdb.Collection, cfg Config) (*Report, error) {
	cfg = cfg.withDefaults()
	cfg.Progress("read the collection")
	data, err := load(ctx, col, cfg)
	if err != nil {
		return nil, err
	}
	cfg.Progress(fmt.Sprintf("find the exact neighbours of %d queries", len(data.queries)))
	truth, err := exact(ctx, data)
	if err != nil {
		return nil, err
	}
	r := &Report{Collection: col.Name(), Vectors: len(data.base), Queries: len(data.queries), Dim: data.cfg.Dim, Metric: string(data.cfg.Metric),
		Serving: col.Stats().Index.Kind, Kernels: kernels(), Machine: fmt.Sprintf("%s/%s, %d cores", runtime.GOOS, runtime.GOARCH, runtime.NumCPU())}
	for _, name := range cfg.Indexes {
		points, err := measure(ctx, name, data, truth, cfg)
		if err != nil {
			return nil, fmt.Errorf("measure %s: %w", name, err)
		}
		r.Points = append(r.Points, points...)
	}
	if len(data.texts) > 0 {
		cfg.Progress(fmt.Sprintf("time %d whole queries", len(data.texts)))
		if r.Stages, err = stages(ctx, col, data.texts); err != nil {
			return nil, err
		}
	}
	return r, nil
}

func (c Config) withDefaults() Config {
	if len(c.Indexes) == 0 {
		c.Indexes = Backends()
	}
	if c.Queries <= 0 {
		c.Queries = DefaultQueries
	}
	if c.Threads <= 0 {
		c.Threads = 1
	}
	if c.Seed == 0 {
		c.Seed = 1
	}
	if c.Progress == nil {
		c.Progress = func(string) {}
	}
	return c
}

// pick returns n different numbers below total, in an order that depends on
// the seed alone.
func pick(seed uint64, n, total int) []int {
	return rand.New(rand.NewPCG(seed, seed)).Perm(total)[:n]
}

func tooSmall(have int) error {
	return core.Invalid("", "add more documents", "the collection has %d documents; a measurement needs at least %d", have, minVectors)
}
