package coder

import (
	"strings"
	"testing"

	"github.com/vecdb/vecdb/index"
	"github.com/vecdb/vecdb/internal/core"
)

// broken returns an index with 10 vectors whose library panics from now on.
func broken(t *testing.T) *Index {
	t.Helper()
	x, err := New(index.Config{Dim: 2}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 10 {
		if err := x.Insert(t.Context(), []index.Item{{Ord: core.Ord(i), Vector: []float32{1, float32(i)}}}); err != nil {
			t.Fatal(err)
		}
	}
	x.graph.Distance = func(_, _ []float32) float32 { panic("boom") }
	return x
}

func TestPanicsBecomeErrorsThatLast(t *testing.T) {
	item := []index.Item{{Ord: 100, Vector: []float32{1, 1}}}
	for name, first := range map[string]func(*Index) error{
		"insert": func(x *Index) error { return x.Insert(t.Context(), item) },
		"search": func(x *Index) error {
			_, err := x.Search(t.Context(), []float32{1, 2}, index.Options{K: 3})
			return err
		},
	} {
		x := broken(t)
		if err := first(x); err == nil || !strings.Contains(err.Error(), "rebuild") || !strings.Contains(err.Error(), "boom") {
			t.Errorf("%s: error %v, want one that tells the panic and how to go on", name, err)
		}
		x.graph.Distance = x.distance() // what is half changed is not trusted again
		if _, err := x.Search(t.Context(), []float32{1, 2}, index.Options{K: 3}); err == nil {
			t.Errorf("%s: a broken graph answers", name)
		}
		if err := x.Insert(t.Context(), item); err == nil {
			t.Errorf("%s: a broken graph takes vectors", name)
		}
	}
}

func TestAnEmptiedIndexIsWholeAgain(t *testing.T) {
	x := broken(t)
	if _, err := x.Search(t.Context(), []float32{1, 2}, index.Options{K: 3}); err == nil {
		t.Fatal("the search did not panic")
	}
	for i := range 10 {
		x.Delete(core.Ord(i))
	}
	if err := x.Insert(t.Context(), []index.Item{{Ord: 3, Vector: []float32{1, 1}}}); err != nil {
		t.Fatal(err)
	}
	got, err := x.Search(t.Context(), []float32{1, 2}, index.Options{K: 3})
	if err != nil || len(got) != 1 || got[0].Ord != 3 {
		t.Errorf("the only vector is not found: %v, %v", got, err)
	}
}

func TestDeadVerticesAreCleared(t *testing.T) {
	x, err := New(index.Config{Dim: 2}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 1000 {
		if err := x.Insert(t.Context(), []index.Item{{Ord: core.Ord(i % 20), Vector: []float32{1, float32(i)}}}); err != nil {
			t.Fatal(err)
		}
	}
	if x.Len() != 20 || len(x.owners) > 64 {
		t.Errorf("%d vectors take %d vertices", x.Len(), len(x.owners))
	}
}
