package bench

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/vecdb/vecdb"
	"github.com/vecdb/vecdb/index"
	"github.com/vecdb/vecdb/internal/core"
)

// backend is an index that can be measured, with the settings to try: breadths
// of the search, a single 0 for indexes that have none. An index with a Close
// method is closed after it was measured.
type backend struct {
	name string
	make func(index.Config) (index.Index, error)
	efs  []int
}

// backends are all that collections can use. Every one but the exact one has a
// breadth of search.
func backends() []backend {
	var out []backend
	for _, name := range vecdb.IndexKinds() {
		b := backend{name, func(c index.Config) (index.Index, error) { return vecdb.NewIndex(name, c) }, graphEfs()}
		if name == vecdb.IndexFlat {
			b.efs = []int{0}
		}
		out = append(out, b)
	}
	return out
}

// graphEfs are the breadths of search that graphs are measured with.
func graphEfs() []int {
	return []int{10, 12, 14, 16, 20, 24, 28, 32, 40, 48, 64, 80, 96, 128, 160, 192, 256, 384, 512}
}

// Backends names the index back ends that can be measured.
func Backends() []string {
	var out []string
	for _, b := range backends() {
		out = append(out, b.name)
	}
	return out
}

func backendOf(name string) (backend, error) {
	for _, b := range backends() {
		if b.name == name {
			return b, nil
		}
	}
	return backend{}, core.Invalid("", "use "+strings.Join(Backends(), ", ")+" or all", "unknown index %q", name)
}

// run is one measurement on its way.
type run struct {
	cfg     Config
	data    *dataset
	truth   *truth
	filters []filter
	report  *Report
}

func newRun(cfg Config, d *dataset) *run { return &run{cfg: cfg, data: d, report: newReport(d)} }

// measureAll measures the back ends one after the other, so that only one is
// in memory.
func (r *run) measureAll(ctx context.Context) error {
	if err := r.makeFilters(ctx); err != nil {
		return err
	}
	defer func() { r.report.Summary = Summarize(r.report.Points) }()
	for _, name := range r.cfg.Indexes {
		b, err := backendOf(name)
		if err != nil {
			return err
		}
		if err := r.measure(ctx, b); err != nil {
			return fmt.Errorf("measure %s: %w", name, err)
		}
	}
	return nil
}

// measure builds a back end and measures all that is wanted of it.
func (r *run) measure(ctx context.Context, b backend) error {
	if err := r.onWhole(ctx, b); err != nil || !r.cfg.Mixed {
		return err
	}
	return r.mixed(ctx, b)
}

// onWhole measures searches on the whole index and, as they change it, deletes
// at the end.
func (r *run) onWhole(ctx context.Context, b backend) (err error) {
	x, err := r.build(ctx, b, r.data.base.Len())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, x.close()) }()
	if err := r.tune(ctx, x); err != nil {
		return err
	}
	if len(r.cfg.CPUs) > 0 {
		restore, err := bind(r.cfg.CPUs)
		if err != nil {
			return err
		}
		defer restore()
	}
	list := b.settings(r.cfg, x.Index)
	if err := r.searches(ctx, x, list); err != nil {
		return err
	}
	for _, f := range r.filters {
		if err := r.filtered(ctx, x, list, f); err != nil {
			return err
		}
	}
	if r.cfg.Deletes {
		return r.deletes(ctx, x, middle(list))
	}
	return nil
}

// searches measures each setting with each number of threads.
func (r *run) searches(ctx context.Context, x *built, list []setting) error {
	var trials []*trial
	for _, threads := range r.cfg.Threads {
		for _, s := range list {
			trials = append(trials, r.newTrial(r.truth, s, threads))
		}
	}
	if err := r.sweep(ctx, x, ModeSearch, trials); err != nil {
		return err
	}
	return r.tell(x, trials, func(p *Point) { p.Mode = ModeSearch })
}

// filtered does the same under a filter.
func (r *run) filtered(ctx context.Context, x *built, list []setting, f filter) error {
	var trials []*trial
	for _, threads := range r.cfg.Threads {
		for _, s := range list {
			trials = append(trials, r.newTrial(f.truth, s, threads))
		}
	}
	if err := r.sweep(ctx, x, f.String(), trials); err != nil {
		return err
	}
	return r.tell(x, trials, func(p *Point) { p.Mode, p.Selectivity, p.Filter = ModeFiltered, f.share, f.kind })
}

// tell adds the trials' points to the report, after set has completed each.
func (r *run) tell(x *built, trials []*trial, set func(*Point)) error {
	for _, t := range trials {
		recall, err := r.data.recall(t.truth, t.found, x.rowOf)
		if err != nil {
			return fmt.Errorf("%s: %w", t.name(), err)
		}
		p := x.point(r, t, recall)
		set(&p)
		r.report.Points = append(r.report.Points, p)
		if err := r.cfg.Measured(p); err != nil {
			return err
		}
	}
	return nil
}
