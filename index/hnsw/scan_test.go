package hnsw

import (
	"fmt"
	"slices"
	"testing"

	"github.com/vecdb/vecdb/index"
	"github.com/vecdb/vecdb/index/indextest"
	"github.com/vecdb/vecdb/internal/core"
)

// scanned is a graph of n vectors, a third of which lie closely around others, queries,
// and three in four of its ordinals.
func scanned(t *testing.T, cfg index.Config, compact bool, n, queries int) (g *graph, asked [][]float32, allow *core.Set) {
	t.Helper()
	rng := newRand(t)
	vectors := indextest.Vectors(rng, n+queries, cfg.Dim)
	for i := range n / 3 {
		near := vectors[n-1-i%7]
		for j := range vectors[i] {
			vectors[i][j] = near[j] * (1 + 0.02*vectors[i][j])
		}
	}
	x, err := New(cfg, Options{ScanBelow: -1, EfConstruction: 16, Compact: compact})
	if err != nil {
		t.Fatal(err)
	}
	if err := x.Insert(t.Context(), numbered(0, vectors[:n])); err != nil {
		t.Fatal(err)
	}
	allow = core.NewSet()
	for i := range n {
		if rng.IntN(4) > 0 {
			allow.Add(core.Ord(i))
		}
	}
	return x.state.Load().graph, vectors[n:], allow
}

// A scan that passes over what its codes tell to be too far finds what comparing
// all that is stored finds, but for what lies in the outermost rounding.
func TestScansMissNothingByTheirCodes(t *testing.T) {
	const n, queries = 1500, 30
	for _, dim := range []int{2, 20, 64, 65, 300} {
		for _, metric := range []index.Metric{index.Cosine, index.Dot, index.L2} {
			for _, compact := range []bool{false, true} {
				t.Run(fmt.Sprintf("%d %s %v", dim, metric, compact), func(t *testing.T) {
					g, asked, allow := scanned(t, index.Config{Dim: dim, Metric: metric}, compact, n, queries)
					hits, all := 0, 0
					for _, q := range asked {
						for _, k := range []int{1, 10, 200} {
							s := g.get()
							g.space.prepare(s.q, q, false)
							s.top.reset(n)
							if err := g.scan(t.Context(), s, allow); err != nil {
								t.Fatal(err)
							}
							want := g.refine(s, k, n, 0, allow)
							if err := g.scanFor(t.Context(), s, k, allow); err != nil {
								t.Fatal(err)
							}
							got := g.refine(s, k, len(s.top.keys), 0, allow)
							g.put(s)
							if len(got) != len(want) {
								t.Fatalf("%d of %d are found", len(got), len(want))
							}
							for _, w := range want {
								all++
								if slices.Contains(got, w) {
									hits++
								}
							}
						}
					}
					if share := float64(hits) / float64(all); share < 0.998 {
						t.Errorf("of what comparing everything finds there is a share of %.4f", share)
					}
				})
			}
		}
	}
}

// Where no more are allowed than asked for, all come, in the order of comparing
// all that is stored.
func TestAllAllowedComeWhereAllAreAskedFor(t *testing.T) {
	const n, dim = 900, 40
	for _, compact := range []bool{false, true} {
		rng := newRand(t)
		vectors := indextest.Vectors(rng, n+1, dim)
		x, err := New(index.Config{Dim: dim}, Options{ScanBelow: -1, EfConstruction: 16, Compact: compact})
		if err != nil {
			t.Fatal(err)
		}
		if err := x.Insert(t.Context(), numbered(0, vectors[:n])); err != nil {
			t.Fatal(err)
		}
		g := x.state.Load().graph
		for range 50 {
			allow := core.NewSet()
			for range 1 + rng.IntN(200) {
				allow.Add(core.Ord(rng.IntN(n + 20))) // some are not there
			}
			s := g.get()
			g.space.prepare(s.q, vectors[n], false)
			s.top.reset(n)
			if err := g.scan(t.Context(), s, allow); err != nil {
				t.Fatal(err)
			}
			want := g.refine(s, n, n, 0, allow)
			g.put(s)
			got, err := x.Search(t.Context(), vectors[n], index.Options{K: allow.Len() + rng.IntN(3), Allow: allow})
			if err != nil || !slices.Equal(got, want) {
				t.Fatalf("%v\ngot  %v\nwant %v", err, got, want)
			}
		}
	}
}
