package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/vecdb/vecdb/bench"
	"github.com/vecdb/vecdb/index"
)

// benchFlags say what is measured.
type benchFlags struct {
	bench.Config
	given   bench.Given
	metric  string
	queries string // a file of lines or, with a base, of vectors
	html    string
}

func (a *app) benchCommand() *cobra.Command {
	var o benchFlags
	cmd := &cobra.Command{
		Use:   "bench",
		Short: "Measure recall and latency on your own documents or vectors",
		Long: `Measure recall and latency of the index back ends.

On the documents of a collection: some of them are held out as queries, the
others go into each back end, and the answers are compared with the exact ones.
Whole queries, from text to documents, are timed stage by stage besides. The
collection itself is only read.

On given vectors, with --base and --queries: files in NumPy's .npy format
(float32, float64, float16, int8 or uint8) or .fvecs and .bvecs. The exact
neighbours are computed, or read from --truth (.npy of integers, or .ivecs).
With --json every measured setting is a line of JSON.

Each graph is asked with every --ef, so that the results are curves of speed
over recall. Settings take turns, --repeat times, and medians are reported.`,
		Example: `  vecdb bench
  vecdb bench -c news --index flat --threads 2
  vecdb bench --queries questions.txt --html report.html
  vecdb bench --base base.npy --queries queries.npy --json > points.jsonl
  vecdb bench --base base.npy --queries queries.npy --index flat,coder --ef 16,64,256 --threads 1,2
  vecdb bench --base sift.fvecs --queries ask.fvecs --truth truth.ivecs --metric l2 --limit 100000
  vecdb bench --base base.npy --queries queries.npy --dim 128 --filter 0.1,0.01,0.001 --mixed --deletes`,
		Args: exactly(0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.bench(cmd.Context(), o) },
	}
	f := cmd.Flags()
	f.StringVar(&o.given.Base, "base", "", "file of the vectors to put into the indexes, in place of a collection")
	f.StringVar(&o.queries, "queries", "", "file of queries: with --base vectors, else lines of text in place of held-out documents")
	f.StringVar(&o.given.Truth, "truth", "", "file of each query's true neighbours, row numbers of the base (default: compute them)")
	f.StringVar(&o.metric, "metric", "", "how given vectors are compared: cosine (default), dot or l2")
	f.IntVar(&o.given.Limit, "limit", 0, "take the first so many vectors of the base")
	f.IntVar(&o.given.Dim, "dim", 0, "cut given vectors to their first so many numbers, as Matryoshka models allow")
	f.StringSliceVar(&o.Indexes, "index", []string{"all"}, "back ends to measure: "+strings.Join(bench.Backends(), ", ")+" or all")
	f.IntVar(&o.K, "k", bench.DefaultK, "how many neighbours each query asks for")
	f.IntSliceVar(&o.Efs, "ef", nil, "breadths of search to measure (default: a list from 10 to 512)")
	f.Float64SliceVar(&o.Recalls, "recall", nil, "recalls to measure, for instance 0.9,0.95,0.99: the index chooses a breadth for each")
	f.IntSliceVar(&o.Threads, "threads", nil, "how many threads ask at once, and the largest builds (default: 1 asks, all cores build)")
	f.IntVar(&o.BuildThreads, "build-threads", 0, "how many threads build (default: see --threads)")
	f.IntVar(&o.BuildBatch, "build-batch", 0, "how many vectors are inserted at a time (default 4096; 1 measures insertions one by one)")
	f.IntSliceVar(&o.CPUs, "cpu", nil, "bind all threads to these processors while they search (Linux)")
	f.IntVar(&o.Repeat, "repeat", bench.DefaultRepeat, "how often each setting is measured")
	f.Float64Var(&o.Seconds, "seconds", bench.DefaultSeconds, "for how long each setting is asked all queries again and again each time, at least")
	f.IntVar(&o.Queries, "count", 0, "how many queries to ask (default: all given ones, or 1,000 held-out documents)")
	f.Float64SliceVar(&o.Filters, "filter", nil, "shares of the vectors that filtered searches may find, for instance 0.1,0.01")
	f.StringSliceVar(&o.FilterKinds, "filter-kind", nil, "what filters allow: "+strings.Join(bench.FilterKinds(), ", ")+" (default random,clustered)")
	f.BoolVar(&o.Mixed, "mixed", false, "measure searches while the last tenth of the vectors is inserted, too")
	f.BoolVar(&o.Deletes, "deletes", false, "measure cycles of deleting and inserting half of the vectors, too")
	f.Uint64Var(&o.Seed, "seed", 1, "picks held-out documents, filters and deletes")
	f.StringVar(&o.html, "html", "", "write a report with plots to this file")
	cmd.AddCommand(a.benchEngineCommand())
	return cmd
}

// bench measures and shows what came out; of a run that fails, what it had
// measured until then.
func (a *app) bench(ctx context.Context, o benchFlags) error {
	if err := errors.Join(o.check(), canWrite(o.html)); err != nil {
		return err
	}
	progress := &benchProgress{app: a}
	defer progress.stop()
	o.Progress, o.Advance = progress.note, progress.advance
	lines := a.jsonl || a.json && o.given.Base != ""
	if lines {
		o.Measured = func(p bench.Point) error { return json.NewEncoder(a.out).Encode(p) }
	}
	r, err := a.measure(ctx, o)
	progress.stop()
	if r == nil || len(r.Points) == 0 {
		return err
	}
	switch {
	case lines:
	case a.json:
		err = errors.Join(err, a.printJSON(r))
	default:
		a.showReport(r)
	}
	return errors.Join(err, a.writeHTML(o.html, r))
}

// writeHTML writes a report to a file and tells so; "" is none.
func (a *app) writeHTML(path string, r interface{ WriteHTML(io.Writer) error }) error {
	if path == "" {
		return nil
	}
	f, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	if err := errors.Join(r.WriteHTML(f), f.Close()); err != nil {
		return fmt.Errorf("write the report to %s: %w", path, err)
	}
	a.note("report written to %s", path)
	return nil
}

// canWrite returns an error where a report could not be written, before time
// is spent on measuring. What a file holds stays in it until then.
func canWrite(path string) error {
	if path == "" {
		return nil
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o666)
	if err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return f.Close()
}

// check refuses flags that do not go together and fills in what they mean.
func (o *benchFlags) check() error {
	if slices.Contains(o.Indexes, "all") {
		o.Indexes = nil
	}
	o.given.Metric, o.given.Queries = index.Metric(o.metric), o.queries
	switch {
	case len(o.FilterKinds) > 0 && len(o.Filters) == 0:
		return usage("say with --filter how much of the vectors filters allow, for instance --filter 0.1,0.01")
	case o.given.Base != "" && o.queries == "":
		return usage("vectors to search for are missing: name their file with --queries")
	case o.given.Base != "":
		return nil
	case o.given.Truth != "" || o.metric != "" || o.given.Limit != 0 || o.given.Dim != 0:
		return usage("--truth, --metric, --limit and --dim are for given vectors: name their file with --base")
	}
	return nil
}

// measure measures what the flags name.
func (a *app) measure(ctx context.Context, o benchFlags) (r *bench.Report, err error) {
	if o.given.Base != "" {
		return bench.RunGiven(ctx, o.given, o.Config)
	}
	if a.serverURL() != "" {
		return nil, usage("bench measures a database directory; stop the server and name it with --db")
	}
	if o.Texts, err = queryLines(o.queries); err != nil {
		return nil, err
	}
	db, err := a.openDir(reads)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	col, err := db.Collection(a.collection)
	if err != nil {
		return nil, err
	}
	return bench.Run(ctx, col, o.Config)
}

// benchProgress shows how a measurement goes: notes, and a meter for longer
// pieces of work. It is used by one goroutine at a time.
type benchProgress struct {
	app  *app
	name string // of the meter's work
	m    *meter // nil when that has ended
}

// note tells what begins. The meter of what came before is gone by then, so
// that nothing is drawn while queries are timed.
func (p *benchProgress) note(doing string) {
	p.stop()
	p.name = ""
	p.app.note("%s", doing)
}

func (p *benchProgress) advance(name string, done, total int) {
	if name != p.name {
		p.stop()
		p.name = name
		p.m = p.app.newMeter(name, int64(total), func(m *meter) string {
			return fmt.Sprintf("%s of %s  %.0f/s", count(m.units), count(int(m.total)), m.rate())
		})
	}
	if p.m == nil {
		return
	}
	p.m.set(int64(done), done)
	if done == total {
		p.stop()
	}
}

func (p *benchProgress) stop() {
	if p.m != nil {
		p.m.stop()
		p.m = nil
	}
}

// queryLines returns the lines of a file that are not blank.
func queryLines(path string) ([]string, error) {
	if path == "" {
		return nil, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read queries: %w", err)
	}
	defer f.Close()
	var lines []string
	in := bufio.NewScanner(f)
	for in.Scan() {
		if line := strings.TrimSpace(in.Text()); line != "" {
			lines = append(lines, line)
		}
	}
	if err := in.Err(); err != nil {
		return nil, fmt.Errorf("read queries from %s: %w", path, err)
	}
	if len(lines) == 0 {
		return nil, usage("%s holds no queries", path)
	}
	return lines, nil
}
