package bench

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"

	"github.com/vecdb/vecdb/internal/core"
)

// The kinds of filters.
const (
	FilterRandom    = "random"    // vectors chosen at random
	FilterClustered = "clustered" // the nearest to one of the vectors
	FilterNear      = "near"      // for each query, half of those twice as many nearest to it
	FilterFar       = "far"       // for each query, half of those twice as many farthest from it
)

// FilterKinds names the kinds of filters.
func FilterKinds() []string {
	return []string{FilterRandom, FilterClustered, FilterNear, FilterFar}
}

// maxOwnFilters is how many queries are asked of kinds that have a set for
// each query, which take time and memory.
const maxOwnFilters = 100

// filter restricts queries to a share of the vectors.
type filter struct {
	kind  string
	share float64
	truth *truth
}

// String tells the filter to people.
func (f filter) String() string {
	return "filter " + f.kind + " " + strconv.FormatFloat(f.share, 'g', -1, 64)
}

// makeFilters makes the wanted filters and finds the exact neighbours under
// each.
func (r *run) makeFilters(ctx context.Context) error {
	for _, kind := range r.cfg.FilterKinds {
		for _, share := range r.cfg.Filters {
			f := filter{kind: kind, share: share}
			var err error
			if f.truth, err = r.filteredTruth(ctx, f); err != nil {
				return err
			}
			r.filters = append(r.filters, f)
		}
	}
	return nil
}

// filteredTruth chooses what a filter allows.
func (r *run) filteredTruth(ctx context.Context, f filter) (*truth, error) {
	r.cfg.Progress(fmt.Sprintf("%s: find the exact neighbours", f))
	queries := r.data.queries
	if f.kind == FilterNear || f.kind == FilterFar {
		queries = queries[:min(maxOwnFilters, len(queries))]
	}
	n := max(1, int(math.Round(f.share*float64(r.data.base.Len()))))
	allowed := r.allowed(f.kind, n, queries)
	nearest, err := r.nearest(ctx, f.String(), queries, func(i int) []core.Ord { return allowed[i] })
	if err != nil {
		return nil, err
	}
	return &truth{queries: queries, nearest: nearest, allow: sets(allowed)}, nil
}

// allowed returns the n rows that each query may find, one slice for all
// queries where it does not depend on them.
func (r *run) allowed(kind string, n int, queries [][]float32) [][]core.Ord {
	total := r.data.base.Len()
	scales := r.data.scales()
	out := make([][]core.Ord, len(queries))
	switch kind {
	case FilterNear, FilterFar:
		rng := rand.New(rand.NewPCG(r.cfg.Seed, 1))
		twice := min(2*n, total)
		for i, q := range queries {
			some := r.data.ranked(q, scales)
			if kind == FilterFar {
				slices.Reverse(some)
			}
			some = some[:twice]
			rng.Shuffle(len(some), func(i, j int) { some[i], some[j] = some[j], some[i] })
			out[i] = slices.Sorted(slices.Values(some[:n]))
		}
		return out
	}
	var rows []core.Ord
	if kind == FilterClustered {
		center := pick(r.cfg.Seed, 1, total)[0]
		rows = r.data.ranked(r.data.base.Row(center), scales)[:n]
	} else {
		for _, row := range pick(r.cfg.Seed, n, total) {
			rows = append(rows, core.Ord(row))
		}
	}
	slices.Sort(rows)
	for i := range out {
		out[i] = rows
	}
	return out
}

// sets makes sets of rows, one of each slice.
func sets(allowed [][]core.Ord) []*core.Set {
	out := make([]*core.Set, len(allowed))
	for i, rows := range allowed {
		if i > 0 && same(rows, allowed[i-1]) {
			out[i] = out[i-1]
			continue
		}
		out[i] = core.NewSet(rows...)
	}
	return out
}
