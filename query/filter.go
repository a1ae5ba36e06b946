package query

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/vecdb/vecdb/internal/core"
)

// Limits of a filter.
const (
	maxFilterDepth = 32
	maxFilterNodes = 1_000
	maxFilterIn    = 10_000 // values of one "in"
)

// Filter is a tree of conditions. A node is either one of And, Or and Not, or
// a leaf: a Field with one or more comparisons, all of which must hold. Its
// JSON form has the same names, for instance
//
//	{"and": [{"field": "year", "gte": 1990, "lt": 2000},
//	         {"not": {"field": "genre", "in": ["war", "crime"]}}]}
//
// Values are strings, booleans and numbers. A field that holds an array
// satisfies a comparison when any element does; a document without the field
// satisfies none but "exists": false. Nested objects are reached by dotted
// names. The fields "id" (eq, in) and "text" (exists) can be asked too.
type Filter struct {
	And []*Filter `json:"and,omitempty"`
	Or  []*Filter `json:"or,omitempty"`
	Not *Filter   `json:"not,omitempty"`

	Field  string `json:"field,omitempty"`
	Eq     any    `json:"eq,omitempty"`
	In     []any  `json:"in,omitzero"`
	Gt     any    `json:"gt,omitempty"`
	Gte    any    `json:"gte,omitempty"`
	Lt     any    `json:"lt,omitempty"`
	Lte    any    `json:"lte,omitempty"`
	Exists *bool  `json:"exists,omitempty"`
}

const filterHint = `for instance {"field":"year","gte":1990} or {"and":[…]}`

// UnmarshalJSON reads a filter and refuses everything that is not one. Errors
// are *core.InputError with a pointer within the filter.
func (f *Filter) UnmarshalJSON(data []byte) error {
	v, err := core.PlainJSON(data)
	if err != nil {
		return core.Invalid("", filterHint, "the filter is not JSON: %v", err)
	}
	nodes := 0
	parsed, err := parseFilter("", v, 1, &nodes)
	if err != nil {
		return err
	}
	*f = *parsed
	return nil
}

func parseFilter(at string, v any, depth int, nodes *int) (*Filter, error) {
	object, ok := v.(map[string]any)
	if *nodes++; !ok || len(object) == 0 {
		return nil, core.Invalid(at, filterHint, "a filter is an object with members")
	}
	if depth > maxFilterDepth || *nodes > maxFilterNodes {
		return nil, core.Invalid(at, "write it flatter", "a filter has at most %d levels and %d nodes", maxFilterDepth, maxFilterNodes)
	}
	f := new(Filter)
	for _, name := range sortedKeys(object) {
		if err := f.parseMember(at+"/"+core.EscapePointer(name), name, object[name], depth, nodes); err != nil {
			return nil, err
		}
	}
	return f, core.At(at, f.check())
}

func sortedKeys(m map[string]any) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func (f *Filter) parseMember(at, name string, v any, depth int, nodes *int) (err error) {
	switch name {
	case "and", "or":
		list, ok := v.([]any)
		if !ok || len(list) == 0 {
			return core.Invalid(at, "give an array of filters", "%q takes a non-empty array", name)
		}
		children := make([]*Filter, len(list))
		for i, e := range list {
			if children[i], err = parseFilter(fmt.Sprintf("%s/%d", at, i), e, depth+1, nodes); err != nil {
				return err
			}
		}
		if name == "and" {
			f.And = children
		} else {
			f.Or = children
		}
	case "not":
		f.Not, err = parseFilter(at, v, depth+1, nodes)
	case "field":
		var ok bool
		if f.Field, ok = v.(string); !ok || f.Field == "" {
			return core.Invalid(at, `for instance "field":"year"`, "the field's name must be a non-empty string")
		}
	case "in":
		list, ok := v.([]any)
		if !ok || len(list) > maxFilterIn {
			return core.Invalid(at, "give an array of values", `"in" takes an array of at most %d values`, maxFilterIn)
		}
		for i, e := range list {
			if err := checkScalar(fmt.Sprintf("%s/%d", at, i), e); err != nil {
				return err
			}
		}
		f.In = list
	case "exists":
		want, ok := v.(bool)
		if !ok {
			return core.Invalid(at, "use true or false", `"exists" takes a bool`)
		}
		f.Exists = &want
	default:
		return f.parseComparison(at, name, v)
	}
	return err
}

func (f *Filter) parseComparison(at, name string, v any) error {
	slot := map[string]*any{"eq": &f.Eq, "gt": &f.Gt, "gte": &f.Gte, "lt": &f.Lt, "lte": &f.Lte}[name]
	if slot == nil {
		return core.Invalid(at, "use and, or, not, or field with eq, in, gt, gte, lt, lte, exists", "unknown member %.40q", name)
	}
	if err := checkScalar(at, v); err != nil {
		return err
	}
	*slot = v
	return nil
}

func checkScalar(at string, v any) error {
	switch v.(type) {
	case string, bool, int64, float64:
		return nil
	case nil:
		return core.Invalid(at, `to find documents without the field, use "exists":false`, "null cannot be compared")
	}
	return core.Invalid(at, `to compare with several values, use "in"`, "a comparison takes a string, a number or a bool")
}

// check refuses nodes that are none or several things at once.
func (f *Filter) check() error {
	kinds := 0
	for _, is := range []bool{f.And != nil, f.Or != nil, f.Not != nil, f.Field != ""} {
		if is {
			kinds++
		}
	}
	compares := len(f.conditions()) > 0
	switch {
	case kinds == 0 && compares:
		return core.Invalid("", `add "field"`, "a comparison needs a field")
	case kinds != 1:
		return core.Invalid("", filterHint, `a filter has exactly one of "and", "or", "not" and "field"`)
	case f.Field != "" && !compares:
		return core.Invalid("", "add eq, in, gt, gte, lt, lte or exists", "the field %.40q is compared with nothing", f.Field)
	case f.Field == "" && compares:
		return core.Invalid("", "put the comparison into a node of its own", `comparisons stand beside "field" only`)
	}
	return nil
}

// conditions returns the comparisons of a leaf.
func (f *Filter) conditions() []core.Condition {
	var out []core.Condition
	add := func(op core.CondOp, values ...any) {
		out = append(out, core.Condition{Field: f.Field, Op: op, Values: values})
	}
	if f.Eq != nil {
		add(core.CondEq, f.Eq)
	}
	if f.In != nil {
		add(core.CondIn, f.In...)
	}
	for _, c := range []struct {
		op core.CondOp
		v  any
	}{{core.CondGt, f.Gt}, {core.CondGte, f.Gte}, {core.CondLt, f.Lt}, {core.CondLte, f.Lte}} {
		if c.v != nil {
			add(c.op, c.v)
		}
	}
	if f.Exists != nil {
		add(core.CondExists, *f.Exists)
	}
	return out
}

// Matching returns the ordinals of the documents that satisfy f; the caller
// owns the set. nil gives nil, which stands for all.
func (e *Engine) Matching(f *Filter) (*core.Set, error) {
	if f == nil {
		return nil, nil
	}
	set, err := e.matching(f, 1)
	return set, core.At("/filter", err)
}

func (e *Engine) matching(f *Filter, depth int) (*core.Set, error) {
	if f == nil || depth > maxFilterDepth {
		return nil, core.Invalid("", filterHint, "a filter is empty or nested more than %d levels deep", maxFilterDepth)
	}
	if err := f.check(); err != nil {
		return nil, err
	}
	switch {
	case f.And != nil:
		return e.combine("/and", f.And, depth, (*core.Set).And)
	case f.Or != nil:
		return e.combine("/or", f.Or, depth, (*core.Set).Or)
	case f.Not != nil:
		out, err := e.matching(f.Not, depth+1)
		if err != nil {
			return nil, core.At("/not", err)
		}
		all, err := e.source.Lookup(core.Condition{Field: "id", Op: core.CondExists, Values: []any{true}})
		if err != nil {
			return nil, err
		}
		all.AndNot(out)
		return all, nil
	}
	return e.leaf(f)
}

func (e *Engine) combine(at string, children []*Filter, depth int, op func(a, b *core.Set)) (out *core.Set, err error) {
	for i, child := range children {
		set, err := e.matching(child, depth+1)
		if err != nil {
			return nil, core.At(fmt.Sprintf("%s/%d", at, i), err)
		}
		if out == nil {
			out = set
			continue
		}
		op(out, set)
	}
	return out, nil
}

func (e *Engine) leaf(f *Filter) (out *core.Set, err error) {
	for _, cond := range f.conditions() {
		set, err := e.source.Lookup(cond)
		if err != nil {
			return nil, core.At("/"+string(cond.Op), err)
		}
		if out == nil {
			out = set
			continue
		}
		out.And(set)
	}
	return out, nil
}

// String returns the JSON form on one line.
func (f *Filter) String() string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(f); err != nil {
		return err.Error()
	}
	return strings.TrimSpace(b.String())
}
