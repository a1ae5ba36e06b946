package field_test

import (
	"cmp"
	"fmt"
	"maps"
	"math"
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
	several := x.Several("b")
	for ord, doc := range docs {
		var held []any
		if doc != nil {
			reach("b", doc.Fields["b"], "b", &held)
		}
		if want := len(held) == 2 && !sameValues(held[:1], held[1:]); several.Contains(core.Ord(ord)) != want {
			t.Fatalf("%v: several is %v", held, !want)
		}
	}
	if x.Several("a").Len() > 0 {
		t.Error("a document holds several of what is one")
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

// TestFacetsOfManyEqualCountsRise compares with counting where most values have
// one document, some two or more, while documents come and go.
func TestFacetsOfManyEqualCountsRise(t *testing.T) {
	rng := rand.New(rand.NewPCG(seedOf(t), 9))
	x := field.New()
	holds := map[core.Ord]any{}
	next := core.Ord(0)
	for round := range 3 {
		for range 9_000 {
			v := []any{int64(rng.IntN(40_000)), fmt.Sprint("n", rng.IntN(40_000)), rng.Float64(), true, "2024-02-03"}[min(rng.IntN(1000), 4)%(3+rng.IntN(3))]
			x.Insert(next, &core.Document{ID: fmt.Sprint(next), Fields: map[string]any{"f": v}})
			holds[next] = v
			next++
		}
		for range 2_000 {
			gone := core.Ord(rng.IntN(int(next)))
			x.Delete(gone)
			delete(holds, gone)
		}
		within := core.NewSet()
		for ord := range holds {
			if rng.IntN(3) > 0 {
				within.Add(ord)
			}
		}
		for _, set := range []*core.Set{nil, within, core.NewSet()} {
			counts := map[any]int{}
			for ord, v := range holds {
				if set == nil || set.Contains(ord) {
					counts[v]++
				}
			}
			var want []core.FacetValue
			for v, n := range counts {
				want = append(want, core.FacetValue{Value: v, Count: n})
			}
			slices.SortFunc(want, func(a, b core.FacetValue) int {
				return cmp.Or(cmp.Compare(b.Count, a.Count), compareAnything(a.Value, b.Value))
			})
			for _, limit := range []int{1, 20, 6_000, 10_000} {
				got, distinct := x.Facet("f", set, limit)
				if distinct != len(want) || !slices.Equal(got, want[:min(limit, len(want))]) {
					t.Fatalf("round %d, limit %d: %d values of %d, want %d of %d", round, limit, len(got), distinct, min(limit, len(want)), len(want))
				}
			}
		}
	}
}

// compareAnything orders booleans before numbers before strings.
func compareAnything(a, b any) int {
	kind := func(v any) int {
		switch v.(type) {
		case bool:
			return 0
		case string:
			return 2
		}
		return 1
	}
	if order := cmp.Compare(kind(a), kind(b)); order != 0 {
		return order
	}
	order, _ := compared(a, b)
	if isText(a) {
		order = cmp.Compare(a.(string), b.(string))
	}
	return order
}

func TestBucketsCountDocumentsOnce(t *testing.T) {
	rng := rand.New(rand.NewPCG(seedOf(t), 11))
	x := field.New()
	docs := map[core.Ord]*core.Document{}
	within := core.NewSet()
	for i := range core.Ord(3_000) {
		docs[i] = &core.Document{ID: fmt.Sprint(i), Fields: map[string]any{"f": anything(rng, 1)}}
		x.Insert(i, docs[i])
		if rng.IntN(2) == 0 {
			within.Add(i)
		}
		if gone := core.Ord(rng.IntN(3 * int(i+1))); docs[gone] != nil && gone < i {
			x.Delete(gone)
			delete(docs, gone)
		}
	}
	of := func(v any, list []int64) []int64 {
		switch v := v.(type) {
		case int64:
			return append(list, v%4, v%4+10)
		case float64:
			return append(list, int64(math.Mod(v, 3)))
		case bool:
			return list
		case string:
			return append(list, int64(100+len(v)))
		}
		return append(list, 200)
	}
	for _, set := range []*core.Set{nil, within} {
		want := map[int64]int{}
		for ord, doc := range docs {
			if set != nil && !set.Contains(ord) {
				continue
			}
			var values []any
			reach("f", doc.Fields["f"], "f", &values)
			in := map[int64]bool{}
			for _, v := range values {
				if f, ok := v.(float64); ok && f == math.Trunc(f) && f >= -(1<<63) && f < 1<<63 {
					v = int64(f)
				}
				if text, ok := v.(string); ok {
					if moment, ok := core.ParseTime(text); ok {
						v = moment
					}
				}
				for _, b := range of(v, nil) {
					in[b] = true
				}
			}
			for b := range in {
				want[b]++
			}
		}
		if got := x.Buckets("f", set, of); !maps.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
	}
}

// TestWideRangesAgreeWithComparing asks for ranges with many values, while
// documents come and go.
func TestWideRangesAgreeWithComparing(t *testing.T) {
	rng := rand.New(rand.NewPCG(seedOf(t), 13))
	x := field.New()
	docs := map[core.Ord][]any{}
	for i := range core.Ord(6_000) {
		var v []any
		for range 1 + rng.IntN(10)/9 {
			v = append(v, []any{int64(rng.IntN(5_000)), rng.Float64() * 5_000, fmt.Sprint("t", rng.IntN(5_000)), "2024-02-03T00:00:00." + fmt.Sprint(1_000+rng.IntN(5_000)) + "Z"}[rng.IntN(4)])
		}
		docs[i] = v
		x.Insert(i, &core.Document{ID: fmt.Sprint(i), Fields: map[string]any{"f": v}})
		if i < 1_000 || i%200 > 0 {
			continue
		}
		gone := core.Ord(rng.IntN(int(i)))
		x.Delete(gone)
		delete(docs, gone)
		for range 6 {
			bound := []any{int64(rng.IntN(5_000)), rng.Float64() * 5_000, fmt.Sprint("t", rng.IntN(5_000)), "2024-02-03T00:00:00.4Z"}[rng.IntN(4)]
			op := []core.CondOp{core.CondGt, core.CondGte, core.CondLt, core.CondLte}[rng.IntN(4)]
			for range 2 { // the second time it may be kept
				got, err := x.Lookup(core.Condition{Field: "f", Op: op, Values: []any{bound}})
				if err != nil {
					t.Fatal(err)
				}
				want := 0
				for ord, values := range docs {
					if slices.ContainsFunc(values, func(v any) bool { return satisfies(v, op, bound) }) {
						want++
						if !got.Contains(ord) {
							t.Fatalf("%v is not %s %v", values, op, bound)
						}
					}
				}
				if got.Len() != want {
					t.Fatalf("%s %v: %d documents, want %d", op, bound, got.Len(), want)
				}
				got.Add(1 << 20) // the caller owns the set
			}
		}
	}
}
