package bench_test

import (
	"slices"
	"testing"

	"github.com/vecdb/vecdb/bench"
	"github.com/vecdb/vecdb/index"
	"github.com/vecdb/vecdb/internal/core"
)

func TestTheTruthIsThatOfNaiveSearch(t *testing.T) {
	base, queries := gaussian(1, 700, 12), gaussian(2, 40, 12)
	var rows []int32
	var part [][]float32
	for i := int32(3); i < 700; i += 2 {
		rows, part = append(rows, i), append(part, base[i])
	}
	for _, metric := range []string{"cosine", "dot", "l2"} {
		g := bench.Given{Base: file(t, base), Queries: file(t, queries), Metric: index.Metric(metric)}
		found, err := bench.Truth(t.Context(), g, 7, nil)
		if err != nil {
			t.Fatal(err)
		}
		among, err := bench.Truth(t.Context(), g, 7, rows)
		if err != nil {
			t.Fatal(err)
		}
		wantAmong := naive(metric, part, queries, 7)
		for i, want := range naive(metric, base, queries, 7) {
			if !slices.Equal(found[i], want) {
				t.Errorf("%s: query %d has neighbours %v, want %v", metric, i, found[i], want)
			}
			for j := range wantAmong[i] {
				wantAmong[i][j] = rows[wantAmong[i][j]]
			}
			if !slices.Equal(among[i], wantAmong[i]) {
				t.Errorf("%s: query %d has neighbours %v among some, want %v", metric, i, among[i], wantAmong[i])
			}
		}
	}
}

func TestRecallIsJudgedByTrueScores(t *testing.T) {
	base := []float32{0, 1, 2, 3, 3, 4, 50}
	nearest := []core.Ord{0, 1, 2, 3}
	even := core.NewSet(0, 2, 4, 6)
	for name, c := range map[string]struct {
		nearest, answer []core.Ord
		allow           *core.Set
		want            float64 // below 0 is an error
	}{
		"all":                      {nearest, []core.Ord{0, 1, 2, 3}, nil, 1},
		"any order":                {nearest, []core.Ord{3, 2, 1, 0}, nil, 1},
		"as near as the last":      {nearest, []core.Ord{0, 1, 2, 4}, nil, 1},
		"one that is farther":      {nearest, []core.Ord{0, 1, 2, 5}, nil, 0.75},
		"fewer":                    {nearest, []core.Ord{0}, nil, 0.25},
		"none":                     {nearest, nil, nil, 0},
		"more than asked for":      {nearest, []core.Ord{0, 1, 2, 3, 4}, nil, -1},
		"the same twice":           {nearest, []core.Ord{0, 0, 1, 2}, nil, -1},
		"one that is absent":       {nearest, []core.Ord{0, 7}, nil, -1},
		"one that is not allowed":  {[]core.Ord{0, 2, 4}, []core.Ord{0, 1, 2}, even, -1},
		"those that are allowed":   {[]core.Ord{0, 2, 4}, []core.Ord{0, 2, 6}, even, 2.0 / 3},
		"no neighbours to compare": {nil, nil, nil, -1},
	} {
		got, err := bench.RecallOf(base, 0, c.nearest, c.answer, c.allow)
		if c.want < 0 && err == nil || c.want >= 0 && (err != nil || got != c.want) {
			t.Errorf("%s: recall %v, %v, want %v", name, got, err, c.want)
		}
	}
}

func TestFiltersAllowWhatTheirKindSays(t *testing.T) {
	base, queries := gaussian(1, 200, 3), gaussian(2, 4, 3)
	g := bench.Given{Base: file(t, base), Queries: file(t, queries)}
	ranked := naive("cosine", base, queries, 200)
	for _, kind := range bench.FilterKinds() {
		allowed, err := bench.Allowed(t.Context(), g, kind, 20)
		if err != nil {
			t.Fatal(err)
		}
		for i, rows := range allowed {
			if len(rows) != 20 || !slices.IsSorted(rows) || len(slices.Compact(slices.Clone(rows))) != 20 {
				t.Errorf("%s: query %d may find %v", kind, i, rows)
			}
			if kind == bench.FilterNear && !within(rows, ranked[i][:40]) || kind == bench.FilterFar && !within(rows, ranked[i][160:]) {
				t.Errorf("%s: query %d may find %v", kind, i, rows)
			}
		}
		if own := !slices.Equal(allowed[0], allowed[1]); own != (kind == bench.FilterNear || kind == bench.FilterFar) {
			t.Errorf("%s: queries have filters of their own: %v", kind, own)
		}
	}
	all, err := bench.Allowed(t.Context(), g, bench.FilterNear, 200)
	if err != nil || len(all[0]) != 200 {
		t.Errorf("a share of all allows %d, %v", len(all[0]), err)
	}
}

func within(rows []core.Ord, of []int32) bool {
	return !slices.ContainsFunc(rows, func(o core.Ord) bool { return !slices.Contains(of, int32(o)) })
}
