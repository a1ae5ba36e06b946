package hnsw

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/vecdb/vecdb/index"
	"github.com/vecdb/vecdb/index/indextest"
	"github.com/vecdb/vecdb/internal/core"
)

func TestWide(t *testing.T) {
	const total = 3000
	for _, c := range []struct {
		k, allowed int
		want       bool
	}{{10, 2700, true}, {10, 2250, true}, {10, 2000, false}, {10, 300, false}, {100, 2250, true}, {100, 2200, false}} {
		if got := wide(c.k, 1+c.k*total/c.allowed); got != c.want {
			t.Errorf("%d of %d for %d neighbors: %v", c.allowed, total, c.k, got)
		}
	}
}

// A walk like one without a filter is not taken for enough where most vectors pass
// but those around the query do not.
func TestWalksUnderWideFilters(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	const n, k, ef = 4000, 10, 32
	vectors := indextest.Vectors(rng, n, 64)
	x := indexOf(t, vectors)
	g := x.state.Load().graph
	s := g.get()
	defer g.put(s)
	g.sketching.Lock() // else few vectors need no walk
	defer g.sketching.Unlock()
	hits := 0
	for i := range 20 {
		q := vectors[i]
		ords := make([]core.Ord, n)
		for i, j := range rng.Perm(n) {
			ords[i] = core.Ord(j)
		}
		away := make([]float32, n)
		for i, v := range vectors {
			for j := range v {
				away[i] += (v[j] - q[j]) * (v[j] - q[j])
			}
		}
		search := func(allow *core.Set) []index.Neighbor {
			g.space.prepare(s.q, q, false)
			found, err := g.search(t.Context(), s, k, ef, allow)
			if err != nil || len(found) != k {
				t.Fatalf("query %d: %d neighbors, %v", i, len(found), err)
			}
			for _, nb := range found {
				if !allow.Contains(nb.Ord) {
					t.Errorf("query %d: %d is not allowed", i, nb.Ord)
				}
			}
			return found
		}
		if search(core.NewSet(ords[n/10:]...)); s.scores {
			t.Errorf("query %d: what was seen is scored though nine in ten are allowed anywhere", i)
		}
		slices.SortFunc(ords, func(a, b core.Ord) int { return cmp.Compare(away[a], away[b]) })
		far := ords[n/10:]
		for _, nb := range search(core.NewSet(far...)) {
			if slices.Contains(far[:k], nb.Ord) {
				hits++
			}
		}
	}
	if hits < 180 {
		t.Errorf("%d of the 200 nearest allowed are found where those around the query are not", hits)
	}
}
