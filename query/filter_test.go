package query_test

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/vecdb/vecdb/internal/core"
	"github.com/vecdb/vecdb/query"
)

func yes(b bool) *bool { return &b }

// satisfies evaluates a filter on one document, comparison by comparison.
func satisfies(f *query.Filter, doc *core.Document) bool {
	one := func(op core.CondOp, v any) bool {
		return v == nil || holds(doc, core.Condition{Field: f.Field, Op: op, Values: []any{v}})
	}
	switch {
	case f.And != nil:
		return !slices.ContainsFunc(f.And, func(g *query.Filter) bool { return !satisfies(g, doc) })
	case f.Or != nil:
		return slices.ContainsFunc(f.Or, func(g *query.Filter) bool { return satisfies(g, doc) })
	case f.Not != nil:
		return !satisfies(f.Not, doc)
	}
	return (f.GeoRadius == nil || one(core.CondGeoRadius, *f.GeoRadius)) && (f.GeoBox == nil || one(core.CondGeoBox, *f.GeoBox)) &&
		one(core.CondContains, f.Contains) && one(core.CondPrefix, f.Prefix) && one(core.CondEq, f.Eq) && one(core.CondGt, f.Gt) && one(core.CondGte, f.Gte) && one(core.CondLt, f.Lt) && one(core.CondLte, f.Lte) &&
		(f.In == nil || holds(doc, core.Condition{Field: f.Field, Op: core.CondIn, Values: f.In})) &&
		(f.Exists == nil || holds(doc, core.Condition{Field: f.Field, Op: core.CondExists, Values: []any{*f.Exists}}))
}

func randomValue(r *rand.Rand) any {
	return []any{int64(r.IntN(5)), float64(r.IntN(10)) / 2, string(rune('a' + r.IntN(4))), r.IntN(2) == 0}[r.IntN(4)]
}

func randomDocument(r *rand.Rand, id string) *core.Document {
	fields := map[string]any{}
	for _, name := range []string{"p", "q", "r"} {
		switch r.IntN(4) {
		case 0:
			fields[name] = []any{randomValue(r), randomValue(r)}
		case 1, 2:
			fields[name] = randomValue(r)
		}
	}
	fields["place"] = map[string]any{"lat": float64(r.IntN(90)), "lon": int64(r.IntN(90))}
	return at(id, float64(r.IntN(360)), fields)
}

func randomFilter(r *rand.Rand, depth int) *query.Filter {
	several := func() []*query.Filter {
		list := make([]*query.Filter, 1+r.IntN(3))
		for i := range list {
			list[i] = randomFilter(r, depth-1)
		}
		return list
	}
	if depth > 1 {
		switch r.IntN(5) {
		case 0:
			return &query.Filter{And: several()}
		case 1:
			return &query.Filter{Or: several()}
		case 2:
			return &query.Filter{Not: randomFilter(r, depth-1)}
		}
	}
	f := &query.Filter{Field: []string{"p", "q", "r"}[r.IntN(3)]}
	order := func() any { return []any{int64(r.IntN(5)), 1.5, "b"}[r.IntN(3)] }
	switch r.IntN(8) {
	case 5:
		f.Field, f.GeoRadius = "place", &core.Circle{Center: core.Point{Lat: 45, Lon: 45}, Radius: 6e6 * r.Float64()}
	case 6:
		f.Field, f.GeoBox = "place", &core.Box{TopLeft: core.Point{Lat: 50, Lon: float64(r.IntN(90))}, BottomRight: core.Point{Lat: 10, Lon: 60}}
	case 7:
		f.Contains, f.Prefix = []any{"a", "b", int64(2), true}[r.IntN(4)], []any{"", "a", nil}[r.IntN(3)]
	case 0:
		f.Eq = randomValue(r)
	case 1:
		f.In = []any{randomValue(r), randomValue(r)}
	case 2:
		f.Gt, f.Lte = order(), order()
	case 3:
		f.Gte, f.Lt = order(), order()
	default:
		f.Exists = yes(r.IntN(2) == 0)
	}
	return f
}

func TestFiltersAgreeWithNaiveEvaluation(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	var docs []*core.Document
	for i := range 60 {
		docs = append(docs, randomDocument(r, fmt.Sprint(i)))
	}
	_, e := newFake(docs...)
	for range 300 {
		f := randomFilter(r, 4)
		want := map[string]bool{}
		for _, doc := range docs {
			if satisfies(f, doc) {
				want[doc.ID] = true
			}
		}
		_, read := rewrite(t, f)
		got, err := e.Search(t.Context(), query.Request{Vector: angle(0), Filter: []*query.Filter{f, read}[r.IntN(2)], Limit: 100})
		if err != nil {
			t.Fatal(err)
		}
		have := map[string]bool{}
		for _, h := range got.Hits {
			have[h.ID] = true
		}
		if !reflect.DeepEqual(have, want) {
			text, _ := json.Marshal(f)
			t.Fatalf("filter %s gives %v, want %v", text, have, want)
		}
		roundTrip(t, f)
	}
}

// roundTrip checks that the JSON of a filter reads back as the same filter.
// Reading it once makes whole float64 values, negative zero among them, int64.
func roundTrip(t *testing.T, f *query.Filter) {
	t.Helper()
	text, once := rewrite(t, f)
	_, twice := rewrite(t, once)
	if !reflect.DeepEqual(once, twice) {
		t.Fatalf("%s is read back as something else the second time", text)
	}
}

// rewrite writes f and reads it back.
func rewrite(t *testing.T, f *query.Filter) (string, *query.Filter) {
	t.Helper()
	text, err := json.Marshal(f)
	if err != nil {
		t.Fatal(err)
	}
	var back query.Filter
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatalf("%s is not read back: %v", text, err)
	}
	return string(text), &back
}

func TestFilterJSONKeepsZeroValues(t *testing.T) {
	for _, text := range []string{
		`{"field":"a","eq":false}`, `{"field":"a","eq":0}`, `{"field":"a","eq":""}`, `{"field":"a","in":[]}`,
		`{"field":"a","gt":0,"lte":0}`, `{"field":"a","gte":"","lt":""}`, `{"field":"a","exists":false}`,
		`{"and":[{"field":"a","eq":1.5},{"or":[{"not":{"field":"b.c","in":["x",1,true]}}]}]}`,
	} {
		var f query.Filter
		if err := json.Unmarshal([]byte(text), &f); err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if out, err := json.Marshal(f); err != nil || string(out) != text {
			t.Errorf("%s became %s, %v", text, out, err)
		}
	}
}

func TestFilterJSONReadsNumbersAsDocumentsDo(t *testing.T) {
	var f query.Filter
	if err := json.Unmarshal([]byte(`{"field":"a","in":[9007199254740993,2.5,1e30]}`), &f); err != nil {
		t.Fatal(err)
	}
	if want := []any{int64(9007199254740993), 2.5, 1e30}; !reflect.DeepEqual(f.In, want) {
		t.Errorf("got %#v", f.In)
	}
}

func nested(depth int) string {
	return strings.Repeat(`{"not":`, depth-1) + `{"field":"a","eq":1}` + strings.Repeat("}", depth-1)
}

func TestFilterJSONRefusals(t *testing.T) {
	for _, c := range []struct{ text, pointer, detail string }{
		{`null`, "", "must be an object"},
		{`[]`, "", "must be an object"},
		{`{}`, "", "empty"},
		{`{"field":"a"}`, "", "compared with nothing"},
		{`{"eq":1}`, "", "has no field"},
		{`{"field":"","eq":1}`, "/field", "must be a name"},
		{`{"field":7,"eq":1}`, "/field", "must be a name"},
		{`{"field":"a","equals":1}`, "/equals", "unknown member"},
		{`{"Field":"a","eq":1}`, "/Field", "unknown member"},
		{`{"a/b":1}`, "/a~1b", "unknown member"},
		{`{"field":"a","eq":null}`, "/eq", "null"},
		{`{"field":"a","eq":[1]}`, "/eq", "an array"},
		{`{"field":"a","eq":{}}`, "/eq", "an object"},
		{`{"field":"a","in":5}`, "/in", "not a number"},
		{`{"field":"a","in":[1,null]}`, "/in/1", "null"},
		{`{"field":"a","gt":true}`, "/gt", "cannot order"},
		{`{"field":"a","lte":[1]}`, "/lte", "an array"},
		{`{"field":"a","exists":"yes"}`, "/exists", "true or false"},
		{`{"field":"a","exists":null}`, "/exists", "true or false"},
		{`{"field":"a","eq":1e999}`, "", "does not fit"},
		{`{"field":"text","eq":"x"}`, "/eq", "text cannot be compared"},
		{`{"field":"id","gt":"x"}`, "/gt", "equality"},
		{`{"field":"id","eq":5}`, "/eq", "ids are strings"},
		{`{"field":"id","in":["a",true]}`, "/in/1", "ids are strings"},
		{`{"field":"vector","exists":true}`, "/field", "vectors"},
		{`{"field":"a","prefix":5}`, "/prefix", "only strings"},
		{`{"field":"a","contains":null}`, "/contains", "null"},
		{`{"field":"a","geo_radius":{"center":{"lat":91,"lon":0},"radius":5}}`, "/geo_radius/center", "need a point"},
		{`{"field":"a","geo_radius":{"center":{"lat":1,"lon":0}}}`, "/geo_radius/radius", "need a number"},
		{`{"field":"a","geo_radius":{"center":{"lat":1,"lon":0},"radius":-1}}`, "/geo_radius/radius", "the radius is -1"},
		{`{"field":"a","geo_box":{"top_left":{"lat":1,"lon":0},"bottom_right":{"lat":2,"lon":0}}}`, "/geo_box/top_left", "south of its bottom"},
		{`{"field":"a","geo_box":{"top":1}}`, "/geo_box/top", "unknown member"},
		{`{"and":[]}`, "/and", "nothing to combine"},
		{`{"or":{}}`, "/or", "array of nodes"},
		{`{"and":null}`, "/and", "array of nodes"},
		{`{"not":null}`, "/not", "must be an object"},
		{`{"and":[{"field":"a","eq":1},null]}`, "/and/1", "must be an object"},
		{`{"or":[{"not":{"field":"a","gt":false}}]}`, "/or/0/not/gt", "cannot order"},
		{`{"and":[{"field":"a","eq":1}],"or":[{"field":"a","eq":1}]}`, "", `mixes "and" and "or"`},
		{`{"not":{"field":"a","eq":1},"field":"b","eq":2}`, "", `mixes "not" and "field"`},
		{nested(33), strings.Repeat("/not", 32), "levels deep"},
		{`{"or":[` + strings.TrimSuffix(strings.Repeat(`{"field":"a","eq":1},`, 20_000), ",") + `]}`, "/or/19999", "more than 20000 nodes"},
		{`{"or":[` + strings.Repeat(`{},`, 80_000) + `{}]}`, "", "more than 20000 nodes"}, // told before they are decoded
	} {
		var f query.Filter
		err := json.Unmarshal([]byte(c.text), &f)
		if err == nil {
			t.Errorf("%.80s was taken", c.text)
			continue
		}
		wantInput(t, err, c.pointer, c.detail)
	}
	var braces query.Filter
	if err := json.Unmarshal([]byte(`{"field":"a","eq":"\"`+strings.Repeat("{", 80_001)+`"}`), &braces); err != nil {
		t.Errorf("a value of many braces: %v", err)
	}
	var f query.Filter
	if err := json.Unmarshal([]byte(nested(32)), &f); err != nil {
		t.Errorf("32 levels: %v", err)
	}
}

func TestNullIsAnsweredWithTheWayToAskForIt(t *testing.T) {
	var f query.Filter
	err := json.Unmarshal([]byte(`{"field":"x","eq":null}`), &f)
	if err == nil || !strings.Contains(err.Error(), `"exists": false`) {
		t.Errorf("got %v", err)
	}
}

func TestFiltersMadeInGo(t *testing.T) {
	type genre string
	for _, f := range []*query.Filter{
		{Field: "a", Eq: 5}, {Field: "a", Eq: uint8(5)}, {Field: "a", Lt: float32(1)}, {Field: "a", In: []any{genre("x")}},
		{Field: "a", Gt: uint64(math.MaxUint64)}, {Field: "text", Exists: yes(true)},
	} {
		if err := f.Validate(); err != nil {
			t.Errorf("%+v: %v", f, err)
		}
	}
	loop := &query.Filter{}
	loop.Not = loop
	for _, c := range []struct {
		f               *query.Filter
		pointer, detail string
	}{
		{nil, "", "missing"},
		{&query.Filter{And: []*query.Filter{nil}}, "/and/0", "missing"},
		{&query.Filter{Field: "a", Lt: math.NaN()}, "/lt", "NaN"},
		{&query.Filter{Field: "a", Eq: math.Inf(1)}, "/eq", "Inf"},
		{&query.Filter{Field: "a", Eq: struct{}{}}, "/eq", "struct"},
		{&query.Filter{Field: "\xff", Eq: 1}, "/field", "UTF-8"},
		{&query.Filter{Field: "a", Eq: "\xff"}, "/eq", "UTF-8"},
		{loop, strings.Repeat("/not", 32), "levels deep"},
	} {
		wantInput(t, c.f.Validate(), c.pointer, c.detail)
	}
}

func TestMatchingReturnsTheOrdinals(t *testing.T) {
	_, e := fan()
	set, err := e.Matching(t.Context(), &query.Filter{Not: &query.Filter{Field: "year", Lt: 2010}})
	if err != nil {
		t.Fatal(err)
	}
	if got := slices.Collect(set.All()); !slices.Equal(got, []core.Ord{2, 3, 4}) {
		t.Errorf("got %v", got)
	}
	if set, err := e.Matching(t.Context(), nil); set != nil || err != nil {
		t.Errorf("no filter gives %v, %v", set, err)
	}
	_, err = e.Matching(t.Context(), &query.Filter{})
	wantInput(t, err, "/filter", "empty")
}

func TestErrorsOfALookupEndTheQuery(t *testing.T) {
	f, e := fan()
	f.lookupErr = core.Invalid("", "", "no such thing")
	leaf := &query.Filter{Field: "broken", Eq: 1}
	for pointer, filter := range map[string]*query.Filter{
		"/filter/eq": leaf, "/filter/and/0/eq": {And: []*query.Filter{leaf}}, "/filter/or/0/eq": {Or: []*query.Filter{leaf}}, "/filter/not/eq": {Not: leaf},
	} {
		_, err := e.Search(t.Context(), query.Request{Vector: angle(0), Filter: filter})
		wantInput(t, err, pointer, "no such thing")
		_, err = e.Classify(t.Context(), query.ClassifyRequest{Request: query.Request{Vector: angle(0), Filter: filter}})
		wantInput(t, err, pointer, "no such thing")
	}
}

func FuzzFilter(f *testing.F) {
	for _, text := range []string{
		`{"field":"a","eq":1}`, `{"and":[{"field":"a","in":["x",2,true]},{"not":{"field":"b","exists":false}}]}`,
		`{"or":[]}`, `{"field":"a","gt":-0.0,"lt":1e300}`, `{"field":"id","eq":"é"}`, `null`, `{"field":"a","eq":"\ud800"}`,
	} {
		f.Add([]byte(text))
	}
	_, e := newFake(at("1", 0, map[string]any{"a": int64(1)}), at("2", 1, map[string]any{"b": "x"}))
	f.Fuzz(func(t *testing.T, data []byte) {
		var got query.Filter
		if json.Unmarshal(data, &got) != nil {
			return
		}
		if err := got.Validate(); err != nil {
			t.Fatalf("%q was read and is invalid: %v", data, err)
		}
		roundTrip(t, &got)
		if _, err := e.Search(t.Context(), query.Request{Vector: angle(0), Filter: &got}); err != nil {
			t.Fatalf("%q cannot be evaluated: %v", data, err)
		}
	})
}
