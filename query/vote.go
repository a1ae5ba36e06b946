package query

import (
	"math"
	"slices"
	"strconv"
	"strings"
)

// votes are the votes of the neighbors of one text.
type votes struct {
	labels    []string // in the order of their nearest voters
	shares    []float64
	neighbors []Voter
}

// tally lets the documents found, nearest first, vote on a label. The weight
// of a vote is the softmax of the scores divided by the temperature (the
// differentiable nearest neighbor of Goldberger et al., "Neighbourhood
// components analysis", NIPS 2004); a label has the sum of its votes, and all
// labels together have 1. Of equally probable labels the one with the nearer
// voter wins.
func tally(list []found, r ClassifyRequest) votes {
	v := votes{neighbors: make([]Voter, 0, len(list))}
	at := make(map[string]int)
	var nearest, total float64
	for _, f := range list {
		labels := LabelsOf(f.doc.Fields, r.LabelField)
		if len(labels) == 0 {
			continue
		}
		if len(v.labels) == 0 {
			nearest = float64(f.score)
		}
		// Relative to the nearest voter, whose weight is 1, no exponential
		// overflows and the sum is never 0.
		weight := math.Exp((float64(f.score) - nearest) / r.Temperature)
		v.neighbors = append(v.neighbors, Voter{ID: f.doc.ID, Score: f.score, Label: strings.Join(labels, ", ")})
		for _, label := range labels {
			i, seen := at[label]
			if !seen {
				i = len(v.labels)
				at[label] = i
				v.labels, v.shares = append(v.labels, label), append(v.shares, 0)
			}
			v.shares[i] += weight
			total += weight
		}
	}
	for i := range v.shares {
		v.shares[i] /= total
	}
	return v
}

// LabelsOf returns the labels under a dotted name, each once, in their order.
func LabelsOf(fields map[string]any, path string) []string {
	var labels []string
	for _, v := range valuesAt(fields, path) {
		if label := labelText(v); label != "" && !slices.Contains(labels, label) {
			labels = append(labels, label)
		}
	}
	return labels
}

// labelText returns a label as text, "" for what is none.
func labelText(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case bool:
		return strconv.FormatBool(v)
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return ""
}

// valuesAt returns the values under a dotted name, those of arrays one by one.
// A name may have dots itself, so each dot is tried as a step down.
func valuesAt(object map[string]any, path string) []any {
	values := flatten(object[path])
	for i, c := range path {
		if c != '.' {
			continue
		}
		for _, v := range flatten(object[path[:i]]) {
			if inner, ok := v.(map[string]any); ok {
				values = append(values, valuesAt(inner, path[i+1:])...)
			}
		}
	}
	return values
}

// flatten returns the elements of v, at any depth, or v alone when it is no
// array.
func flatten(v any) []any {
	list, ok := v.([]any)
	if !ok {
		return []any{v}
	}
	var out []any
	for _, element := range list {
		out = append(out, flatten(element)...)
	}
	return out
}
