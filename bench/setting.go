package bench

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/vecdb/vecdb/index"
	"github.com/vecdb/vecdb/index/tune"
	"github.com/vecdb/vecdb/internal/core"
)

// setting is how broad a search is: a breadth, or the recall that one is to be
// chosen for, or neither where every search is exact.
type setting struct {
	ef     int
	recall float64
}

// name is how a setting is reported.
func (s setting) name() string {
	switch {
	case s.recall > 0:
		return "recall=" + strconv.FormatFloat(s.recall, 'g', -1, 64)
	case s.ef > 0:
		return "ef=" + strconv.Itoa(s.ef)
	}
	return "exact"
}

// settings returns what to measure: the wanted breadths and recalls where there
// are some and the back end can do with them, else breadths of its own that can
// hold k neighbours.
func (b backend) settings(cfg Config, x index.Index) (out []setting) {
	if len(b.efs) == 1 && b.efs[0] == 0 {
		return []setting{{}}
	}
	for _, ef := range cfg.Efs {
		out = append(out, setting{ef: ef})
	}
	if _, tunes := x.(tuned); tunes {
		for _, recall := range cfg.Recalls {
			out = append(out, setting{recall: recall})
		}
	}
	if len(out) > 0 {
		return out
	}
	for _, ef := range b.efs {
		if ef >= cfg.K {
			out = append(out, setting{ef: ef})
		}
	}
	if len(out) == 0 {
		out = []setting{{ef: cfg.K}}
	}
	return out
}

// middle is the setting of measurements that are made with one only.
func middle(list []setting) setting { return list[len(list)/2] }

// tuned is an index that chooses the breadth for a recall.
type tuned interface {
	tune.Graph
	SetPlan(*tune.Plan)
}

// tune lets an index measure itself, as that of a collection does, where
// recalls are wanted.
func (r *run) tune(ctx context.Context, x *built) error {
	graph, tunes := x.Index.(tuned)
	if !tunes || len(r.cfg.Recalls) == 0 {
		return nil
	}
	begin := time.Now()
	plan, err := tune.Measure(ctx, graph, tune.Options{Metric: r.data.cfg.Metric, Seed: r.cfg.Seed, Vectors: r.data.lookUp})
	if err != nil || plan == nil {
		return err
	}
	graph.SetPlan(plan)
	r.cfg.Progress(fmt.Sprintf("%s: breadths for recalls measured in %s", x.name, since(begin)))
	return nil
}

// lookUp returns the vectors under ordinals.
func (d *dataset) lookUp(ords []core.Ord) ([][]float32, error) {
	out := make([][]float32, len(ords))
	for i, ord := range ords {
		out[i] = d.base.Row(int(ord))
	}
	return out, nil
}
