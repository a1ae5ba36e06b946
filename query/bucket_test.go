package query_test

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/vecdb/vecdb/query"
)

func TestFacetsCountInBuckets(t *testing.T) {
	_, e := newFake(
		at("a", 0, map[string]any{"year": int64(1990), "day": "2024-02-29"}),
		at("b", 1, map[string]any{"year": []any{1999.5, int64(1991)}, "day": "2024-03-01T00:30:00+01:00"}),
		at("c", 2, map[string]any{"year": int64(-3), "day": "soon"}),
		at("d", 3, map[string]any{"year": "1990", "day": "2023-12-31"}))
	for body, want := range map[string]string{
		`{"field":"year","interval":10}`:                                                           `[{"from":-10,"to":0,"count":1},{"from":1990,"to":2000,"count":2}]`,
		`{"field":"year","interval":0.5,"filter":{"field":"year","gt":1995}}`:                      `[{"from":1991,"to":1991.5,"count":1},{"from":1999.5,"to":2000,"count":1}]`,
		`{"field":"day","interval":"month"}`:                                                       `[{"from":"2023-12-01T00:00:00Z","to":"2024-01-01T00:00:00Z","count":1},{"from":"2024-02-01T00:00:00Z","to":"2024-03-01T00:00:00Z","count":2}]`,
		`{"field":"day","interval":"week"}`:                                                        `[{"from":"2023-12-25T00:00:00Z","to":"2024-01-01T00:00:00Z","count":1},{"from":"2024-02-26T00:00:00Z","to":"2024-03-04T00:00:00Z","count":2}]`,
		`{"field":"year","ranges":[{"to":0},{"from":1990,"to":1992},{"from":1980},{"from":5000}]}`: `[{"to":0,"count":1},{"from":1990,"to":1992,"count":2},{"from":1980,"count":2},{"from":5000,"count":0}]`,
		`{"field":"day","ranges":[{"from":"2024-01-01"}]}`:                                         `[{"from":"2024-01-01","count":2}]`,
	} {
		var r query.FacetRequest
		if err := json.Unmarshal([]byte(body), &r); err != nil {
			t.Fatal(err)
		}
		got, err := e.Facet(t.Context(), r)
		if text, _ := json.Marshal(got.Buckets); err != nil || string(text) != want {
			t.Errorf("%s\ngot  %s, %v\nwant %s", body, text, err, want)
		}
	}
	for _, c := range []struct {
		r               query.FacetRequest
		pointer, detail string
	}{
		{query.FacetRequest{Field: "a", Interval: 0}, "/interval", "is 0"},
		{query.FacetRequest{Field: "a", Interval: "moon"}, "/interval", "unknown interval"},
		{query.FacetRequest{Field: "a", Interval: true}, "/interval", "is true"},
		{query.FacetRequest{Field: "a", Interval: 1, Ranges: []query.Range{{From: 1}}}, "/ranges", "both"},
		{query.FacetRequest{Field: "a", Ranges: []query.Range{{}}}, "/ranges/0", "no end"},
		{query.FacetRequest{Field: "a", Ranges: []query.Range{{From: 3, To: 2}}}, "/ranges/0/to", "nothing lies"},
		{query.FacetRequest{Field: "a", Ranges: []query.Range{{From: 3, To: "2024-01-01"}}}, "/ranges/0/to", "a number and a time"},
		{query.FacetRequest{Field: "a", Ranges: []query.Range{{From: "soon"}}}, "/ranges/0/from", "neither"},
		{query.FacetRequest{Field: "a", Ranges: make([]query.Range, 300)}, "/ranges", "at most 256"},
	} {
		_, err := e.Facet(t.Context(), c.r)
		wantInput(t, err, c.pointer, c.detail)
	}
}

func TestASearchCountsAmongItsBestHits(t *testing.T) {
	rng := rngOf(t)
	_, e := crowd(rng, 120)
	for range 20 {
		r := query.Request{Vector: angle(rng.Float64() * 360), Limit: 40, Filter: &query.Filter{Field: "year", Gte: 1}}
		all, err := e.Search(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		r.Limit, r.Params.Candidates = 5, 40
		r.Facets = []query.FacetRequest{{Field: "genre"}, {Field: "year", Interval: 100}}
		got, err := e.Search(t.Context(), r)
		if err != nil || ids(got.Hits) != ids(all.Hits[:5]) || len(got.Facets) != 2 {
			t.Fatalf("%s, %+v, %v", ids(got.Hits), got.Facets, err)
		}
		counts := map[any]int{}
		for _, h := range all.Hits {
			for _, v := range valuesOf(h.Document, "genre") {
				counts[v]++
			}
		}
		have := map[any]int{}
		for _, v := range got.Facets[0].Values {
			have[v.Value] = v.Count
		}
		if !reflect.DeepEqual(have, counts) || got.Facets[1].Buckets[0].Count != len(all.Hits) {
			t.Fatalf("got %+v, want %v of %d", got.Facets, counts, len(all.Hits))
		}
	}
	v := angle(0)
	for _, c := range []struct {
		r               query.Request
		pointer, detail string
	}{
		{query.Request{Vector: v, Facets: []query.FacetRequest{{Field: "yeer"}}}, "/facets/0/field", "no document"},
		{query.Request{Vector: v, Facets: []query.FacetRequest{{Field: "year", Filter: &query.Filter{Field: "year", Eq: 1}}}}, "/facets/0/filter", "no filter of its own"},
		{query.Request{Vector: v, Facets: []query.FacetRequest{{Field: "year", Limit: 1e9}}}, "/facets/0/limit", "1 to 10000"},
		{query.Request{Vector: v, Facets: make([]query.FacetRequest, 33)}, "/facets", "at most 32"},
	} {
		_, err := e.Search(t.Context(), c.r)
		wantInput(t, err, c.pointer, c.detail)
	}
}
