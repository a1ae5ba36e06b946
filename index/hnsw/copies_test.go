package hnsw

import (
	"slices"
	"sync"
	"testing"

	"github.com/vecdb/vecdb/index"
	"github.com/vecdb/vecdb/index/indextest"
	"github.com/vecdb/vecdb/internal/core"
)

// every is a set of every step-th ordinal below n, from first on.
func every(step, first, n int) *core.Set {
	set := core.NewSet()
	for i := first; i < n; i += step {
		set.Add(core.Ord(i))
	}
	return set
}

func TestFiltersThatAreAskedForAgainHaveTheirRowsCopied(t *testing.T) {
	const n, dim, asked = 9000, 65, 20
	vectors := indextest.Vectors(newRand(t), n+asked, dim)
	x := indexOf(t, vectors[:n])
	g := x.state.Load().graph
	withRows(t, g)
	allow := every(4, 1, n)
	answers := func(walk int) (out [][]index.Neighbor) {
		for _, q := range vectors[n:] {
			s := g.get()
			g.space.prepare(s.q, q, false)
			g.scanning(s, 10, allow.Len(), walk, allow)
			if err := g.scanRows(t.Context(), s, 10, allow); err != nil {
				t.Fatal(err)
			}
			out = append(out, g.refine(s, 10, len(s.top.keys), 0, allow))
			g.put(s)
		}
		return out
	}
	size := g.bytes()
	copied := func(allow *core.Set) bool { return g.rows.Load().copyOf(g, allow, allow.Len()) != nil }
	want := answers(1)
	if copied(allow) || copied(every(4, 0, n)) || !copied(every(4, 1, n)) {
		t.Fatal("the second search with the same filter does not have its rows copied")
	}
	if got := g.bytes() - size; got < int64(allow.Len())*int64(g.rows.Load().stride) {
		t.Errorf("the graph tells of %d bytes more", got)
	}
	s := g.get()
	if g.scanning(s, 10, allow.Len(), 1<<20, allow); s.copy == nil || s.scan >= allow.Len()/rowShare {
		t.Fatal("the copy is not used")
	}
	g.put(s)
	if got := answers(1 << 20); !slices.EqualFunc(got, want, slices.Equal) {
		t.Error("scans by the copy answer otherwise")
	}

	// What changes ends the use of it.
	if err := x.Insert(t.Context(), numbered(1, vectors[n:n+1])); err != nil {
		t.Fatal(err)
	}
	if copied(allow) {
		t.Error("a copy is used though a vector has changed")
	}
	if len(g.rows.Load().copies.list()) > 0 {
		t.Error("a copy of before a change takes memory")
	}
	if got := answers(1 << 20); got[0][0].Ord != 1 {
		t.Errorf("the new vector of ordinal 1 is not found: %v", got[0][:2])
	}
}

// However many filters are asked for in turn, their copies take no more than a part of what
// the rows do, those that are there stay, and give way when they are not asked for any more.
func TestCopiesOfRowsAreBounded(t *testing.T) {
	const n, dim, filters = 13000, 65, 8
	x := indexOf(t, indextest.Vectors(newRand(t), n, dim))
	g := x.state.Load().graph
	p := withRows(t, g)
	scan := func(allow *core.Set) { p.copyOf(g, allow, allow.Len()) }
	var first []*rowCopy
	for round := range 20 {
		for i := range filters {
			scan(every(6, 0, n-6*i))
		}
		switch got := p.copies.list(); {
		case round == 1:
			if first = got; len(first) == 0 || len(first) == filters {
				t.Fatalf("there are %d copies of %d", len(first), filters)
			}
		case round > 1 && !slices.Equal(got, first):
			t.Fatal("the copies are not those of before")
		}
	}
	last := every(5, 0, n)
	for range 3 {
		scan(last)
	}
	if len(p.copies.list()) != len(first) {
		t.Error("a copy has given way that was just used")
	}
	for range copyRest {
		scan(every(6, 0, n))
	}
	scan(last)
	if got := p.copies.list(); len(got) != 2 {
		t.Errorf("there are %d copies, not the one that is used and the one that is wanted", len(got))
	}
	if most := int64(len(p.mem)/copyPart + 4*n); p.copies.bytes() > most {
		t.Errorf("the copies take %d bytes of %d", p.copies.bytes(), most)
	}
}

func TestCopiesBesideInsertionsAndDeletions(t *testing.T) {
	const n, dim, workers = 9000, 65, 3
	vectors := indextest.Vectors(newRand(t), n+500, dim)
	x := indexOf(t, vectors[:n])
	withRows(t, x.state.Load().graph)
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			allow := every(3, w, n)
			for i := w; i < 900; i += workers {
				// Of those below 900 none is deleted.
				found, err := x.Search(t.Context(), vectors[i], index.Options{K: 2, Ef: 4000, Allow: allow})
				if err != nil || len(found) == 0 || found[0].Ord != core.Ord(i) {
					t.Errorf("%d: %v, %v", i, found, err)
				}
			}
		})
	}
	wg.Go(func() {
		for i := range 60 {
			x.Delete(core.Ord(n - 1 - i))
			if err := x.Insert(t.Context(), numbered(n+i, vectors[n+i:n+i+1])); err != nil {
				t.Error(err)
			}
		}
	})
	wg.Wait()
}
