package storage_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"github.com/vecdb/vecdb/internal/core"
	"github.com/vecdb/vecdb/storage"
	"github.com/vecdb/vecdb/storage/badger"
	"github.com/vecdb/vecdb/storage/mem"
)

// reading is one of n passages.
func reading(n int) *core.Reading {
	x := &core.Reading{TokensTotal: 100 * n, TokensUsed: 100*n - 1}
	for i := range n {
		x.Passages = append(x.Passages, core.Passage{Start: 7 * i, End: 7*i + 9, Tokens: i, Vector: []float32{1, float32(i), 2, float32(n)}})
	}
	return x
}

// same compares readings without their vectors.
func same(a, b *core.Reading) bool {
	if a == nil || b == nil {
		return a == b
	}
	x, y := *a, *b
	x.Passages, y.Passages = nil, nil
	for _, p := range a.Passages {
		p.Vector = nil
		x.Passages = append(x.Passages, p)
	}
	for _, p := range b.Passages {
		p.Vector = nil
		y.Passages = append(y.Passages, p)
	}
	return reflect.DeepEqual(x, y)
}

// putLong is a mutation of a document that was cut into n passages.
func putLong(id string, n int) storage.Mutation {
	m := put(doc(id, fmt.Sprint("long ", n)))[0]
	m.Reading = reading(n)
	return m
}

// searched returns the vectors that searches compare with.
func searched(t *testing.T, c *storage.Collection) map[core.Ord][]float32 {
	t.Helper()
	out := make(map[core.Ord][]float32)
	err := c.Snapshot(func(s storage.Snapshot) error {
		return s.Vectors(func(ord core.Ord, v []float32) error {
			out[ord] = v
			return nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func ordOf(t *testing.T, c *storage.Collection, id string) core.Ord {
	t.Helper()
	ords, err := c.Ords([]string{id})
	if err != nil {
		t.Fatal(err)
	}
	return ords[0]
}

func TestPassagesComeAndGoWithTheirDocument(t *testing.T) {
	s := openStore(t, mem.New())
	c := create(t, s, "c")
	out := commit(t, c, append(put(doc("short", "a")), putLong("long", 5)))
	ord := out[1].Ord
	if next := commit(t, c, put(doc("next", "b")))[0].Ord; next != ord+6 {
		t.Errorf("the document behind 5 passages at %d has ordinal %d", ord, next)
	}
	vectors, err := c.PassageVectors(ord, 5)
	if err != nil || len(vectors) != 5 || vectors[4][1] != 4 {
		t.Fatal(vectors, err)
	}
	at, err := c.VectorsAt([]core.Ord{ord + 5, out[0].Ord, ord + 99})
	if err != nil || !slices.Equal(at[0], vectors[4]) || at[1] == nil || at[2] != nil {
		t.Errorf("the vectors of a passage, a document and nothing are %v, %v", at, err)
	}
	if have := searched(t, c); len(have) != 7 || have[ord] != nil || have[ord+3] == nil || c.Vectors() != 7 {
		t.Errorf("%d vectors are searched, %d counted: %v", len(have), c.Vectors(), have)
	}
	changes, err := c.Changes(1, 10)
	if err != nil || changes[1].Passages != 5 || changes[0].Passages != 0 {
		t.Errorf("changes %+v, %v", changes, err)
	}
	sound(t, s)

	commit(t, c, []storage.Mutation{putLong("long", 3), putLong("long", 8)}) // the second replaces what is not yet landed
	x, err := c.Readings([]core.Ord{ord, ordOf(t, c, "long"), ordOf(t, c, "short")})
	if err != nil || x[0] != nil || !same(x[1], reading(8)) || x[2] != nil {
		t.Errorf("readings %v, %v", x, err)
	}
	if changes, err = c.Changes(4, 10); err != nil || changes[0].OldPassages != 5 || changes[1].OldPassages != 3 || changes[1].Passages != 8 {
		t.Errorf("changes %+v, %v", changes, err)
	}
	sound(t, s)

	commit(t, c, append(put(doc("long", "short now")), del("next")...))
	if documents, passages := c.Cut(); documents != 0 || passages != 0 || c.Vectors() != 2 {
		t.Errorf("%d documents of %d passages are left, %d vectors", documents, passages, c.Vectors())
	}
	sound(t, s)
}

func TestTheLargestDocumentFitsOneTransaction(t *testing.T) {
	e, err := badger.Open(t.TempDir(), badger.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s := openStore(t, e)
	for _, dims := range []int{4, 384, core.MaxDim} {
		c, err := s.Create(storage.Config{Name: fmt.Sprint("c", dims), Dim: dims, Metric: "cosine"})
		if err != nil {
			t.Fatal(err)
		}
		x := &core.Reading{TokensTotal: core.MaxTextBytes + 5, TokensUsed: core.MaxTextBytes + 5} // each byte a token, and the special ones
		for i := range storage.MaxPassages(dims) {
			v := make([]float32, dims)
			for j := range v {
				v[j] = rand.Float32()
			}
			x.Passages = append(x.Passages, core.Passage{Start: i, End: i + 1, Vector: v})
		}
		large := storage.Mutation{Op: core.OpPut, Doc: &core.Document{ID: "a", Text: string(make([]byte, core.MaxTextBytes)), Vector: x.Passages[0].Vector}, Reading: x}
		var all []storage.Mutation
		before := min(1500, (2900<<10)/(4*dims)) // a batch that is nearly full when the large one comes
		for i := range before {
			all = append(all, storage.Mutation{Op: core.OpPut, Doc: &core.Document{ID: fmt.Sprint(i), Text: "short", Vector: x.Passages[0].Vector}})
		}
		if _, _, err := c.Commit(context.Background(), append(all, large)); err != nil {
			t.Fatalf("%d dimensions: %v", dims, err)
		}
		if have, err := c.Readings([]core.Ord{ordOf(t, c, "a")}); err != nil || !same(have[0], x) {
			t.Errorf("%d dimensions: read back: %v", dims, err)
		}
		if want := before + len(x.Passages); c.Vectors() != want {
			t.Errorf("%d dimensions: %d vectors, want %d", dims, c.Vectors(), want)
		}
	}
	sound(t, s)
}

func TestAStoreOfLongDocumentsHasTheNewerFormat(t *testing.T) {
	e := mem.New()
	s := openStore(t, e)
	c := create(t, s, "c")
	format := func() (out string) {
		err := e.View(func(r storage.Reader) error {
			v, err := r.Get([]byte("m"))
			out = string(v)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return out[6:19]
	}
	commit(t, c, put(doc("short", "a")))
	if format() != `{"format":1,"` {
		t.Errorf("the store's record is %q", format())
	}
	commit(t, c, []storage.Mutation{putLong("a", 2)})
	if format() != `{"format":2,"` {
		t.Errorf("the store's record is %q", format())
	}
}
