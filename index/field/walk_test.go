package field_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/vecdb/vecdb/index/field"
	"github.com/vecdb/vecdb/internal/core"
)

// orderedBefore orders values as sorting does: booleans, numbers, texts, times.
func orderedBefore(a, b any) int {
	kind := func(v any) int {
		switch v := v.(type) {
		case bool:
			return 0
		case string:
			if _, ok := core.ParseTime(v); ok {
				return 3
			}
			return 2
		}
		return 1
	}
	if kind(a) != kind(b) {
		return kind(a) - kind(b)
	}
	if x, ok := a.(bool); ok {
		y := b.(bool)
		switch {
		case x == y:
			return 0
		case y:
			return -1
		}
		return 1
	}
	order, _ := compared(a, b)
	return order
}

func TestDocumentsComeInTheOrderOfTheirValues(t *testing.T) {
	rng := rand.New(rand.NewPCG(seedOf(t), 23))
	x := field.New()
	holds := map[core.Ord]any{}
	for round := range 30 {
		for range 60 {
			ord := core.Ord(rng.IntN(1_500))
			holds[ord] = scalar(rng)
			x.Insert(ord, &core.Document{ID: fmt.Sprint(ord), Fields: map[string]any{"f": holds[ord]}})
			gone := core.Ord(rng.IntN(1_500))
			x.Delete(gone)
			delete(holds, gone)
		}
		for _, falls := range []bool{false, true} {
			direction := 1
			if falls {
				direction = -1
			}
			var from any
			if round%3 > 0 {
				from = scalar(rng)
			}
			want := 0
			for _, v := range holds {
				if from == nil || direction*orderedBefore(v, from) >= 0 {
					want++
				}
			}
			begin := from
			if text, ok := from.(string); ok {
				if moment, ok := core.ParseTime(text); ok {
					begin = moment
				}
			}
			var got []core.Ord
			x.Ordered("f", begin, falls, func(ords []core.Ord) bool {
				got = append(got, ords...)
				return true
			})
			if len(got) != want {
				t.Fatalf("from %v, falling %v: %d documents, want %d", from, falls, len(got), want)
			}
			if !slices.IsSortedFunc(got, func(a, b core.Ord) int { return direction * orderedBefore(holds[a], holds[b]) }) {
				t.Fatalf("from %v, falling %v: out of order", from, falls)
			}
			calls := 0
			x.Ordered("f", begin, falls, func([]core.Ord) bool { calls++; return false })
			if calls != min(1, want) {
				t.Fatalf("%d calls after the end", calls)
			}
		}
	}
}
