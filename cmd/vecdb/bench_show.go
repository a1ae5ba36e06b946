package main

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/vecdb/vecdb/bench"
)

// showReport prints the report for people: a table for each kind of
// measurement.
func (a *app) showReport(r *bench.Report) {
	a.tell("%s: %s vectors of %d numbers (%s), %s queries", r.Title(), count(r.Vectors), r.Dim, r.Metric, count(r.Queries))
	a.tell("%s, %s, kernels %s, %s, %s", r.CPU, r.Machine, r.Kernels, r.Go, r.Date)
	a.showBuilds(r)
	a.showSearches(r)
	a.showSummary(r)
	a.showFiltered(r)
	a.showMixed(r)
	a.showDeletes(r)
	a.showStages(r)
}

// section prints a table under a heading, or nothing without rows.
func (a *app) section(heading string, header []string, rows [][]string) {
	if len(rows) == 0 {
		return
	}
	fmt.Fprintf(a.out, "\n%s\n", a.outStyle().bold(heading))
	a.renderTable(header, rows)
}

func (a *app) showBuilds(r *bench.Report) {
	var rows [][]string
	for i, p := range r.Points {
		if i > 0 && p.Index == r.Points[i-1].Index {
			continue
		}
		rows = append(rows, []string{p.Index + pick(p.Index == r.Serving, " (serving)", ""), decimals(p.BuildSeconds, 2), decimals(p.BuildCPUSeconds, 2), count(p.BuildThreads),
			whole(p.BytesPerVector), bytesText(p.IndexBytes), pick(p.DiskBytes > 0, bytesText(p.DiskBytes), ""), bytesText(p.RSSAddedBytes), bytesText(p.PeakRSSBytes)})
	}
	a.section("build", []string{"index", "seconds", "CPU seconds", "threads", "bytes/vector", "size", "in a file", "memory added", "peak memory"}, rows)
}

func (a *app) showSearches(r *bench.Report) {
	var rows [][]string
	for _, p := range r.Mode(bench.ModeSearch) {
		rows = append(rows, append([]string{p.Index, p.Setting, count(p.Threads), decimals(p.Recall, 4), whole(p.QPS), whole(p.QPSPerCPU)}, times(p)...))
	}
	a.section("search", []string{"index", "setting", "threads", r.RecallName(), "queries/s", "per CPU s", "p50 µs", "p95 µs", "p99 µs", "max µs"}, rows)
}

// showSummary tells the speeds at given recalls, where there are curves to
// read them from.
func (a *app) showSummary(r *bench.Report) {
	if !slices.ContainsFunc(r.Points, func(p bench.Point) bool { return p.Ef > 0 || p.Target > 0 }) {
		return
	}
	header := []string{"index", "threads"}
	for _, recall := range bench.SummaryRecalls() {
		header = append(header, fmt.Sprint(recall))
	}
	var rows [][]string
	for _, s := range r.Summary {
		if s.Mode != bench.ModeSearch {
			continue
		}
		row := []string{s.Index, count(s.Threads)}
		for _, recall := range bench.SummaryRecalls() {
			qps, reached := s.Rate(recall)
			row = append(row, pick(reached, whole(qps), "-"))
		}
		rows = append(rows, row)
	}
	a.section("queries/s at "+r.RecallName(), header, rows)
}

func (a *app) showFiltered(r *bench.Report) {
	var rows [][]string
	for _, p := range r.Mode(bench.ModeFiltered) {
		rows = append(rows, append([]string{p.Index, p.Setting, fmt.Sprintf("%s %g", p.Filter, p.Selectivity), count(p.Threads), decimals(p.Recall, 4), whole(p.QPS)}, times(p)...))
	}
	a.section("filtered search", []string{"index", "setting", "filter", "threads", r.RecallName(), "queries/s", "p50 µs", "p95 µs", "p99 µs", "max µs"}, rows)
}

func (a *app) showMixed(r *bench.Report) {
	var rows [][]string
	for _, p := range r.Mode(bench.ModeMixed) {
		rows = append(rows, []string{p.Index, p.Setting, count(p.Inserted), whole(p.InsertsPerSecond), whole(p.QPS), whole(p.IdleQPS),
			whole(p.P50), whole(p.IdleP50), whole(p.P99), whole(p.IdleP99), decimals(p.Recall, 4)})
	}
	a.section("search during inserts, and idle", []string{"index", "setting", "inserted", "inserts/s", "queries/s", "idle", "p50 µs", "idle", "p99 µs", "idle", r.RecallName()}, rows)
}

func (a *app) showDeletes(r *bench.Report) {
	var rows [][]string
	for _, p := range r.Mode(bench.ModeDeletes) {
		rows = append(rows, []string{p.Index, p.Setting, count(p.Cycle), "half " + p.Phase, count(p.Vectors), decimals(p.Recall, 4), whole(p.QPS), whole(p.P99),
			decimals(p.DeleteSeconds, 2), pick(p.ReinsertSeconds > 0, decimals(p.ReinsertSeconds, 2), ""), whole(p.BytesPerVector), bytesText(p.RSSAddedBytes)})
	}
	a.section("deletes", []string{"index", "setting", "cycle", "after", "vectors", r.RecallName(), "queries/s", "p99 µs", "delete s", "reinsert s", "bytes/vector", "memory added"}, rows)
}

func (a *app) showStages(r *bench.Report) {
	if len(r.Stages) == 0 {
		return
	}
	var rows [][]string
	for _, s := range r.Stages {
		rows = append(rows, []string{s.Name, whole(s.P50), whole(s.P95), whole(s.P99)})
	}
	a.section("whole queries, from text to documents", []string{"stage", "p50 µs", "p95 µs", "p99 µs"}, rows)
	best := slices.MaxFunc(r.Points, func(x, y bench.Point) int { return cmp.Or(cmp.Compare(x.Recall, y.Recall), cmp.Compare(x.QPS, y.QPS)) })
	a.tell("\nbest recall: %s (%s) with %.4f", best.Index, best.Setting, best.Recall)
}

// times are the columns of a point's latencies.
func times(p bench.Point) []string {
	return []string{whole(p.P50), whole(p.P95), whole(p.P99), whole(p.Max)}
}

func whole(x float64) string { return fmt.Sprintf("%.0f", x) }

func decimals(x float64, n int) string { return fmt.Sprintf("%.*f", n, x) }
