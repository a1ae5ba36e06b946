package field_test

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/vecdb/vecdb/index/field"
	"github.com/vecdb/vecdb/internal/core"
)

// seedOf returns the seed of a random test: VECDB_TEST_SEED where it is set.
func seedOf(t *testing.T) uint64 {
	t.Helper()
	seed := uint64(11)
	if s := os.Getenv("VECDB_TEST_SEED"); s != "" {
		var err error
		if seed, err = strconv.ParseUint(s, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("seed %d; set VECDB_TEST_SEED for another", seed)
	return seed
}

// scalar returns a random value; there are few enough that documents share
// some and bounds hit some.
func scalar(rng *rand.Rand) any {
	switch rng.IntN(11) {
	case 9:
		return []any{"2024-02-03", "2024-02-03T00:00:00Z", "2024-02-03T01:00:00+01:00", "2024-02-03T00:00:00.5Z", "1969-12-31 23:59:59", "2024-02-30"}[rng.IntN(6)]
	case 10:
		return strings.Repeat("ab", rng.IntN(3)) + "b"
	case 0:
		return rng.IntN(2) == 0
	case 1:
		return strconv.Itoa(rng.IntN(30))
	case 2:
		return strings.Repeat("a", rng.IntN(4))
	case 3:
		return int64(rng.IntN(40) - 20)
	case 4:
		return float64(rng.IntN(80)-40) / 2
	case 5:
		return int64(1<<53) + int64(rng.IntN(5)) - 2
	case 6:
		return float64(1<<53) + float64(rng.IntN(5)) - 2
	case 7:
		return []any{int64(math.MaxInt64), int64(math.MinInt64), float64(1 << 63), -float64(1 << 63), 1e300, -1e300, math.Copysign(0, -1)}[rng.IntN(7)]
	default:
		return rng.Float64() * 20 // nearly always another
	}
}

// anything returns a random value of any shape.
func anything(rng *rand.Rand, depth int) any {
	switch n := rng.IntN(12); {
	case n == 0:
		return nil
	case n == 1 && depth < 3:
		list := make([]any, rng.IntN(4))
		for i := range list {
			list[i] = anything(rng, depth+1)
		}
		return list
	case n == 3:
		return map[string]any{"lat": float64(rng.IntN(200) - 100), "lon": int64(rng.IntN(400) - 200)}
	case n == 2 && depth < 3:
		object := make(map[string]any)
		for range rng.IntN(3) {
			object[string(rune('a'+rng.IntN(3)))] = anything(rng, depth+1)
		}
		return object
	}
	return scalar(rng)
}

// reach collects the values that path reaches from v, which stands at name;
// there tells whether anything not null stands at path.
func reach(name string, v any, path string, out *[]any) (there bool) {
	switch v := v.(type) {
	case nil:
		return false
	case []any:
		for _, e := range v {
			there = reach(name, e, path, out) || there
		}
	case map[string]any:
		for k, e := range v {
			there = reach(name+"."+k, e, path, out) || there
		}
	default:
		if name == path {
			*out = append(*out, v)
		}
	}
	return there || name == path
}

// compared orders two values exactly; ok is false when they cannot be.
func compared(a, b any) (order int, ok bool) {
	if x, isText := a.(string); isText {
		y, both := b.(string)
		if moment, ok := core.ParseTime(y); ok {
			at, ok := core.ParseTime(x)
			return at.Compare(moment), ok
		}
		return strings.Compare(x, y), both
	}
	x, y := exact(a), exact(b)
	if x == nil || y == nil {
		return 0, false
	}
	return x.Cmp(y), true
}

func exact(v any) *big.Float {
	switch v := v.(type) {
	case int64:
		return new(big.Float).SetInt64(v)
	case float64:
		return big.NewFloat(v)
	}
	return nil
}

// holds evaluates a condition on one document.
func holds(doc map[string]any, c core.Condition) bool {
	var values []any
	there := false
	for name, v := range doc {
		there = reach(name, v, c.Field, &values) || there
	}
	switch c.Op {
	case core.CondExists:
		return there == c.Values[0]
	case core.CondGeoRadius, core.CondGeoBox:
		return slices.ContainsFunc(points(doc, c.Field), c.Values[0].(core.Area).Contains)
	}
	return slices.ContainsFunc(values, func(v any) bool {
		return slices.ContainsFunc(c.Values, func(want any) bool { return satisfies(v, c.Op, want) })
	})
}

// points collects the points that stand at path.
func points(doc map[string]any, path string) (out []core.Point) {
	var walk func(name string, v any)
	walk = func(name string, v any) {
		switch v := v.(type) {
		case []any:
			for _, e := range v {
				walk(name, e)
			}
		case map[string]any:
			if p, ok := core.PointOf(v); ok && name == path {
				out = append(out, p)
			}
			for k, e := range v {
				walk(name+"."+k, e)
			}
		}
	}
	for name, v := range doc {
		walk(name, v)
	}
	return out
}

// refused tells whether a comparison is refused because the documents have
// values of other kinds alone at its field.
func refused(docs map[core.Ord]map[string]any, c core.Condition) bool {
	ordered := slices.Contains([]core.CondOp{core.CondGt, core.CondGte, core.CondLt, core.CondLte, core.CondPrefix}, c.Op)
	_, text := c.Values[0].(string)
	area := c.Op == core.CondGeoRadius || c.Op == core.CondGeoBox
	if !ordered && !area && (c.Op != core.CondContains || !text) {
		return false
	}
	other, right, there := false, false, false
	for _, doc := range docs {
		var values []any
		for name, v := range doc {
			there = reach(name, v, c.Field, &values) || there
		}
		right = right || area && len(points(doc, c.Field)) > 0
		for _, v := range values {
			other = true
			_, same := compared(v, c.Values[0])
			_, isText := v.(string)
			right = right || !area && (same || isText && text && (c.Op == core.CondPrefix || c.Op == core.CondContains))
		}
	}
	return !right && (other || there && area)
}

func satisfies(v any, op core.CondOp, want any) bool {
	if x, isBool := v.(bool); isBool {
		return x == want
	}
	text, isText := v.(string)
	part, _ := want.(string)
	switch {
	case op == core.CondPrefix:
		return isText && strings.HasPrefix(text, part)
	case op == core.CondContains && isText:
		_, ok := want.(string)
		return ok && strings.Contains(text, part)
	}
	order, ok := compared(v, want)
	switch op {
	case core.CondGt:
		return ok && order > 0
	case core.CondGte:
		return ok && order >= 0
	case core.CondLt:
		return ok && order < 0
	case core.CondLte:
		return ok && order <= 0
	}
	return ok && order == 0
}

// randomCondition returns a condition that has a meaning.
func randomCondition(rng *rand.Rand) core.Condition {
	ops := []core.CondOp{core.CondEq, core.CondIn, core.CondGt, core.CondGte, core.CondLt, core.CondLte, core.CondExists,
		core.CondContains, core.CondPrefix, core.CondGeoRadius, core.CondGeoBox}
	c := core.Condition{
		Field: []string{"x", "y", "x.a", "x.b.c", "y.a"}[rng.IntN(5)],
		Op:    ops[rng.IntN(len(ops))],
	}
	switch c.Op {
	case core.CondExists:
		c.Values = []any{rng.IntN(2) == 0}
	case core.CondIn:
		for range rng.IntN(4) {
			c.Values = append(c.Values, scalar(rng))
		}
	case core.CondGeoRadius:
		c.Values = []any{core.Circle{Center: place(rng), Radius: rng.Float64() * 1e7}}
	case core.CondGeoBox:
		a, b := place(rng), place(rng)
		c.Values = []any{core.Box{TopLeft: core.Point{Lat: max(a.Lat, b.Lat), Lon: a.Lon}, BottomRight: core.Point{Lat: min(a.Lat, b.Lat), Lon: b.Lon}}}
	case core.CondPrefix:
		c.Values = []any{[]string{"", "a", "ab", "2024-02-03", "1"}[rng.IntN(5)]}
	default:
		c.Values = []any{scalar(rng)}
		for _, isBool := c.Values[0].(bool); isBool && c.Op != core.CondEq && c.Op != core.CondContains; _, isBool = c.Values[0].(bool) {
			c.Values[0] = scalar(rng)
		}
	}
	return c
}

func place(rng *rand.Rand) core.Point {
	return core.Point{Lat: float64(rng.IntN(181) - 90), Lon: float64(rng.IntN(361) - 180)}
}

// TestAgainstNaiveEvaluation changes documents of all shapes and compares what
// conditions give with a look at each document. Orders are asked for while
// little and while much changes in between.
func TestAgainstNaiveEvaluation(t *testing.T) {
	seed := seedOf(t)
	rng := rand.New(rand.NewPCG(seed, seed))
	x := field.New()
	docs := make(map[core.Ord]map[string]any)
	for _, changes := range []int{0, 1, 300, 5, 40, 3000, 2, 20, 200, 4000, 1, 10} {
		for range changes {
			ord := core.Ord(rng.IntN(1500))
			if rng.IntN(3) == 0 {
				x.Delete(ord)
				delete(docs, ord)
				continue
			}
			docs[ord] = map[string]any{"x": anything(rng, 0), "y": anything(rng, 0)}
			x.Insert(ord, &core.Document{ID: fmt.Sprint(ord), Fields: docs[ord]})
		}
		for range 60 {
			compareWithNaive(t, x, docs, randomCondition(rng))
		}
	}
	empty := field.New().SizeBytes()
	for ord := range docs {
		x.Delete(ord)
	}
	if got := x.SizeBytes(); got > empty+64 {
		t.Errorf("an emptied index takes %d bytes, a new one %d", got, empty)
	}
}

// TestFacetsAgreeWithNaiveCounts counts the values of random documents.
func TestFacetsAgreeWithNaiveCounts(t *testing.T) {
	seed := seedOf(t)
	rng := rand.New(rand.NewPCG(seed, seed))
	x := field.New()
	docs := make(map[core.Ord]map[string]any)
	within := core.NewSet()
	for i := range 3000 {
		ord := core.Ord(rng.IntN(1500))
		docs[ord] = map[string]any{"x": anything(rng, 0)}
		x.Insert(ord, &core.Document{ID: fmt.Sprint(ord), Fields: docs[ord]})
		if i%3 == 0 {
			within.Add(ord)
		}
	}
	for _, set := range []*core.Set{nil, within, core.NewSet()} {
		want := map[any]int{}
		for ord, doc := range docs {
			var values []any
			reach("x", doc["x"], "x", &values)
			if set != nil && !set.Contains(ord) {
				continue
			}
			seen := map[any]bool{}
			for _, v := range values {
				if f, ok := v.(float64); ok && f == math.Trunc(f) && f >= math.MinInt64 && f < 1<<63 {
					v = int64(f) // equal numbers are one value
				}
				if !seen[v] {
					seen[v] = true
					want[v]++
				}
			}
		}
		all, distinct := x.Facet("x", set, 10_000)
		if distinct != len(want) || len(all) != len(want) {
			t.Fatalf("%d values and %d distinct, want %d", len(all), distinct, len(want))
		}
		for i, v := range all {
			if want[v.Value] != v.Count {
				t.Errorf("%v is counted %d times, want %d", v.Value, v.Count, want[v.Value])
			}
			if i > 0 && v.Count > all[i-1].Count {
				t.Errorf("%v comes after %v", v, all[i-1])
			}
		}
		if few, _ := x.Facet("x", set, 5); !slices.Equal(few, all[:min(5, len(all))]) {
			t.Errorf("the first are %v, want %v", few, all[:min(5, len(all))])
		}
	}
}

func compareWithNaive(t *testing.T, x *field.Index, docs map[core.Ord]map[string]any, c core.Condition) {
	t.Helper()
	if len(c.Values) > 0 && refused(docs, c) {
		if _, err := x.Lookup(c); !errors.Is(err, core.ErrInvalid) {
			t.Fatalf("%+v gives error %v, want ErrInvalid", c, err)
		}
		return
	}
	var want []core.Ord
	for ord, doc := range docs {
		if holds(doc, c) {
			want = append(want, ord)
		}
	}
	slices.Sort(want)
	if got := lookup(t, x, c.Field, c.Op, c.Values...); !slices.Equal(got, want) {
		t.Fatalf("%+v gives %d ordinals %v, want %d %v", c, len(got), got, len(want), want)
	}
}

// TestLookupsBesideChanges asks while documents come and go; ordinals that
// stay must always be found, those gone before never.
func TestLookupsBesideChanges(t *testing.T) {
	x := field.New()
	for i := range 400 {
		x.Insert(core.Ord(i), &core.Document{ID: fmt.Sprint(i), Fields: map[string]any{"n": float64(i) / 3, "s": fmt.Sprint(i)}})
	}
	for i := 200; i < 400; i++ {
		x.Delete(core.Ord(i))
	}
	var wg sync.WaitGroup
	for w := range 3 {
		wg.Go(func() {
			for i := range 500 {
				ord := core.Ord(1000 + 1000*w + i)
				x.Insert(ord, &core.Document{ID: fmt.Sprint(ord), Fields: map[string]any{"n": float64(ord) / 7, "s": "new"}})
				if i%2 == 0 {
					x.Delete(ord)
				}
			}
		})
		wg.Go(func() {
			for i := range 100 {
				set, err := x.Lookup(core.Condition{Field: "n", Op: core.CondGte, Values: []any{float64(i) / 3}})
				if err != nil {
					t.Error(err)
					return
				}
				for ord := range core.Ord(400) {
					if set.Contains(ord) != (int(ord) >= i && ord < 200) {
						t.Errorf("n >= %d/3 and ordinal %d: %v", i, ord, set.Contains(ord))
					}
				}
				x.SizeBytes()
			}
		})
	}
	wg.Wait()
}
