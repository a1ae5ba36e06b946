package main

import (
	"encoding/json"
	"errors"

	"github.com/spf13/cobra"

	"github.com/vecdb/vecdb/bench"
)

func (a *app) benchEngineCommand() *cobra.Command {
	var o bench.EngineConfig
	var html string
	cmd := &cobra.Command{
		Use:   "engine",
		Short: "Measure searches, filters, facets, recommendations and labels on made-up documents",
		Long: `Measure the query engine: searches by meaning, by words and by both, with
filters of every width, in order and in groups, facets, recommendations to users
and classification. Documents and events are made up from the seed and stored in
a directory for temporary files, which is removed in the end, or in that of --keep,
which stays and is used again by the next run. Vectors come from a hash of words,
and the time of embedding is left out.

All kinds of queries take turns, each after each other one equally often, so that
their ratios hold on a busy machine too.`,
		Example: `  vecdb bench engine
  vecdb bench engine --documents 200000 --html engine.html
  vecdb bench engine --json | jq '.points[] | {operation, p50_us, ratio_p50}'`,
		Args: exactly(0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.Documents < 1_000 || o.Events < 1_000 || o.Queries < 1 {
				return usage("--documents and --events must be at least 1,000, --count at least 1")
			}
			if err := canWrite(html); err != nil {
				return err
			}
			progress := &benchProgress{app: a}
			o.Progress, o.Advance = progress.note, progress.advance
			r, err := bench.RunEngine(cmd.Context(), o)
			progress.stop()
			if err != nil {
				return err
			}
			return errors.Join(a.showEngine(r), a.writeHTML(html, r))
		},
	}
	f := cmd.Flags()
	f.IntVar(&o.Documents, "documents", bench.DefaultEngineDocuments, "how many documents to make up")
	f.IntVar(&o.Events, "events", bench.DefaultEngineEvents, "how many events of users to make up")
	f.IntVar(&o.Queries, "count", bench.DefaultEngineQueries, "how many queries of each kind to ask")
	f.Uint64Var(&o.Seed, "seed", 1, "of documents, events and queries")
	f.StringVar(&o.Keep, "keep", "", "keep the database in this directory, and use it again when it is there")
	f.StringVar(&html, "html", "", "write a report with a plot to this file")
	return cmd
}

// showEngine prints what was measured.
func (a *app) showEngine(r *bench.EngineReport) error {
	switch {
	case a.json:
		return a.printJSON(r)
	case a.jsonl:
		for _, p := range r.Points {
			if err := json.NewEncoder(a.out).Encode(p); err != nil {
				return err
			}
		}
		return nil
	}
	a.tell("%s made-up documents of %d numbers, %s events, %s queries of each kind in turn, without embedding", count(r.Documents), r.Dim, count(r.Events), count(r.Queries))
	a.tell("stored and indexed in %.1f s, opened again in %.1f s", r.IngestSeconds, r.OpenSeconds)
	a.tell("%s, %d cores, kernels %s, %s, %s", r.CPU, r.Cores, r.Kernels, r.Go, r.Date)
	rows := make([][]string, len(r.Points))
	for i, p := range r.Points {
		rows[i] = []string{p.Operation, whole(p.P50), whole(p.P95), whole(p.P99), whole(p.Max), "", "", p.Against}
		if p.Against != "" {
			rows[i][5], rows[i][6] = decimals(p.RatioP50, 2), decimals(p.RatioP95, 2)
		}
	}
	a.section("query engine", []string{"operation", "p50 µs", "p95 µs", "p99 µs", "max µs", "p50 ratio", "p95 ratio", "against"}, rows)
	return nil
}
