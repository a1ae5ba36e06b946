package hnsw

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/vecdb/vecdb/index"
	"github.com/vecdb/vecdb/index/indextest"
	"github.com/vecdb/vecdb/internal/core"
)

// TestChurnKeepsRecall deletes half of the vectors and inserts them again, ten
// times, and compares with graphs that are made of the same vectors at once: with
// the worst of four, since the order of parallel insertions moves the recall of one
// by half a point up or down. The clusters are smaller than EfConstruction, so that
// an insertion that begins in another one leaves it.
func TestChurnKeepsRecall(t *testing.T) {
	for mode, o := range modes() {
		rng := newRand(t)
		n, rounds, dim := 6000, 10, 48
		if raceEnabled || o.Disk {
			n, rounds = 3000, 4
		}
		if o.Disk {
			dim += exactUpTo
		}
		o.EfConstruction = 128
		p := newPair(t, index.Config{Dim: dim}, o)
		all := indextest.Vectors(rng, n+500, dim)
		queries := all[n:]
		p.insert(t, itemsOf(0, all[:n])...)
		size := p.x.SizeBytes()
		for range rounds {
			var gone []core.Ord
			for _, ord := range p.ords() {
				if rng.IntN(2) == 0 {
					gone = append(gone, ord)
				}
			}
			p.delete(gone...)
			p.recall(t, queries[:10], index.Options{K: 10}) // none is returned
			for _, ord := range gone {
				p.insert(t, index.Item{Ord: ord, Vector: all[ord]})
			}
		}
		p.clean(t)
		fresh := make([]*pair, 4)
		for i := range fresh {
			fresh[i] = newPair(t, index.Config{Dim: dim}, o)
			fresh[i].insert(t, itemsOf(0, all[:n])...)
		}
		for _, ef := range []int{64, 96} {
			want := 1.0
			for _, f := range fresh {
				want = min(want, f.recall(t, queries, index.Options{K: 10, Ef: ef}))
			}
			have := p.recall(t, queries, index.Options{K: 10, Ef: ef})
			t.Logf("%s, breadth %d: %.4f after the changes, %.4f afresh", mode, ef, have, want)
			atLeast(t, "after ten times half", have, want-0.005)
		}
		if grown := float64(p.x.SizeBytes()) / float64(size); grown > 1.1 {
			t.Errorf("%s: %.2f times the memory", mode, grown)
		}
	}
}

func TestFiltersKeepRecall(t *testing.T) {
	aboutRecall(t)
	rng := newRand(t)
	const n, dim = 8000, 64
	p := newPair(t, index.Config{Dim: dim}, Options{EfConstruction: 64})
	all := indextest.Vectors(rng, n+30, dim)
	queries := all[n:]
	p.insert(t, itemsOf(0, all[:n])...)
	g := p.x.state.Load().graph
	g.sketching.Lock() // else few vectors need no walk
	defer g.sketching.Unlock()
	plain := p.recall(t, queries, index.Options{K: 10, Ef: 64})
	center, q := all[rng.IntN(n)], queries[0]
	near := func(to []float32, ascending float32) []core.Ord {
		scores := make(map[core.Ord]float32, n)
		for ord, v := range p.vectors {
			scores[ord] = -ascending * index.Cosine.Score(to, v)
		}
		ords := p.ords()
		slices.SortFunc(ords, func(a, b core.Ord) int { return cmp.Compare(scores[a], scores[b]) })
		return ords
	}
	random := p.ords()
	rng.Shuffle(len(random), func(i, j int) { random[i], random[j] = random[j], random[i] })
	for name, ords := range map[string][]core.Ord{
		"random": random, "clustered": near(center, 1), "near": near(q, 1), "far": near(q, -1),
	} {
		for _, share := range []float64{1, 0.9, 0.5, 0.3, 0.1, 0.03, 0.01, 0.001} {
			allow := core.NewSet(ords[:max(1, int(share*n))]...)
			some, least := queries, min(plain-0.03, 0.9)
			if name == "near" || name == "far" {
				some, least = queries[:1], 0.7
			}
			atLeast(t, fmt.Sprintf("%s %g", name, share), p.recall(t, some, index.Options{K: 10, Ef: 64, Allow: allow}), least)
		}
	}
	// The nearest are not allowed, whichever query it is.
	holes, sums := []int{5, 20, 100, 1000}, make([]float64, 4)
	for _, q := range queries {
		ords := near(q, 1)
		for i, without := range holes {
			sums[i] += p.recall(t, [][]float32{q}, index.Options{K: 10, Ef: 64, Allow: core.NewSet(ords[without:]...)})
		}
	}
	for i, without := range holes {
		atLeast(t, fmt.Sprintf("without the nearest %d", without), sums[i]/float64(len(queries)), min(plain-0.1, 0.8))
	}
}

func TestAllAtOnce(t *testing.T) {
	for _, compact := range []bool{false, true} {
		rng := newRand(t)
		const n, dim, rounds = 1200, 32, 12
		p := newPair(t, index.Config{Dim: dim}, Options{Compact: compact, ScanBelow: 200, EfConstruction: 48})
		all := indextest.Vectors(rng, 3*n, dim)
		p.insert(t, itemsOf(0, all[:n])...)
		var done atomic.Bool
		var readers, writers sync.WaitGroup
		for w := range 3 {
			readers.Go(func() {
				allow := core.NewSet()
				for i := range core.Ord(n / 2) {
					allow.Add(2 * i)
				}
				for i := 0; !done.Load(); i++ {
					o := index.Options{K: 1 + i%40}
					if i%2 == w%2 {
						o.Allow = allow
					}
					got, err := p.x.Search(t.Context(), all[i%len(all)], o)
					if err != nil {
						t.Error(err)
					}
					seen := make(map[core.Ord]bool)
					for _, nb := range got {
						if seen[nb.Ord] || o.Allow != nil && !allow.Contains(nb.Ord) {
							t.Errorf("ordinal %d comes twice or is not allowed", nb.Ord)
						}
						seen[nb.Ord] = true
					}
					p.x.Len()
					p.x.SizeBytes()
				}
			})
		}
		for w := range 2 { // each changes ordinals of its own
			writers.Go(func() {
				for r := range rounds {
					var gone []core.Ord
					for i := w; i < n; i += 2 {
						if (i/2+r)%3 == 0 {
							gone = append(gone, core.Ord(i))
						}
					}
					p.x.Delete(gone...)
					avoid := core.NewSet(gone...)
					for i := range 20 {
						got, err := p.x.Search(t.Context(), all[int(gone[i])], index.Options{K: 20})
						if err != nil {
							t.Error(err)
						}
						for _, nb := range got {
							if avoid.Contains(nb.Ord) {
								t.Errorf("deleted ordinal %d is returned", nb.Ord)
							}
						}
					}
					var items []index.Item
					for _, ord := range gone {
						items = append(items, index.Item{Ord: ord, Vector: all[(int(ord)+r*7)%len(all)]})
					}
					for i := w; i < n; i += 14 { // replaced, some by equal vectors
						items = append(items, index.Item{Ord: core.Ord(i), Vector: all[i%50]})
					}
					if err := p.x.Insert(t.Context(), items); err != nil {
						t.Error(err)
					}
				}
			})
		}
		writers.Wait()
		done.Store(true)
		readers.Wait()
		for i := range n { // a known end
			p.insert(t, index.Item{Ord: core.Ord(i), Vector: all[i]})
		}
		p.clean(t)
		atLeast(t, "after all at once", p.recall(t, all[n:][:100], index.Options{K: 10}), 0.9)
	}
}

// ending is a context that ends after it was asked some times.
type ending struct {
	context.Context
	left atomic.Int64
}

func (c *ending) Err() error {
	if c.left.Add(-1) < 0 {
		return context.Canceled
	}
	return nil
}

func TestCancelledOnTheWay(t *testing.T) {
	rng := newRand(t)
	p := newPair(t, index.Config{Dim: 16}, Options{EfConstruction: 32, Compact: true}) // so that it walks
	all := indextest.Vectors(rng, 6000, 16)
	p.insert(t, itemsOf(0, all)...)
	for name, call := range map[string]func(ctx context.Context) error{
		"scan": func(ctx context.Context) error {
			_, err := p.x.Search(ctx, all[0], index.Options{K: 5000})
			return err
		},
		"walk": func(ctx context.Context) error {
			_, err := p.x.Search(ctx, all[0], index.Options{K: 5, Ef: 5000})
			return err
		},
		"insert": func(ctx context.Context) error { return p.x.Insert(ctx, itemsOf(10_000, all)) },
		"check":  func(ctx context.Context) error { return p.x.Check(ctx, func(string) {}) },
	} {
		ctx := &ending{Context: t.Context()}
		ctx.left.Store(3)
		if err := call(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: error %v when the context ends", name, err)
		}
		if over := -ctx.left.Load(); over > 8+int64(runtime.GOMAXPROCS(0)) { // each worker may look once
			t.Errorf("%s: goes on for %d looks at an ended context", name, over)
		}
	}
}
