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
}

// FacetResponse is the answer to a FacetRequest.
type FacetResponse struct {
	// Values are those with the most documents, the most first; equal ones rise.
	// A document whose field is an array counts for each of its values.
	Values   []core.FacetValue `json:"values"`
	Distinct int               `json:"distinct"`           // all values
	Warnings []string          `json:"warnings,omitempty"` // as in a Response
	Took     Took              `json:"took_ms"`
}

// UnmarshalJSON reads a request and refuses unknown members.
func (r *CountRequest) UnmarshalJSON(data []byte) error {
	return decodeObject(data, map[string]any{"filter": &r.Filter})
}

// UnmarshalJSON reads a request and refuses unknown members.
func (r *FacetRequest) UnmarshalJSON(data []byte) error {
	return decodeObject(data, map[string]any{"field": &r.Field, "filter": &r.Filter, "limit": &r.Limit})
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
	return nil
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
	values, distinct := e.source.Facet(r.Field, within, cmp.Or(r.Limit, DefaultFacetLimit))
	if values == nil {
		values = []core.FacetValue{}
	}
	out := FacetResponse{Values: values, Distinct: distinct}
	if distinct == 0 {
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
