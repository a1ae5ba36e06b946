package vecdb_test

import (
	"errors"
	"math"
	"testing"

	"github.com/vecdb/vecdb"
)

func TestVectorsAreCutToTheDimension(t *testing.T) {
	db := open(t, t.TempDir(), withHash(vecdb.Options{}))
	c := collection(t, db, "cut", vecdb.CollectionOptions{Dim: 64})
	whole := collection(t, db, "whole", vecdb.CollectionOptions{})
	for _, col := range []*vecdb.Collection{c, whole} {
		upsert(t, col, vecdb.Document{ID: "a", Text: "a father looks for his son in the sea"}, vecdb.Document{ID: "b", Text: "a crew meets a monster in space"})
	}
	cut, err := c.Get(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	full, err := whole.Get(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	length := 0.0
	for _, x := range full.Vector[:64] {
		length += float64(x) * float64(x)
	}
	if len(cut.Vector) != 64 {
		t.Fatalf("%d numbers", len(cut.Vector))
	}
	for i, x := range cut.Vector {
		if want := float64(full.Vector[i]) / math.Sqrt(length); math.Abs(float64(x)-want) > 1e-6 {
			t.Fatalf("number %d is %v, want %v", i, x, want)
		}
	}
	if got := search(t, c, vecdb.Request{Text: "father and son", Mode: "dense"}); len(got) != 2 || got[0] != "a" {
		t.Errorf("found %v", got)
	}
	// A given vector is taken as it is: it has to have the dimension.
	results, err := c.Upsert(t.Context(), []vecdb.Document{{ID: "x", Vector: full.Vector}, {ID: "y", Vector: full.Vector[:64]}}, vecdb.WaitIndexed)
	if err != nil || !errors.Is(results[0].Err, vecdb.ErrDimension) || results[1].Err != nil {
		t.Errorf("%+v, %v", results, err)
	}
	if _, err := c.Search(t.Context(), vecdb.Request{Vector: full.Vector}); !errors.Is(err, vecdb.ErrDimension) {
		t.Errorf("a longer query gives %v", err)
	}
	if _, _, err := db.CreateCollection(t.Context(), "cut", vecdb.CollectionOptions{}); !errors.Is(err, vecdb.ErrExists) {
		t.Errorf("the same name with another dimension gives %v", err)
	}
}
