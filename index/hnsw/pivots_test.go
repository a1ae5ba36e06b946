package hnsw

import (
	"testing"

	"github.com/vecdb/vecdb/index"
	"github.com/vecdb/vecdb/index/indextest"
	"github.com/vecdb/vecdb/internal/core"
)

func TestWalksBeginNearTheQuery(t *testing.T) {
	const n, dim, queries = 6000, 64, 200
	rng := newRand(t)
	vectors := indextest.Vectors(rng, n+queries, dim)
	x, err := New(index.Config{Dim: dim}, Options{ScanBelow: -1, EfConstruction: 32})
	if err != nil {
		t.Fatal(err)
	}
	g := func() *graph { return x.state.Load().graph }
	if err := x.Insert(t.Context(), numbered(0, vectors[:20])); err != nil {
		t.Fatal(err)
	}
	if p := g().drawn(); p != nil {
		t.Errorf("%d pivots of 20 vectors", len(p.slots))
	}
	if err := x.Insert(t.Context(), numbered(20, vectors[20:n])); err != nil {
		t.Fatal(err)
	}
	p := g().drawn()
	if raised := int(g().upper.n.Load()); p == nil || p.n < n*2/3 || len(p.slots) > raised || len(p.slots)*2 < raised {
		t.Fatalf("the pivots of %d vectors, %d of them above the bottom, are %d, drawn of %d", n, raised, len(p.slots), p.n)
	}

	// The first start is among the nearest of all pivots far more often than by
	// chance.
	s := g().get()
	good := 0
	for _, q := range vectors[n:] {
		g().space.prepare(s.q, q, false)
		s.q.estimates()
		p.nearest(s, g().slab)
		nearer := 0
		d := g().slab.distance(s.q, s.starts[0].vertex())
		for _, slot := range p.slots {
			if g().slab.distance(s.q, slot) < d {
				nearer++
			}
		}
		if s.started == starts && nearer < len(p.slots)/10 {
			good++
		}
	}
	g().put(s)
	if good < queries*3/4 {
		t.Errorf("of %d queries %d begin among the nearest tenth of the pivots", queries, good)
	}

	// Pivots that are deleted are none any more once their places are free.
	var ords []core.Ord
	for i := range n {
		if i%3 > 0 {
			ords = append(ords, core.Ord(i))
		}
	}
	x.Delete(ords...)
	for g().mendDue() {
		g().mend()
	}
	if p = g().drawn(); p == nil {
		t.Fatal("no pivots are left")
	}
	for _, slot := range p.slots {
		if !g().live(slot) {
			t.Errorf("slot %d is a pivot and holds nothing", slot)
		}
	}
}

// A graph that was all but emptied is filled again in the places of what was
// deleted: it has no more vertices than before, yet other ones.
func TestPivotsFollowWhatFillsAGraphAgain(t *testing.T) {
	const n, dim = 4000, 64
	vectors := indextest.Vectors(newRand(t), 2*n, dim)
	x, err := New(index.Config{Dim: dim}, Options{ScanBelow: -1, EfConstruction: 16})
	if err != nil {
		t.Fatal(err)
	}
	if err := x.Insert(t.Context(), numbered(0, vectors[:n])); err != nil {
		t.Fatal(err)
	}
	g := x.state.Load().graph
	for i := 20; i < n; i++ {
		x.Delete(core.Ord(i))
	}
	for g.mendDue() {
		g.mend()
	}
	p := g.drawn()
	if p == nil || len(p.slots) > 0 || g.drawn() != p {
		t.Errorf("of 20 vectors that are left there are pivots %+v", p)
	}
	for i := n; i < 2*n-20; i += 100 {
		if err := x.Insert(t.Context(), numbered(i, vectors[i:min(i+100, 2*n-20)])); err != nil {
			t.Fatal(err)
		}
	}
	live := 0
	for i := range uint32(g.upper.n.Load()) {
		if slot, ok := g.upper.holds(i); ok && g.live(slot) {
			live++
		}
	}
	if p = g.drawn(); p == nil || 2*len(p.slots) < live || live < 2*leastPivots {
		t.Errorf("of %d vectors, %d of them above the bottom, %d are pivots", g.vertices(), live, len(p.slots))
	}
}
