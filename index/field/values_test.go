package field_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/vecdb/vecdb/index/field"
	"github.com/vecdb/vecdb/internal/core"
)

func TestValuesAreThoseOfTheDocuments(t *testing.T) {
	rng := rand.New(rand.NewPCG(seedOf(t), 7))
	x := field.New()
	docs := make([]*core.Document, 300)
	var ords []core.Ord
	for i := range docs {
		docs[i] = &core.Document{ID: fmt.Sprint("d", i), Fields: map[string]any{"a": scalar(rng), "b": []any{scalar(rng), scalar(rng)}, "c": map[string]any{"d": scalar(rng)}}}
		x.Insert(core.Ord(i), docs[i])
		ords = append(ords, core.Ord(i))
	}
	x.Delete(7)
	docs[7] = nil
	rng.Shuffle(len(ords), func(i, j int) { ords[i], ords[j] = ords[j], ords[i] })
	for _, name := range []string{"a", "b", "c.d", "id", "none"} {
		got := make([][]any, len(ords))
		if err := x.Values(name, ords, func(i int, v any) { got[i] = append(got[i], v) }); err != nil {
			t.Fatal(err)
		}
		for i, ord := range ords {
			var want []any
			switch {
			case docs[ord] == nil:
			case name == "id":
				want = []any{docs[ord].ID}
			default:
				for k, v := range docs[ord].Fields {
					reach(k, v, name, &want)
				}
			}
			if !sameValues(got[i], want) {
				t.Fatalf("%s of %d: got %v, want %v", name, ord, got[i], want)
			}
		}
	}
	if err := x.Values("c", ords, func(int, any) {}); err == nil {
		t.Error("an object has values")
	}
	x.Insert(1000, &core.Document{ID: "p", Fields: map[string]any{"place": map[string]any{"lat": 1.0, "lon": 2.0}}})
	if err := x.Values("place", ords, func(int, any) {}); err == nil {
		t.Error("a point has an order")
	}
}

// sameValues compares values as sets: an index holds equal ones once.
func sameValues(a, b []any) bool {
	covers := func(a, b []any) bool {
		return !slices.ContainsFunc(a, func(v any) bool {
			return !slices.ContainsFunc(b, func(w any) bool {
				order, ok := compared(v, w)
				return v == w || ok && order == 0 && !isText(v)
			})
		})
	}
	return covers(a, b) && covers(b, a)
}

func isText(v any) bool { _, ok := v.(string); return ok }
