package query

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/vecdb/vecdb/internal/core"
)

// Limits and defaults of facets.
const (
	DefaultFacetLimit = 20
	MaxFacetLimit     = 10_000
)

// CountRequest asks how many documents satisfy a filter, nil for all.
type CountRequest struct {
	Filter *Filter `json:"filter,omitempty"`
}

// CountResponse is the answer to a CountRequest.
type CountResponse struct {
	Count    int      `json:"count"`
	Warnings []string `json:"warnings,omitempty"` // as in a Response
	Took     Took     `json:"took_ms"`
}

// FacetRequest asks for the values of a field with the number of documents that
// hold each.
type FacetRequest struct {
	// Field is reached by a dotted name in nested objects.
	Field string `json:"field"`
	// Filter restricts which documents are counted.
	Filter *Filter `json:"filter,omitempty"`
	// Limit is the largest number of values; 0 is DefaultFacetLimit, at most
	// MaxFacetLimit.
	Limit int `json:"limit,omitempty"`
	// Interval counts numbers or times in buckets of that width instead: a number,
	// or for times year, month, week (from Monday), day, hour or minute, in UTC.
	// Ranges counts them in the given buckets. A document counts once a bucket.
	Interval any     `json:"interval,omitempty"`
	Ranges   []Range `json:"ranges,omitempty"`
}

// FacetResponse is the answer to a FacetRequest.
type FacetResponse struct {
	// Values are those with the most documents, the most first; equal ones rise.
	// A document whose field is an array counts for each of its values.
	Values   []core.FacetValue `json:"values"`
	Distinct int               `json:"distinct"` // all values
	// Buckets are those of the request's interval that hold documents, in rising
	// order, or those of its ranges, in theirs; there are no Values then.
	Buckets  []Bucket `json:"buckets,omitempty"`
	Warnings []string `json:"warnings,omitempty"` // as in a Response
	Took     Took     `json:"took_ms"`
}

// HitFacet is a facet of the best hits of a search.
type HitFacet struct {
	Field    string            `json:"field"`
	Values   []core.FacetValue `json:"values"` // as in a FacetResponse, like the rest
	Distinct int               `json:"distinct"`
	Buckets  []Bucket          `json:"buckets,omitempty"`
}

// MaxFacets bounds the facets of one search.
const MaxFacets = 32

// UnmarshalJSON reads a request and refuses unknown members.
func (r *CountRequest) UnmarshalJSON(data []byte) error {
	return decodeObject(data, map[string]any{"filter": &r.Filter})
}

// UnmarshalJSON reads a request and refuses unknown members.
func (r *FacetRequest) UnmarshalJSON(data []byte) error {
	var interval bound
	err := decodeObject(data, map[string]any{"field": &r.Field, "filter": &r.Filter, "limit": &r.Limit,
		"interval": &interval, "ranges": &r.Ranges})
	r.Interval = interval.value
	return err
}

// Validate checks the request. Errors are *core.InputError.
func (r *FacetRequest) Validate() error {
	switch {
	case r.Field == "":
		return core.Invalid("/field", `name a field, for instance "genre"`, "the request names no field")
	case !utf8.ValidString(r.Field):
		return core.Invalid("/field", "send UTF-8", "the name of the field is not valid UTF-8")
	case core.Reserved(r.Field):
		return core.Invalid("/field", "name a field", "the %s of a document has no values to count", r.Field)
	case r.Limit < 0 || r.Limit > MaxFacetLimit:
		return core.Invalid("/limit", "leave it out for "+strconv.Itoa(DefaultFacetLimit), "the limit is %d, 1 to %d are allowed", r.Limit, MaxFacetLimit)
	}
	return r.checkBuckets()
}

// Count counts the documents that satisfy a filter.
func (e *Engine) Count(ctx context.Context, r CountRequest) (CountResponse, error) {
	start := time.Now()
	set, err := e.Matching(ctx, r.Filter)
	if r.Filter == nil {
		set, err = e.everything(ctx)
	}
	if err != nil {
		return CountResponse{}, err
	}
	out := CountResponse{Count: set.Len()}
	if out.Count == 0 {
		out.Warnings = e.warnings(r.Filter)
	}
	out.Took.Search = milliseconds(time.Since(start))
	out.Took.Total = out.Took.Search
	return out, nil
}

// Facet counts the documents of each value of a field.
func (e *Engine) Facet(ctx context.Context, r FacetRequest) (FacetResponse, error) {
	start := time.Now()
	if err := r.Validate(); err != nil {
		return FacetResponse{}, err
	}
	within, err := e.Matching(ctx, r.Filter)
	if err != nil {
		return FacetResponse{}, err
	}
	one, err := e.facet(r, within)
	if err != nil {
		return FacetResponse{}, err
	}
	out := FacetResponse{Values: one.Values, Distinct: one.Distinct, Buckets: one.Buckets}
	if len(one.Values)+len(one.Buckets) == 0 {
		there := true
		asked := &Filter{Field: r.Field, Exists: &there}
		if r.Filter != nil {
			asked = &Filter{And: []*Filter{asked, r.Filter}}
		}
		out.Warnings = e.warnings(asked)
	}
	out.Took.Search = milliseconds(time.Since(start))
	out.Took.Total = out.Took.Search
	return out, nil
}

// facet counts the documents within, nil for all, by a checked request.
func (e *Engine) facet(r FacetRequest, within *core.Set) (out HitFacet, err error) {
	out = HitFacet{Field: r.Field, Values: []core.FacetValue{}}
	if r.Interval != nil || r.Ranges != nil {
		out.Buckets, err = e.buckets(r, within)
		return out, err
	}
	values, distinct := e.source.Facet(r.Field, within, cmp.Or(r.Limit, DefaultFacetLimit))
	out.Values, out.Distinct = append(out.Values, values...), distinct
	return out, nil
}

// facets counts the candidates of a search.
func (e *Engine) facets(ctx context.Context, r Request, ords []core.Ord) ([]HitFacet, error) {
	within := core.NewSet(ords...)
	var out []HitFacet
	for i, f := range r.Facets {
		pointer := "/facets/" + strconv.Itoa(i)
		if err := e.knownField(ctx, pointer+"/field", f.Field); err != nil {
			return nil, err
		}
		one, err := e.facet(f, within)
		if err != nil {
			return nil, core.At(pointer, err)
		}
		out = append(out, one)
	}
	return out, nil
}

func (r *Request) checkFacets() error {
	switch {
	case len(r.Facets) > MaxFacets:
		return core.Invalid("/facets", "ask for fewer", "there are %d facets, at most %d are allowed", len(r.Facets), MaxFacets)
	case len(r.Facets) > 0 && r.GroupBy != "":
		return core.Invalid("/facets", `leave it or "group_by" out`, "the hits of groups have no facets")
	}
	for i, f := range r.Facets {
		pointer := "/facets/" + strconv.Itoa(i)
		if f.Filter != nil {
			return core.Invalid(pointer+"/filter", "use the filter of the search", "a facet of hits has no filter of its own")
		}
		if err := f.Validate(); err != nil {
			return core.At(pointer, err)
		}
	}
	return nil
}

// warnings names the fields of a filter that no document has, with the name
// that may have been meant.
func (e *Engine) warnings(f *Filter) []string {
	if f == nil {
		return nil
	}
	names := e.source.FieldNames()
	var out []string
	for _, field := range f.names(nil) {
		if core.Reserved(field) || slices.Contains(names, field) {
			continue
		}
		text := fmt.Sprintf("no document has the field %.80q", field)
		if name := closest(field, names); name != "" {
			text += fmt.Sprintf("; did you mean %.80q?", name)
		}
		if out = append(out, text); len(out) == maxWarnings {
			break
		}
	}
	return out
}

// untold warns that nothing can be found because it is not known yet how vectors
// are made.
func (e *Engine) untold() []string {
	if e.dim > 0 {
		return nil
	}
	return []string{"the model of the collection is not chosen yet: the texts of the first documents choose it"}
}

// maxWarnings bounds the warnings of one answer.
const maxWarnings = 5

// names appends the fields that the filter names, each once.
func (f *Filter) names(list []string) []string {
	if f.Field != "" && !slices.Contains(list, f.Field) && len(list) < MaxExamples {
		list = append(list, f.Field)
	}
	if f.Not != nil {
		list = f.Not.names(list)
	}
	for _, child := range slices.Concat(f.And, f.Or) {
		list = child.names(list)
	}
	return list
}

// closest returns the name with the fewest changes of one letter to it, "" when
// none is near.
func closest(name string, names []string) string {
	best, least := "", 1+len(name)/3
	for _, other := range names {
		if abs := len(other) - len(name); max(abs, -abs) > least {
			continue
		}
		if d := distance(name, other); d <= least && (best == "" || d < least) {
			best, least = other, d
		}
	}
	return best
}

// distance counts the bytes to insert, delete or replace, or to swap with their
// neighbors, to make b of a (optimal string alignment).
func distance(a, b string) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before, last, row = last, row, before
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			row[j+1] = min(last[j+1]+1, row[j]+1, last[j]+cost)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
	}
	return row[len(b)]
}
