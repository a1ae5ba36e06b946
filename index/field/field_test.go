package field_test

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/vecdb/vecdb/index/field"
	"github.com/vecdb/vecdb/internal/core"
)

func fill() *field.Index {
	x := field.New()
	for i, fields := range []map[string]any{
		{"year": int64(1994), "genre": "drama", "ok": true, "tags": []any{}},
		{"year": 1999.5, "genre": []any{"war", "drama"}, "tags": []any{nil}},
		{"year": int64(2001), "maker": map[string]any{"name": "Ada", "born": int64(1950)}, "tags": []any{"a", "a"}},
		{"year": nil, "big": int64(1<<53 + 1), "tags": []any{map[string]any{"name": "a"}, map[string]any{"name": "b"}}},
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
		{"tags", core.CondExists, []any{true}, []core.Ord{0, 10, 20, 30}},
		{"tags", core.CondEq, []any{"a"}, []core.Ord{20}},
		{"tags.name", core.CondEq, []any{"b"}, []core.Ord{30}},
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
		{Field: "text", Op: core.CondGt, Values: []any{"text"}},
		{Field: "vector", Op: core.CondExists, Values: []any{true}},
		{Field: "year", Op: "near", Values: []any{int64(1)}},
		{Field: "year", Op: core.CondGt, Values: []any{int64(1), int64(2)}},
		{Field: "year", Op: core.CondExists},
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
	for _, name := range []string{"id", "year", "tags", "tags.name"} {
		if got := lookup(t, x, name, core.CondExists, true); len(got) != 0 {
			t.Errorf("%s exists in the deleted ordinals %v", name, got)
		}
	}
	if got := x.SizeBytes(); got > empty+16 {
		t.Errorf("an emptied index takes %d bytes, a new one %d", got, empty)
	}
}

func lookup(t *testing.T, x *field.Index, name string, op core.CondOp, values ...any) []core.Ord {
	t.Helper()
	set, err := x.Lookup(core.Condition{Field: name, Op: op, Values: values})
	if err != nil {
		t.Fatal(err)
	}
	return slices.Collect(set.All())
}

func TestReplacingAnOrdinalForgetsItsOldFields(t *testing.T) {
	x := fill()
	x.Insert(0, &core.Document{ID: "new", Fields: map[string]any{"year": int64(7)}})
	if got := lookup(t, x, "genre", core.CondEq, "drama"); !slices.Equal(got, []core.Ord{10}) {
		t.Errorf("the old genre gives %v", got)
	}
	if got := lookup(t, x, "year", core.CondLt, int64(8)); !slices.Equal(got, []core.Ord{0}) {
		t.Errorf("the new year gives %v", got)
	}
	if got := lookup(t, x, "id", core.CondIn, "d0", "new"); !slices.Equal(got, []core.Ord{0}) {
		t.Errorf("the ids give %v", got)
	}
}

func TestTheLargerOrdinalAnswersToAnID(t *testing.T) {
	for _, order := range [][]core.Ord{{1, 2}, {2, 1}} {
		x := field.New()
		for _, ord := range order {
			x.Insert(ord, &core.Document{ID: "a"})
		}
		x.Delete(1)
		if got := lookup(t, x, "id", core.CondEq, "a"); !slices.Equal(got, []core.Ord{2}) {
			t.Errorf("inserted in the order %v, the id gives %v", order, got)
		}
	}
}

func TestASetBelongsToTheCaller(t *testing.T) {
	x := fill()
	for _, cond := range []core.Condition{
		{Field: "genre", Op: core.CondEq, Values: []any{"drama"}},
		{Field: "year", Op: core.CondExists, Values: []any{true}},
		{Field: "year", Op: core.CondGt, Values: []any{int64(0)}},
		{Field: "id", Op: core.CondExists, Values: []any{true}},
		{Field: "text", Op: core.CondExists, Values: []any{true}},
	} {
		set, err := x.Lookup(cond)
		if err != nil {
			t.Fatal(err)
		}
		before := slices.Collect(set.All())
		set.Add(777)
		if got := lookup(t, x, cond.Field, cond.Op, cond.Values...); !slices.Equal(got, before) {
			t.Errorf("%+v gives %v after its set was changed, before %v", cond, got, before)
		}
	}
}

// document is one of a collection whose documents all have another name and
// price.
func document(i int) *core.Document {
	return &core.Document{ID: fmt.Sprint("doc", i), Fields: map[string]any{
		"name": fmt.Sprint("name", i), "price": float64(i*7919%1_000_003) / 7, "label": fmt.Sprint("label", i%10)}}
}

func BenchmarkInsert(b *testing.B) {
	x := field.New()
	i := 0
	for b.Loop() {
		x.Insert(core.Ord(i), document(i))
		i++
	}
	b.ReportMetric(float64(x.SizeBytes())/float64(i), "bytes/doc")
}

// BenchmarkFacet counts ten labels, and as many names as documents, over
// 200,000 documents.
func BenchmarkFacet(b *testing.B) {
	x := field.New()
	half := core.NewSet()
	for i := range 200_000 {
		x.Insert(core.Ord(i), document(i))
		if i%2 == 0 {
			half.Add(core.Ord(i))
		}
	}
	for _, name := range []string{"label", "name"} {
		for within, set := range map[string]*core.Set{"all": nil, "half": half} {
			b.Run(name+"/"+within, func(b *testing.B) {
				for b.Loop() {
					x.Facet(name, set, 20)
				}
			})
		}
	}
}

// BenchmarkRangeBesideInserts asks for one price in fifty of 100,000 after
// each insert.
func BenchmarkRangeBesideInserts(b *testing.B) {
	x := field.New()
	i := 0
	for ; i < 100_000; i++ {
		x.Insert(core.Ord(i), document(i))
	}
	cond := core.Condition{Field: "price", Op: core.CondLt, Values: []any{20_000 / 7.0}}
	for b.Loop() {
		x.Insert(core.Ord(i), document(i))
		i++
		if _, err := x.Lookup(cond); err != nil {
			b.Fatal(err)
		}
	}
}
