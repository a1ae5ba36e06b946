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
