package hnsw

import (
	"context"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/vecdb/vecdb/index"
	"github.com/vecdb/vecdb/index/indextest"
	"github.com/vecdb/vecdb/internal/core"
)

// TestAnOrdinalThatFitsAndDoesNot has two goroutines replace the same ordinals,
// one by vectors that fit into the graph and one by vectors that do not.
func TestAnOrdinalThatFitsAndDoesNot(t *testing.T) {
	rng := newRand(t)
	const n, dim = 120, 16
	p := newPair(t, index.Config{Dim: dim, Metric: index.Dot}, Options{ScanBelow: -1, EfConstruction: 16})
	fit := indextest.Vectors(rng, n, dim)
	p.insert(t, itemsOf(0, fit)...)
	far := make([][]float32, n)
	for i, v := range fit {
		far[i] = slices.Clone(v)
		for j := range far[i] {
			far[i][j] *= 1e4
		}
	}
	for range 30 {
		var wg sync.WaitGroup
		for _, list := range [][][]float32{fit, far} {
			wg.Go(func() {
				for i, v := range list {
					if err := p.x.Insert(t.Context(), []index.Item{{Ord: core.Ord(i), Vector: v}}); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		st := p.x.state.Load()
		apart := core.NewSet()
		st.flat.Each(func(ord core.Ord, _ []float32) { apart.Add(ord) })
		for i := range core.Ord(n) {
			if in := st.graph.slots.get(i) != nobody; in == apart.Contains(i) {
				t.Fatalf("ordinal %d is in the graph: %v, beside it: %v", i, in, apart.Contains(i))
			}
		}
	}
	p.clean(t)
}

// TestVectorsBesideTheGraphCauseNoRebuild opens a snapshot with many vectors
// that fit into no graph, and changes the index.
func TestVectorsBesideTheGraphCauseNoRebuild(t *testing.T) {
	rng := newRand(t)
	cfg, o := index.Config{Dim: 16, Metric: index.L2}, Options{ScanBelow: 1500, EfConstruction: 16}
	p := newPair(t, cfg, o)
	all := indextest.Vectors(rng, 1500, 16)
	for i := range widenFrom + 100 {
		all[i][0] = 1e13 * float32(i+1)
	}
	p.insert(t, itemsOf(0, all)...)
	path := filepath.Join(t.TempDir(), "x")
	if err := p.x.WriteSnapshot(t.Context(), path, Mark{}); err != nil {
		t.Fatal(err)
	}
	x, _, err := OpenSnapshot(path, cfg, o)
	if err != nil {
		t.Fatal(err)
	}
	before := x.state.Load()
	if err := x.Insert(t.Context(), itemsOf(5000, all[1000:1001])); err != nil {
		t.Fatal(err)
	}
	if x.state.Load() != before {
		t.Error("an insertion after a start makes the whole graph anew")
	}
}

// TestEverythingTogether inserts, replaces, deletes, searches, writes snapshots
// and opens them at the same time, with near duplicates, equal vectors, and
// lengths that the graph must be made anew for. The race detector looks on.
func TestEverythingTogether(t *testing.T) {
	for name, k := range map[string]sample{
		"cosine":  {cfg: index.Config{Dim: 24}},
		"dot":     {cfg: index.Config{Dim: 24, Metric: index.Dot}},
		"L2":      {cfg: index.Config{Dim: 24, Metric: index.L2}},
		"on disk": {cfg: index.Config{Dim: 72, Metric: index.L2}, o: Options{Disk: true}},
	} {
		t.Run(name, func(t *testing.T) {
			rng := newRand(t)
			const n, rounds = 600, 6
			cfg, o, dim := k.cfg, k.o, k.cfg.Dim
			o.ScanBelow, o.EfConstruction = 100, 24
			p := newPair(t, cfg, o)
			all := indextest.Vectors(rng, 2*n, dim)
			copy(all[n/2:], clumps(rng, all[:1], n/2, 1e-4))
			all[1], all[2] = all[3], all[3]
			for i := n; i < 2*n; i += 3 {
				for j := range all[i] {
					all[i][j] *= float32(1 + i/10)
				}
			}
			p.insert(t, itemsOf(0, all[:n])...)
			path := filepath.Join(t.TempDir(), "x")
			var done atomic.Bool
			var beside, writers sync.WaitGroup
			beside.Go(func() { // searches
				for i := 0; !done.Load(); i++ {
					got, err := p.x.Search(t.Context(), all[i%len(all)], index.Options{K: 1 + i%30})
					if err != nil || !slices.IsSortedFunc(got, index.Compare) {
						t.Errorf("%v, %v", got, err)
					}
				}
			})
			beside.Go(func() { // snapshots
				for !done.Load() {
					if err := p.x.WriteSnapshot(t.Context(), path, Mark{}); err != nil {
						t.Error(err)
						return
					}
					y, _, err := OpenSnapshot(path, cfg, o)
					if err != nil {
						t.Error(err)
						return
					}
					err = y.Check(context.Background(), func(problem string) { t.Errorf("in a snapshot: %s", problem) })
					if err == nil {
						err = y.Insert(t.Context(), itemsOf(0, all[:20]))
					}
					if err != nil {
						t.Error(err)
					}
				}
			})
			for w := range 3 { // all change the same ordinals
				writers.Go(func() {
					for r := range rounds {
						for i := w; i < n; i += 5 {
							ord := core.Ord((i*7 + r) % n)
							if (i+r)%4 == 0 {
								p.x.Delete(ord, ord+1)
								continue
							}
							items := itemsOf(ord, all[(i*(r+1)+w)%(2*n-3):][:3])
							if err := p.x.Insert(t.Context(), items); err != nil {
								t.Error(err)
							}
						}
					}
				})
			}
			writers.Wait()
			done.Store(true)
			beside.Wait()
			last := core.Ord(n + 2)
			for i := range last { // a known end
				p.x.Delete(i)
				p.truth.Delete(i)
			}
			p.insert(t, itemsOf(0, all[:n])...)
			p.clean(t)
			atLeast(t, "in the end", p.recall(t, all[:n/2], index.Options{K: 10}), 0.9)
		})
	}
}
