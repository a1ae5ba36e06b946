package bench

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/vecdb/vecdb"
	"github.com/vecdb/vecdb/embedder"
	"github.com/vecdb/vecdb/embedder/hash"
	"github.com/vecdb/vecdb/query"
)

// Defaults of an EngineConfig.
const (
	DefaultEngineDocuments = 20_000
	DefaultEngineEvents    = 100_000
	DefaultEngineQueries   = 300
	engineDim              = 384
)

// EngineConfig says on what the query engine is measured.
type EngineConfig struct {
	Documents int    // short made-up documents; 0 is DefaultEngineDocuments
	Events    int    // of made-up users; 0 is DefaultEngineEvents
	Queries   int    // of each operation; 0 is DefaultEngineQueries
	Seed      uint64 // of documents, events and queries
	Dir       string // for the database, which is removed in the end; "" is one for temporary files
	Keep      string // directory of a database that stays, and is used again when it is there; "" is none
	Progress  func(doing string)
	Advance   func(name string, done, total int)
}

// EnginePoint is one measured operation of the query engine. Times are of whole
// requests in the process, without the embedding of the text, which is the
// model's.
type EnginePoint struct {
	Operation string  `json:"operation"`
	P50       float64 `json:"p50_us"`
	P95       float64 `json:"p95_us"`
	P99       float64 `json:"p99_us"`
	Max       float64 `json:"max_us"`
	// RatioP50 and RatioP95 compare with the operation named in Against, asked
	// for the same queries in turn; 0 without one.
	Against     string  `json:"against,omitempty"`
	RatioP50    float64 `json:"ratio_p50,omitempty"`
	RatioP95    float64 `json:"ratio_p95,omitempty"`
	Selectivity float64 `json:"selectivity,omitempty"` // share that the filter allows
	Documents   int     `json:"documents"`
	Queries     int     `json:"queries"`
	Host
}

// EngineReport is what a run over the query engine has measured.
type EngineReport struct {
	Documents     int           `json:"documents"`
	Events        int           `json:"events"`
	Queries       int           `json:"queries"`
	Dim           int           `json:"dimension"`
	IngestSeconds float64       `json:"ingest_seconds"` // until all of it is in the indexes
	OpenSeconds   float64       `json:"open_seconds"`   // to open the database again
	Points        []EnginePoint `json:"points"`
	Host
}

// operation is one kind of request.
type operation struct {
	name        string
	against     string
	selectivity float64
	// ask asks for the i-th query and returns the time that is not the engine's.
	ask func(ctx context.Context, i int) (query.Took, error)
}

// RunEngine measures the operations of the query engine on made-up documents.
func RunEngine(ctx context.Context, c EngineConfig) (r *EngineReport, err error) {
	c.Documents = cmp.Or(c.Documents, DefaultEngineDocuments)
	c.Events = cmp.Or(c.Events, DefaultEngineEvents)
	c.Queries = cmp.Or(c.Queries, DefaultEngineQueries)
	if c.Progress == nil {
		c.Progress = func(string) {}
	}
	if c.Advance == nil {
		c.Advance = func(string, int, int) {}
	}
	r = &EngineReport{Documents: c.Documents, Events: c.Events, Queries: c.Queries, Dim: engineDim, Host: thisHost()}
	w := newWorld(c)
	dir, kept := c.Keep, false
	if dir == "" {
		if dir, err = os.MkdirTemp(c.Dir, "vecdb-bench-"); err != nil {
			return nil, fmt.Errorf("make a directory for the database: %w", err)
		}
		defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	} else if kept, err = r.kept(c); err != nil {
		return nil, err
	}
	if !kept {
		if err := r.ingest(ctx, c, w, dir); err != nil {
			return nil, err
		}
	}
	if c.Keep != "" && !kept {
		if err := r.keep(c); err != nil {
			return nil, err
		}
	}
	c.Progress("open the database again")
	start := time.Now()
	db, err := openEngine(dir)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	r.OpenSeconds = time.Since(start).Seconds()
	col, err := db.Collection(engineCollection)
	if err != nil {
		return nil, err
	}
	c.Progress("ask")
	r.Points, err = r.measure(ctx, c, operations(col, w))
	return r, err
}

const engineCollection = "bench"

// openEngine opens a database whose model needs no files.
func openEngine(dir string) (*vecdb.DB, error) {
	return vecdb.Open(dir, vecdb.Options{OpenModel: func(context.Context, string, string) (embedder.Embedder, error) {
		return hash.New(engineDim), nil
	}})
}

// ingest stores documents and events and waits until all is learnt.
func (r *EngineReport) ingest(ctx context.Context, c EngineConfig, w *world, dir string) (err error) {
	db, err := openEngine(dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	col, _, err := db.CreateCollection(ctx, engineCollection, vecdb.CollectionOptions{})
	if err != nil {
		return err
	}
	start := time.Now()
	const batch = 2_000
	for done := 0; done < c.Documents; done += batch {
		docs := w.documents(done, min(batch, c.Documents-done))
		wait := vecdb.WaitDurable
		if done+batch >= c.Documents {
			wait = vecdb.WaitIndexed
		}
		if _, err := col.Upsert(ctx, docs, wait); err != nil {
			return err
		}
		c.Advance("store documents", done+len(docs), c.Documents)
	}
	r.IngestSeconds = time.Since(start).Seconds()
	c.Progress("store events, and learn from them and from labels")
	if _, err := col.AddEvents(ctx, w.events, vecdb.WaitDurable); err != nil {
		return err
	}
	if _, err := col.TrainRecommender(ctx); err != nil {
		return err
	}
	_, err = col.Train(ctx, "label")
	return err
}

// measure asks all operations in turn for each query, so that a disturbance does
// not hit one alone, and each operation after each other one equally often, so that
// none has the caches always from the same one.
func (r *EngineReport) measure(ctx context.Context, c EngineConfig, list []operation) ([]EnginePoint, error) {
	times := make(map[string][]time.Duration)
	warm := min(20, c.Queries)
	for i := range warm + c.Queries {
		for _, at := range takingTurns(i, len(list)) {
			op := list[at]
			start := time.Now()
			took, err := op.ask(ctx, i)
			spent := time.Since(start)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", op.name, err)
			}
			if i >= warm {
				model := time.Duration((took.Tokenize + took.Embed) * float64(time.Millisecond))
				times[op.name] = append(times[op.name], max(0, spent-model))
			}
		}
		c.Advance("queries", i+1, warm+c.Queries)
	}
	var out []EnginePoint
	measured := make(map[string]latency)
	for _, op := range list {
		t := percentiles(times[op.name])
		measured[op.name] = t
		p := EnginePoint{Operation: op.name, P50: t.p50, P95: t.p95, P99: t.p99, Max: t.max, Against: op.against,
			Selectivity: op.selectivity, Documents: c.Documents, Queries: c.Queries, Host: r.Host}
		if base, there := measured[op.against]; there {
			p.RatioP50, p.RatioP95 = t.p50/base.p50, t.p95/base.p95
		}
		out = append(out, p)
	}
	return out, nil
}
