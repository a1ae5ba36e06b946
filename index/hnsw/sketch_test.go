package hnsw

import (
	"slices"
	"sync"
	"testing"

	"github.com/vecdb/vecdb/index"
	"github.com/vecdb/vecdb/index/indextest"
	"github.com/vecdb/vecdb/internal/core"
)

// checkSketches compares the sketches with new ones of the vertices as they are.
func checkSketches(t *testing.T, g *graph) {
	t.Helper()
	p := g.sketches.Load()
	if p == nil || !p.whole.Load() {
		t.Fatal("there are no sketches")
	}
	sl := g.slab
	fresh := &sketches{
		middle: p.middle, room: p.room,
		signs: make([]uint8, len(p.signs)), factors: make([]uint16, len(p.factors)),
	}
	buf, seen := make([]uint8, sl.dim/8), 0
	got, want := make([]uint8, sl.dim/8), make([]uint8, sl.dim/8)
	for v := range uint32(g.n.Load()) {
		if !g.live(v) {
			continue
		}
		seen++
		fresh.put(sl, v, buf)
		at := int(v) / degree * 2 * degree
		j := int(v) % degree
		if p.factors[at+j] != fresh.factors[at+j] || p.factors[at+degree+j] != fresh.factors[at+degree+j] {
			t.Fatalf("the factors of vertex %d are not its own", v)
		}
		signsOf(p.signs[int(v)/degree*sl.signsLen():], j, got)
		signsOf(fresh.signs[int(v)/degree*sl.signsLen():], j, want)
		if !slices.Equal(got, want) {
			t.Fatalf("the signs of vertex %d are not its own", v)
		}
	}
	if seen != g.vertices() {
		t.Errorf("%d vertices were compared, there are %d", seen, g.vertices())
	}
}

// signsOf undoes putSigns.
func signsOf(block []uint8, j int, bits []uint8) {
	shift := j / 16 * 4
	for i := range bits {
		at := i*32 + j%16
		bits[i] = block[at]>>shift&15 | block[at+16]>>shift&15<<4
	}
}

func TestSketchesFollowWhatChanges(t *testing.T) {
	const n, dim = 3000, 128
	vectors := indextest.Vectors(newRand(t), 2*n, dim)
	x, err := New(index.Config{Dim: dim}, Options{EfConstruction: 32})
	if err != nil {
		t.Fatal(err)
	}
	ask := func() {
		if _, err := x.Search(t.Context(), vectors[0], index.Options{K: 10, Ef: 512}); err != nil {
			t.Fatal(err)
		}
	}
	insert := func(from, to int) {
		if err := x.Insert(t.Context(), numbered(from, vectors[from:to])); err != nil {
			t.Fatal(err)
		}
	}
	insert(0, n)
	g := x.state.Load().graph
	ask()
	checkSketches(t, g)
	size := g.bytes()
	insert(n, n+500) // there is room
	checkSketches(t, g)
	if g.bytes() <= size {
		t.Error("the sketches are not among what the graph takes")
	}

	for i := 0; i < n; i += 2 {
		x.Delete(core.Ord(i))
	}
	for g.mendDue() {
		g.mend()
	}
	insert(n+500, n+1000) // in the places of those
	checkSketches(t, g)

	insert(n+1000, 2*n)
	for i := 0; i < 3 && g.sketches.Load() == nil; i++ {
		ask()
	}
	checkSketches(t, g)
}

func TestSketchesAreDrawnBesideInsertions(t *testing.T) {
	const n, dim, workers = 4000, 64 + 1, 4
	vectors := indextest.Vectors(newRand(t), n, dim)
	x, err := New(index.Config{Dim: dim}, Options{EfConstruction: 16})
	if err != nil {
		t.Fatal(err)
	}
	if err := x.Insert(t.Context(), numbered(0, vectors[:1000])); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := 1000 + w; i < n; i += workers {
				if err := x.Insert(t.Context(), numbered(i, vectors[i:i+1])); err != nil {
					t.Error(err)
				}
				if i%40 == w {
					if _, err := x.Search(t.Context(), vectors[i], index.Options{K: 3, Ef: 600}); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	wg.Wait()
	g := x.state.Load().graph
	for i := 0; i < 3 && (g.sketches.Load() == nil || !g.sketches.Load().whole.Load()); i++ {
		if _, err := x.Search(t.Context(), vectors[0], index.Options{K: 3, Ef: 600}); err != nil {
			t.Fatal(err)
		}
	}
	checkSketches(t, g)
}

// A search by sketches finds what a scan finds, and does not answer where the
// sketches cannot tell.
func TestSearchBySketches(t *testing.T) {
	const n, dim, queries, k, ef = 4000, 256, 60, 10, 300
	rng := newRand(t)
	vectors := indextest.Vectors(rng, n+queries, dim)
	x, err := New(index.Config{Dim: dim}, Options{EfConstruction: 32})
	if err != nil {
		t.Fatal(err)
	}
	if err := x.Insert(t.Context(), numbered(0, vectors[:n])); err != nil {
		t.Fatal(err)
	}
	g := x.state.Load().graph
	s := g.get()
	defer g.put(s)
	some := core.NewSet()
	for i := range n {
		if rng.IntN(10) > 0 {
			some.Add(core.Ord(i))
		}
	}
	for name, filter := range map[string]func([]index.Neighbor) *core.Set{
		"all":  func([]index.Neighbor) *core.Set { return nil },
		"some": func([]index.Neighbor) *core.Set { return some },
		"far": func(order []index.Neighbor) *core.Set { // the nearest tenth is not allowed
			far := core.NewSet()
			for _, hit := range order[n/10:] {
				far.Add(hit.Ord)
			}
			return far
		},
	} {
		answered, found, wanted := 0, 0, 0
		for _, q := range vectors[n:] {
			g.space.prepare(s.q, q, false)
			s.top.reset(n)
			if err := g.scan(t.Context(), s, nil); err != nil {
				t.Fatal(err)
			}
			order := g.refine(s, n, n, 0, nil)
			allow := filter(order)
			count := 0
			if allow != nil {
				count = allow.Len()
			}
			got := g.bySketches(s, k, ef, ef, count, g.slab.window(k, ef), allow)
			if got == nil {
				continue
			}
			answered++
			if allow != nil {
				order = slices.DeleteFunc(order, func(h index.Neighbor) bool { return !allow.Contains(h.Ord) })
			}
			for _, w := range order[:k] {
				wanted++
				if slices.ContainsFunc(got, func(h index.Neighbor) bool { return h.Ord == w.Ord }) {
					found++
				}
			}
		}
		if name != "far" && answered < queries*9/10 {
			t.Errorf("%s: only %d of %d queries are answered", name, answered, queries)
		}
		if float64(found) < 0.97*float64(wanted) {
			t.Errorf("%s: %d of %d are found, in %d answers", name, found, wanted, answered)
		}
	}
}

// New vertices find by sketches what is nearest, once there were some that had to
// walk.
func TestNeighborsAreFoundBySketches(t *testing.T) {
	const n, more, dim, k = 3000, 60, 256, 10
	vectors := indextest.Vectors(newRand(t), n+more, dim)
	x, err := New(index.Config{Dim: dim}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := x.Insert(t.Context(), numbered(0, vectors[:sampleMost])); err != nil {
		t.Fatal(err)
	}
	g := x.state.Load().graph
	g.sketches.Store(nil)
	g.wanting.Store(0)
	for i := range sampleMost/sketchWait - 1 {
		if err := x.Insert(t.Context(), numbered(sampleMost+i, vectors[sampleMost+i:][:1])); err != nil {
			t.Fatal(err)
		}
		if g.sketches.Load() != nil {
			t.Fatalf("there are sketches after %d insertions", i+1)
		}
	}
	if err := x.Insert(t.Context(), numbered(sampleMost, vectors[sampleMost:n])); err != nil {
		t.Fatal(err)
	}
	checkSketches(t, g)
	s := g.get()
	defer g.put(s)
	answered, found, wanted := 0, 0, 0
	for _, q := range vectors[n:] {
		g.space.prepare(s.q, q, true)
		s.top.reset(k)
		if err := g.scan(t.Context(), s, nil); err != nil {
			t.Fatal(err)
		}
		nearest := slices.Clone(s.top.keys)
		s.top.reset(defaultEfConstruction)
		if !g.nearBySketches(s, defaultEfConstruction) {
			continue
		}
		answered++
		if !slices.IsSorted(s.top.keys) {
			t.Fatal("what was found is not in order")
		}
		for _, c := range nearest {
			wanted++
			if slices.Contains(s.top.keys, c) {
				found++
			}
		}
	}
	if answered < more*9/10 || float64(found) < 0.97*float64(wanted) {
		t.Errorf("%d of %d are found, in %d answers", found, wanted, answered)
	}
}

func TestSelectLeast(t *testing.T) {
	rng := newRand(t)
	for range 2000 {
		keys := make([]key, 1+rng.IntN(40))
		for i := range keys {
			keys[i] = key(rng.IntN(1 + rng.IntN(50))) // often equal
		}
		n := 1 + rng.IntN(len(keys))
		want := slices.Clone(keys)
		slices.Sort(want)
		selectLeast(keys, n)
		slices.Sort(keys[:n])
		slices.Sort(keys[n:])
		if !slices.Equal(keys[:n], want[:n]) || !slices.Equal(keys[n:], want[n:]) {
			t.Fatalf("the %d least are %v, want %v", n, keys[:n], want[:n])
		}
	}
}
