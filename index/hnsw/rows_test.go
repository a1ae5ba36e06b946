package hnsw

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/vecdb/vecdb/index"
	"github.com/vecdb/vecdb/index/indextest"
	"github.com/vecdb/vecdb/internal/core"
)

func TestRowStride(t *testing.T) {
	for dim, want := range map[int]uintptr{64: 16, 128: 32, 192: 32, 256: 64, 384: 64, 448: 64, 512: 128, 768: 128, 960: 128, 1024: 192, 4096: 576} {
		if got := rowStride(dim); got != want {
			t.Errorf("%d numbers: %d, want %d", dim, got, want)
		}
	}
}

// withRows has the rows of a graph drawn.
func withRows(t *testing.T, g *graph) *rows {
	t.Helper()
	g.rowing.Lock()
	defer g.rowing.Unlock()
	g.drawRows()
	p := g.rows.Load()
	if p == nil || !p.whole.Load() {
		t.Fatal("there are no rows")
	}
	return p
}

// checkRows compares the rows with new ones of the vertices as they are.
func checkRows(t *testing.T, g *graph) {
	t.Helper()
	p := withRows(t, g)
	fresh := &rows{middle: p.middle, mem: aligned[uint8](len(p.mem)), stride: p.stride}
	buf := make([]uint8, g.slab.dim/8)
	for v := range uint32(g.n.Load()) {
		if !g.live(v) {
			continue
		}
		fresh.put(g.slab, v, buf)
		at := uintptr(v) * p.stride
		if !slices.Equal(p.mem[at:at+p.stride], fresh.mem[at:at+p.stride]) {
			t.Fatalf("the row of vertex %d is not its own", v)
		}
	}
}

func TestRowsFollowWhatChanges(t *testing.T) {
	const n, dim = 3000, 128
	vectors := indextest.Vectors(newRand(t), 2*n, dim)
	x := indexOf(t, vectors[:n])
	insert := func(from, to int) {
		if err := x.Insert(t.Context(), numbered(from, vectors[from:to])); err != nil {
			t.Fatal(err)
		}
	}
	g := x.state.Load().graph
	size := g.bytes()
	checkRows(t, g)
	if g.bytes() <= size {
		t.Error("the rows are not among what the graph takes")
	}
	insert(n, n+500) // there is room
	checkRows(t, g)

	for i := 0; i < n; i += 2 {
		x.Delete(core.Ord(i))
	}
	for g.mendDue() {
		g.mend()
	}
	insert(n+500, n+1000) // in the places of those
	checkRows(t, g)

	p := g.rows.Load()
	insert(n+1000, 2*n)
	if checkRows(t, g); int(g.n.Load()) > p.room && g.rows.Load() == p {
		t.Error("the rows are the same though there is no room for all")
	}
}

// The first scan that has use for rows has them drawn beside it; both answer alike.
func TestRowsAreDrawnBesideInsertionsAndSearches(t *testing.T) {
	const n, dim, workers = 4000, 65, 4
	vectors := indextest.Vectors(newRand(t), n, dim)
	x := indexOf(t, vectors[:1500])
	allow := core.NewSet()
	allow.AddRange(0, 1500)
	ask := func(i int) {
		found, err := x.Search(t.Context(), vectors[i], index.Options{K: 3, Ef: 1000, Allow: allow})
		if err != nil || found[0].Ord != core.Ord(i) {
			t.Errorf("%d: %v, %v", i, found, err)
		}
	}
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := 1500 + w; i < n; i += workers {
				if err := x.Insert(t.Context(), numbered(i, vectors[i:i+1])); err != nil {
					t.Error(err)
				}
				if i%40 == w {
					ask(i % 1500)
				}
			}
		})
	}
	wg.Wait()
	g := x.state.Load().graph
	g.rowed() // once more, where more came than there was room for
	checkRows(t, g)
	for i := range 50 {
		ask(i)
	}
}

// A scan by rows finds what a scan by 8-bit codes finds, but for what the estimates are
// off by more than they are taken to be.
func TestScansByRows(t *testing.T) {
	const n, queries = 1500, 30
	for _, dim := range []int{65, 300, 384} {
		for _, metric := range []index.Metric{index.Cosine, index.Dot, index.L2} {
			t.Run(fmt.Sprintf("%d %s", dim, metric), func(t *testing.T) {
				g, asked, allow := scanned(t, index.Config{Dim: dim, Metric: metric}, false, n, queries)
				s := g.get()
				defer g.put(s)
				s.rows = withRows(t, g)
				s.rows.room = n - 100 // as if more had come
				hits, all := 0, 0
				for _, q := range asked {
					for _, k := range []int{1, 10, 200} {
						g.space.prepare(s.q, q, false)
						if err := g.scanFor(t.Context(), s, k, allow); err != nil {
							t.Fatal(err)
						}
						want := g.refine(s, k, len(s.top.keys), 0, allow)
						if err := g.scanRows(t.Context(), s, k, allow); err != nil {
							t.Fatal(err)
						}
						got := g.refine(s, k, len(s.top.keys), 0, allow)
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
				if share := float64(hits) / float64(all); share < 0.99 {
					t.Errorf("of what a scan by 8-bit codes finds there is a share of %.4f", share)
				}
			})
		}
	}
}
