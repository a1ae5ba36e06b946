package field_test

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/vecdb/vecdb/index/field"
	"github.com/vecdb/vecdb/internal/core"
)

func fill() *field.Index {
	x := field.New()
	for i, fields := range []map[string]any{
		{"year": int64(1994), "genre": "drama", "ok": true},
		{"year": 1999.5, "genre": []any{"war", "drama"}},
		{"year": int64(2001), "maker": map[string]any{"name": "Ada", "born": int64(1950)}},
		{"year": nil, "big": int64(1<<53 + 1)},
		{"year": "1994", "big": float64(1 << 53)},
	} {
		x.Insert(core.Ord(10*i), &core.Document{ID: fmt.Sprint("d", i), Text: map[bool]string{true: "text"}[i != 2], Fields: fields})
	}
	return x
}

func TestConditions(t *testing.T) {
	x := fill()
	for _, tc := range []struct {
		field string
		op    core.CondOp
		value []any
		want  []core.Ord
	}{
		{"genre", core.CondEq, []any{"drama"}, []core.Ord{0, 10}},
		{"genre", core.CondIn, []any{"war", "none"}, []core.Ord{10}},
		{"genre", core.CondIn, nil, nil},
		{"year", core.CondEq, []any{1994.0}, []core.Ord{0}},
		{"year", core.CondEq, []any{"1994"}, []core.Ord{40}},
		{"year", core.CondGt, []any{int64(1994)}, []core.Ord{10, 20}},
		{"year", core.CondGte, []any{int64(1994)}, []core.Ord{0, 10, 20}},
		{"year", core.CondLt, []any{1999.5}, []core.Ord{0}},
		{"year", core.CondLte, []any{1999.5}, []core.Ord{0, 10}},
		{"year", core.CondGt, []any{math.Inf(-1)}, []core.Ord{0, 10, 20}},
		{"year", core.CondGt, []any{math.Inf(1)}, nil},
		{"year", core.CondGte, []any{"19"}, []core.Ord{40}},
		{"year", core.CondExists, []any{true}, []core.Ord{0, 10, 20, 40}},
		{"year", core.CondExists, []any{false}, []core.Ord{30}},
		{"maker.name", core.CondEq, []any{"Ada"}, []core.Ord{20}},
		{"maker", core.CondExists, []any{true}, []core.Ord{20}},
		{"ok", core.CondEq, []any{true}, []core.Ord{0}},
		{"ok", core.CondEq, []any{false}, nil},
		{"big", core.CondEq, []any{int64(1<<53 + 1)}, []core.Ord{30}},
		{"big", core.CondGt, []any{float64(1 << 53)}, []core.Ord{30}},
		{"id", core.CondIn, []any{"d1", "d4", "none"}, []core.Ord{10, 40}},
		{"id", core.CondExists, []any{true}, []core.Ord{0, 10, 20, 30, 40}},
		{"text", core.CondExists, []any{false}, []core.Ord{20}},
		{"no such field", core.CondEq, []any{"x"}, nil},
		{"no such field", core.CondLt, []any{int64(1)}, nil},
	} {
		set, err := x.Lookup(core.Condition{Field: tc.field, Op: tc.op, Values: tc.value})
		if err != nil {
			t.Errorf("%s %s %v: %v", tc.field, tc.op, tc.value, err)
			continue
		}
		if got := slices.Collect(set.All()); !slices.Equal(got, tc.want) {
			t.Errorf("%s %s %v gives %v, want %v", tc.field, tc.op, tc.value, got, tc.want)
		}
	}
}

func TestConditionsWithoutMeaningAreRefused(t *testing.T) {
	x := fill()
	for _, cond := range []core.Condition{
		{Field: "text", Op: core.CondEq, Values: []any{"text"}},
		{Field: "id", Op: core.CondGt, Values: []any{"d1"}},
		{Field: "id", Op: core.CondEq, Values: []any{int64(1)}},
		{Field: "year", Op: core.CondEq},
		{Field: "year", Op: core.CondEq, Values: []any{nil}},
		{Field: "year", Op: core.CondEq, Values: []any{math.NaN()}},
		{Field: "year", Op: core.CondLt, Values: []any{true}},
		{Field: "year", Op: core.CondExists, Values: []any{"yes"}},
		{Field: "year", Op: core.CondEq, Values: []any{[]any{"a"}}},
	} {
		if _, err := x.Lookup(cond); !errors.Is(err, core.ErrInvalid) {
			t.Errorf("%+v gives error %v, want ErrInvalid", cond, err)
		}
	}
}

func TestDeletedOrdinalsAndTheirMemoryAreGone(t *testing.T) {
	x := fill()
	empty := field.New().SizeBytes()
	x.Insert(50, &core.Document{ID: "d0", Fields: map[string]any{"genre": "comedy"}}) // takes the id over
	for i := range 5 {
		x.Delete(core.Ord(10 * i))
		x.Delete(core.Ord(10 * i))
	}
	set, err := x.Lookup(core.Condition{Field: "id", Op: core.CondIn, Values: []any{"d0", "d1"}})
	if err != nil || !slices.Equal(slices.Collect(set.All()), []core.Ord{50}) {
		t.Errorf("ids give %v, %v; want the new ordinal alone", set, err)
	}
	x.Delete(50)
	if got := x.SizeBytes(); got > empty+16 {
		t.Errorf("an emptied index takes %d bytes, a new one %d", got, empty)
	}
}

// TestAgainstNaiveEvaluation compares conditions on random documents with a
// look at each document.
func TestAgainstNaiveEvaluation(t *testing.T) {
	const seed = 11
	rng := rand.New(rand.NewPCG(seed, seed))
	x := field.New()
	docs := make(map[core.Ord]float64)
	for i := range 2000 {
		v := float64(rng.IntN(200)) / 2
		docs[core.Ord(i)] = v
		x.Insert(core.Ord(i), &core.Document{ID: fmt.Sprint(i), Fields: map[string]any{"n": v}})
		if i%3 == 0 {
			victim := core.Ord(rng.IntN(i + 1))
			x.Delete(victim)
			delete(docs, victim)
		}
	}
	ops := map[core.CondOp]func(a, b float64) bool{
		core.CondEq: func(a, b float64) bool { return a == b }, core.CondGt: func(a, b float64) bool { return a > b },
		core.CondGte: func(a, b float64) bool { return a >= b }, core.CondLt: func(a, b float64) bool { return a < b },
		core.CondLte: func(a, b float64) bool { return a <= b },
	}
	for range 300 {
		bound := float64(rng.IntN(220)-10) / 2
		for op, holds := range ops {
			set, err := x.Lookup(core.Condition{Field: "n", Op: op, Values: []any{bound}})
			if err != nil {
				t.Fatal(err)
			}
			for ord, v := range docs {
				if set.Contains(ord) != holds(v, bound) {
					t.Fatalf("seed %d: %v %s %v is %v", seed, v, op, bound, set.Contains(ord))
				}
			}
			for ord := range set.All() {
				if _, there := docs[ord]; !there {
					t.Fatalf("seed %d: %s %v returns the absent ordinal %d", seed, op, bound, ord)
				}
			}
		}
	}
}

func BenchmarkInsert(b *testing.B) {
	x := field.New()
	i := 0
	for b.Loop() {
		x.Insert(core.Ord(i), &core.Document{ID: fmt.Sprint(i), Fields: map[string]any{
			"name": fmt.Sprint("n", i), "price": float64(i) / 7, "label": fmt.Sprint(i % 10)}})
		i++
	}
	b.ReportMetric(float64(x.SizeBytes())/float64(i), "bytes/doc")
}
