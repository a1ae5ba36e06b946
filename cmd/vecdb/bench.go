package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/vecdb/vecdb/bench"
)

// benchFlags say what is measured.
type benchFlags struct {
	index   []string
	queries string
	count   int
	threads int
	seed    uint64
	html    string
}

func (a *app) benchCommand() *cobra.Command {
	var o benchFlags
	cmd := &cobra.Command{
		Use:   "bench",
		Short: "Measure recall and latency on your own documents",
		Long: `Measure recall and latency on the documents of a collection. Some of them are
held out as queries, the others go into each index back end, and the answers are
compared with the exact ones. Whole queries, from text to documents, are timed
stage by stage besides. The collection itself is only read.`,
		Example: `  vecdb bench
  vecdb bench -c news --index flat --threads 2
  vecdb bench --queries questions.txt --html report.html
  vecdb bench --jsonl > points.jsonl`,
		Args: exactly(0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.bench(cmd.Context(), o) },
	}
	f := cmd.Flags()
	f.StringSliceVar(&o.index, "index", []string{"all"}, "back ends to measure: "+strings.Join(bench.Backends(), ", ")+" or all")
	f.StringVar(&o.queries, "queries", "", "file of queries, one a line, in place of held-out documents")
	f.IntVar(&o.count, "count", bench.DefaultQueries, "how many documents to hold out as queries")
	f.IntVar(&o.threads, "threads", 1, "how many threads ask at once")
	f.Uint64Var(&o.seed, "seed", 1, "picks the held-out documents")
	f.StringVar(&o.html, "html", "", "write a report with plots to this file")
	return cmd
}

func (a *app) bench(ctx context.Context, o benchFlags) (err error) {
	if a.serverURL() != "" {
		return usage("bench measures a database directory; stop the server and name it with --db")
	}
	cfg := bench.Config{Queries: o.count, Threads: o.threads, Seed: o.seed, Progress: func(doing string) { a.note("%s …", doing) }}
	if !slices.Contains(o.index, "all") {
		cfg.Indexes = o.index
	}
	if cfg.Texts, err = queryLines(o.queries); err != nil {
		return err
	}
	db, err := a.openDir(reads)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	col, err := db.Collection(a.collection)
	if err != nil {
		return err
	}
	r, err := bench.Run(ctx, col, cfg)
	if err != nil {
		return err
	}
	if o.html != "" {
		if err := writeReport(o.html, r); err != nil {
			return err
		}
		a.note("report written to %s", o.html)
	}
	if a.forScripts() {
		return printAll(a, r, r.Points)
	}
	a.showReport(r)
	return nil
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

func writeReport(path string, r *bench.Report) error {
	f, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	if err := errors.Join(r.WriteHTML(f), f.Close()); err != nil {
		return fmt.Errorf("write the report to %s: %w", path, err)
	}
	return nil
}

// showReport prints the report for people.
func (a *app) showReport(r *bench.Report) {
	a.tell("%s vectors of %d numbers (%s), %s queries, kernels %s, %s", count(r.Vectors), r.Dim, r.Metric, count(r.Queries), r.Kernels, r.Machine)
	var rows [][]string
	for _, p := range r.Points {
		rows = append(rows, []string{p.Index + pick(p.Index == r.Serving, " (serving)", ""), p.Setting, fmt.Sprintf("%.4f", p.Recall), fmt.Sprintf("%.0f", p.QPS),
			fmt.Sprintf("%.0f", p.P50), fmt.Sprintf("%.0f", p.P95), fmt.Sprintf("%.0f", p.P99), fmt.Sprintf("%.2f", p.BuildSeconds),
			fmt.Sprintf("%.0f", p.BytesPerVector), bytesText(p.PeakRSSBytes)})
	}
	a.renderTable([]string{"index", "setting", "recall@10", "queries/s", "p50 µs", "p95 µs", "p99 µs", "build s", "bytes/vector", "peak memory"}, rows)
	if len(r.Stages) == 0 {
		return
	}
	a.tell("\nwhole queries, from text to documents:")
	rows = nil
	for _, s := range r.Stages {
		rows = append(rows, []string{s.Name, fmt.Sprintf("%.0f", s.P50), fmt.Sprintf("%.0f", s.P95), fmt.Sprintf("%.0f", s.P99)})
	}
	a.renderTable([]string{"stage", "p50 µs", "p95 µs", "p99 µs"}, rows)
	best := slices.MaxFunc(r.Points, func(x, y bench.Point) int { return cmp.Or(cmp.Compare(x.Recall, y.Recall), cmp.Compare(x.QPS, y.QPS)) })
	a.tell("\nbest recall: %s (%s) with %.4f", best.Index, best.Setting, best.Recall)
}
