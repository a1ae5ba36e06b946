package query_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/vecdb/vecdb/internal/core"
	"github.com/vecdb/vecdb/query"
)

func TestFacetsCountWhatTheFilterLeaves(t *testing.T) {
	_, e := newFake(
		at("a", 0, map[string]any{"genre": []any{"war", "drama"}, "year": int64(1990)}),
		at("b", 1, map[string]any{"genre": "war", "year": int64(2000)}),
		at("c", 2, map[string]any{"genre": "crime", "year": int64(2001)}))
	got, err := e.Facet(t.Context(), query.FacetRequest{Field: "genre", Limit: 2})
	if want := []core.FacetValue{{Value: "war", Count: 2}, {Value: "crime", Count: 1}}; err != nil || !reflect.DeepEqual(got.Values, want) || got.Distinct != 3 {
		t.Errorf("got %+v, %v", got, err)
	}
	got, err = e.Facet(t.Context(), query.FacetRequest{Field: "genre", Filter: &query.Filter{Field: "year", Gt: 2000}})
	if want := []core.FacetValue{{Value: "crime", Count: 1}}; err != nil || !reflect.DeepEqual(got.Values, want) || got.Distinct != 1 {
		t.Errorf("filtered: %+v, %v", got, err)
	}
	for _, c := range []struct {
		r               query.FacetRequest
		pointer, detail string
	}{
		{query.FacetRequest{}, "/field", "names no field"},
		{query.FacetRequest{Field: "id"}, "/field", "no values to count"},
		{query.FacetRequest{Field: "a", Limit: 1e9}, "/limit", "1 to 10000"},
		{query.FacetRequest{Field: "a", Filter: &query.Filter{Field: "b"}}, "/filter", "compared with nothing"},
	} {
		_, err := e.Facet(t.Context(), c.r)
		wantInput(t, err, c.pointer, c.detail)
	}
}

func TestUnknownFieldsAreWarnedOfWhenNothingIsFound(t *testing.T) {
	_, e := newFake(at("a", 0, map[string]any{"year": int64(1990), "genre": "war"}))
	for field, want := range map[string]string{
		"yeer": `did you mean "year"?`, "genres": `did you mean "genre"?`, "publisher": `no document has the field "publisher"`, "year": "", "id": "",
	} {
		f := &query.Filter{And: []*query.Filter{{Field: "genre", Eq: "peace"}, {Not: &query.Filter{Field: field, Eq: "x"}}}}
		n, err := e.Count(t.Context(), query.CountRequest{Filter: f})
		if err != nil || n.Count != 0 {
			t.Fatalf("%+v, %v", n, err)
		}
		found, err := e.Search(t.Context(), query.Request{Vector: angle(0), Filter: f})
		if err != nil || !reflect.DeepEqual(found.Warnings, n.Warnings) {
			t.Errorf("search warns %q, %v; count %q", found.Warnings, err, n.Warnings)
		}
		if got := strings.Join(n.Warnings, "; "); (want == "") != (got == "") || !strings.Contains(got, want) || field == "publisher" && strings.Contains(got, "mean") {
			t.Errorf("%s: warned %q, want %q", field, got, want)
		}
	}
	if n, err := e.Count(t.Context(), query.CountRequest{}); err != nil || n.Count != 1 {
		t.Errorf("all: %+v, %v", n, err)
	}
}

func TestTenThousandTermsAreCounted(t *testing.T) {
	_, e := fan()
	var or query.Filter
	for i := range 10_000 {
		or.Or = append(or.Or, &query.Filter{Field: "year", Eq: i})
	}
	all, err := e.Count(t.Context(), query.CountRequest{Filter: &or})
	if err != nil || all.Count != 3 {
		t.Errorf("%+v, %v", all, err)
	}
}
