package hnsw

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"
	"unsafe"

	"github.com/vecdb/vecdb/index"
	"github.com/vecdb/vecdb/index/indextest"
	"github.com/vecdb/vecdb/internal/core"
)

// taken is how many vertices a walk for the k nearest of q expands.
func taken(t *testing.T, x *Index, q []float32, k, ef int) (steps int) {
	t.Helper()
	g := x.state.Load().graph
	s := g.get()
	defer g.put(s)
	g.space.prepare(s.q, q, false)
	g.sketching.Lock() // else few vectors need no walk
	defer g.sketching.Unlock()
	g.sketches.Store(nil)
	if _, err := g.search(context.Background(), s, k, ef, nil); err != nil {
		t.Fatal(err)
	}
	return s.reach.steps
}

func indexOf(t *testing.T, vectors [][]float32) *Index {
	t.Helper()
	x, err := New(index.Config{Dim: len(vectors[0]), Metric: index.L2}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	var items []index.Item
	for i, v := range vectors {
		items = append(items, index.Item{Ord: core.Ord(i), Vector: v})
	}
	if err := x.Insert(context.Background(), items); err != nil {
		t.Fatal(err)
	}
	return x
}

// Clusters of 30 lie so far from each other that nothing outside of a query's own
// is in reach once its ten nearest are found.
func TestAWalkEndsWhereTheRestIsOutOfReach(t *testing.T) {
	const ef = 200
	const most = int(reachLeast*ef) + 1
	rng := rand.New(rand.NewPCG(3, 4))
	centers := indextest.Vectors(rng, 100, 96)
	var vectors [][]float32
	for i := range 3000 {
		v := indextest.Vectors(rng, 1, 96)[0]
		for j := range v {
			v[j] = centers[i%100][j] + 0.05*v[j]
		}
		vectors = append(vectors, v)
	}
	x := indexOf(t, vectors)
	for i := range 100 {
		if n := taken(t, x, vectors[i], 10, ef); n > most {
			t.Fatalf("query %d took %d steps, want up to %d", i, n, most)
		}
	}
}

// Of vectors at random in many dimensions all are about as far away.
func TestAWalkGoesOnWhereMuchIsWithinReach(t *testing.T) {
	const ef = 100
	rng := rand.New(rand.NewPCG(5, 6))
	vectors := indextest.Vectors(rng, 4000, 256)
	x := indexOf(t, vectors)
	for _, q := range indextest.Vectors(rng, 20, 256) {
		if n := taken(t, x, q, 10, ef); n < reachBeam(10, ef) {
			t.Fatalf("a walk took %d steps, want %d", n, reachBeam(10, ef))
		}
	}
}

func TestReach(t *testing.T) {
	sl := &slab{}
	for _, c := range []struct {
		name  string
		k, ef int
		found []key
		want  float32
	}{
		{"too few found", 3, 96, []key{makeKey(1, 1), makeKey(2, 2)}, float32(math.Inf(1))},
		{"as broad as asked for", 2, 2, []key{makeKey(1, 1), makeKey(2, 2)}, 2},
		{"broader", 2, 2 << reachDim, []key{makeKey(1, 1), makeKey(2, 2)}, 8},
		{"with the beam alone", 0, 96, []key{makeKey(1, 1)}, float32(math.Inf(1))},
	} {
		m := aligned[meta](4)
		sl.meta0 = unsafe.Pointer(&m[0])
		r := newReach(c.k, c.k, c.ef)
		if r.fit(c.found, sl); r.limit != c.want {
			t.Errorf("%s: the limit is %g, want %g", c.name, r.limit, c.want)
		}
	}
}

func TestAPoolCutAtALimit(t *testing.T) {
	var p pool
	p.reset(8)
	for i, d := range []float32{1, 3, 2, 4, 3} {
		p.insert(makeKey(d, uint32(i)))
	}
	for range 4 {
		p.pop()
	}
	p.cut(3)
	if len(p.keys) != 4 || p.keys[3].dist() != 3 {
		t.Fatalf("it holds %v", p.keys)
	}
	p.cut(0.5)
	if _, ok := p.pop(); ok || len(p.keys) != 0 {
		t.Fatal("it is not empty")
	}
	p.insert(makeKey(5, 9))
	if c, ok := p.pop(); !ok || c.vertex() != 9 {
		t.Fatal("what comes later is lost")
	}
}
