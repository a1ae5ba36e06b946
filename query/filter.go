package query

import (
	"cmp"
	"math"
	"reflect"
	"strconv"
	"unicode/utf8"

	"github.com/vecdb/vecdb/internal/core"
)

// Limits of a filter.
const (
	MaxFilterDepth = 32     // nodes on the way from the root to a leaf, both counted
	MaxFilterNodes = 20_000 // nodes in all
)

// Filter is a tree of conditions. A node is either one of And, Or and Not, or
// a leaf: a Field with one or more comparisons, all of which must hold. Its
// JSON form has the same names, for instance
//
//	{"and": [{"field": "year", "gte": 1990, "lt": 2000},
//	         {"not": {"field": "genre", "in": ["war", "crime"]}}]}
//
// Values are strings, booleans and numbers; the four order comparisons take
// strings and numbers. Times (RFC 3339, or dates) are compared with times, as
// moments; other strings by their bytes. Prefix takes the beginning of strings,
// Contains a part of them, or a number or boolean that an array holds. GeoRadius
// and GeoBox look for points, objects with the numbers "lat" and "lon". A field
// that holds an array satisfies a comparison when any element does, each
// comparison on its own; a document without the field satisfies none but
// "exists": false. An empty In is satisfied by none. Nested objects are reached
// by dotted names. The fields "id" (eq, in, exists) and "text" (exists) can be
// asked too. A comparison with a kind of value that a field never holds, for
// instance of a number with a string, is refused when it is asked.
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

	Contains  any          `json:"contains,omitempty"`
	Prefix    any          `json:"prefix,omitempty"`
	GeoRadius *core.Circle `json:"geo_radius,omitempty"`
	GeoBox    *core.Box    `json:"geo_box,omitempty"`
}

// filterForm shows in hints what a node looks like.
const filterForm = `a node is {"and": […]}, {"or": […]}, {"not": {…}} or {"field": "year", "gte": 1990}`

// Validate checks the form of the filter and the types of its values. Errors
// are *core.InputError with a pointer relative to the filter. All Go types of
// numbers, strings and booleans are taken as values.
func (f *Filter) Validate() error {
	nodes := 0
	return f.check(1, &nodes)
}

func errManyNodes() error {
	return core.Invalid("", `use "in" for many values of one field`, "the filter has more than %d nodes", MaxFilterNodes)
}

func (f *Filter) check(depth int, nodes *int) error {
	*nodes++
	switch {
	case f == nil:
		return core.Invalid("", filterForm, "the node is missing")
	case depth > MaxFilterDepth:
		return core.Invalid("", "flatten it", "the filter is more than %d levels deep", MaxFilterDepth)
	case *nodes > MaxFilterNodes:
		return errManyNodes()
	}
	switch kinds := f.kinds(); {
	case len(kinds) == 0:
		return core.Invalid("", filterForm, "the node is empty")
	case len(kinds) > 1:
		return core.Invalid("", `combine them with "and"`, "the node mixes %q and %q", kinds[0], kinds[1])
	}
	if f.Not != nil {
		return core.At("/not", f.Not.check(depth+1, nodes))
	}
	if f.Field != "" || len(f.comparisons()) > 0 {
		return f.checkLeaf()
	}
	if f.And != nil {
		return checkNodes("/and", f.And, depth+1, nodes)
	}
	return checkNodes("/or", f.Or, depth+1, nodes)
}

// kinds names what the node is; a good one is one thing.
func (f *Filter) kinds() []string {
	var kinds []string
	for _, k := range []struct {
		name  string
		given bool
	}{
		{"and", f.And != nil}, {"or", f.Or != nil}, {"not", f.Not != nil},
		{"field", f.Field != "" || len(f.comparisons()) > 0},
	} {
		if k.given {
			kinds = append(kinds, k.name)
		}
	}
	return kinds
}

func checkNodes(pointer string, list []*Filter, depth int, nodes *int) error {
	if len(list) == 0 {
		return core.Invalid(pointer, "give at least one node or leave it out", "there is nothing to combine")
	}
	for i, child := range list {
		if err := child.check(depth, nodes); err != nil {
			return core.At(pointer+"/"+strconv.Itoa(i), err)
		}
	}
	return nil
}

func (f *Filter) checkLeaf() error {
	list := f.comparisons()
	switch {
	case f.Field == "":
		return core.Invalid("", `add "field"`, "the comparison has no field")
	case !utf8.ValidString(f.Field):
		return core.Invalid("/field", "send UTF-8", "the name of the field is not valid UTF-8")
	case f.Field == "vector":
		return core.Invalid("/field", "search by it instead", "vectors cannot be compared in a filter")
	case len(list) == 0:
		return core.Invalid("", `add "eq", "in", "gt", "gte", "lt", "lte", "exists", "contains", "prefix", "geo_radius" or "geo_box"`, "the field %.80q is compared with nothing", f.Field)
	}
	for _, c := range list {
		if _, err := c.condition(f.Field); err != nil {
			return err
		}
	}
	return nil
}

// comparison is one comparison of a leaf.
type comparison struct {
	op     core.CondOp
	values []any
}

// comparisons lists the comparisons that a leaf has.
func (f *Filter) comparisons() []comparison {
	var list []comparison
	for _, c := range []comparison{
		{core.CondEq, []any{f.Eq}}, {core.CondGt, []any{f.Gt}}, {core.CondGte, []any{f.Gte}},
		{core.CondLt, []any{f.Lt}}, {core.CondLte, []any{f.Lte}},
		{core.CondContains, []any{f.Contains}}, {core.CondPrefix, []any{f.Prefix}},
	} {
		if c.values[0] != nil {
			list = append(list, c)
		}
	}
	if f.In != nil {
		list = append(list, comparison{core.CondIn, f.In})
	}
	if f.Exists != nil {
		list = append(list, comparison{core.CondExists, []any{*f.Exists}})
	}
	if f.GeoRadius != nil {
		list = append(list, comparison{core.CondGeoRadius, []any{*f.GeoRadius}})
	}
	if f.GeoBox != nil {
		list = append(list, comparison{core.CondGeoBox, []any{*f.GeoBox}})
	}
	return list
}

// condition returns the comparison in the form that a Source takes.
func (c comparison) condition(field string) (core.Condition, error) {
	equality := c.op == core.CondEq || c.op == core.CondIn
	pointer := "/" + string(c.op)
	switch {
	case field == "text" && c.op != core.CondExists:
		return core.Condition{}, core.Invalid(pointer, `search for text, or use "exists"`, "the text cannot be compared in a filter")
	case field == "id" && !equality && c.op != core.CondExists:
		return core.Condition{}, core.Invalid(pointer, `use "eq" or "in"`, "ids can only be compared for equality")
	}
	if area, ok := c.values0().(core.Area); ok {
		return core.Condition{Field: field, Op: c.op, Values: c.values}, core.At(pointer, checkArea(area))
	}
	values := make([]any, len(c.values))
	for i, v := range c.values {
		at := pointer
		if c.op == core.CondIn {
			at += "/" + strconv.Itoa(i)
		}
		value, err := plainValue(v)
		if err == nil {
			err = checkComparable(field, c.op, value)
		}
		if err != nil {
			return core.Condition{}, core.At(at, err)
		}
		values[i] = value
	}
	return core.Condition{Field: field, Op: c.op, Values: values}, nil
}

// values0 returns the first value, nil where there is none.
func (c comparison) values0() any {
	if len(c.values) == 0 {
		return nil
	}
	return c.values[0]
}

// checkArea checks that an area lies on the earth.
func checkArea(a core.Area) error {
	onEarth := func(pointer string, p core.Point) error {
		if math.Abs(p.Lat) <= 90 && math.Abs(p.Lon) <= 180 {
			return nil
		}
		return core.Invalid(pointer, "latitudes go from -90 to 90, longitudes from -180 to 180", "there is no point at latitude %v, longitude %v", p.Lat, p.Lon)
	}
	switch a := a.(type) {
	case core.Circle:
		if !(a.Radius >= 0) || math.IsInf(a.Radius, 0) {
			return core.Invalid("/radius", "give meters", "the radius is %v", a.Radius)
		}
		return onEarth("/center", a.Center)
	case core.Box:
		if a.TopLeft.Lat < a.BottomRight.Lat {
			return core.Invalid("/top_left", "swap the latitudes", "the top of the box lies south of its bottom")
		}
		return cmp.Or(onEarth("/top_left", a.TopLeft), onEarth("/bottom_right", a.BottomRight))
	}
	return nil
}

func checkComparable(field string, op core.CondOp, value any) error {
	switch v := value.(type) {
	case bool:
		if op != core.CondEq && op != core.CondIn && op != core.CondExists && op != core.CondContains {
			return core.Invalid("", `use "eq", or compare with a number or a string`, "%q cannot order true and false", op)
		}
	case string:
		if !utf8.ValidString(v) {
			return core.Invalid("", "send UTF-8", "the value is not valid UTF-8")
		}
		return nil
	}
	if op == core.CondPrefix {
		return core.Invalid("", "give a string", "only strings have a beginning")
	}
	if field == "id" && op != core.CondExists {
		return core.Invalid("", "give the id as a string", "ids are strings")
	}
	return nil
}

// plainValue returns v as a string, bool, int64 or finite float64.
func plainValue(v any) (any, error) {
	switch rv := reflect.ValueOf(v); rv.Kind() {
	case reflect.String:
		return rv.String(), nil
	case reflect.Bool:
		return rv.Bool(), nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return rv.Int(), nil
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		if u := rv.Uint(); u > math.MaxInt64 {
			return float64(u), nil
		}
		return int64(rv.Uint()), nil
	case reflect.Float32, reflect.Float64:
		if finite(rv.Float()) {
			return rv.Float(), nil
		}
		return nil, core.Invalid("", "use a finite number", "cannot compare with %v", v)
	}
	return nil, core.Invalid("", `use a string, a number, true or false; "exists": false finds documents without the field`, "cannot compare with %s", describe(v))
}

func describe(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case string:
		return "a string"
	case bool:
		return "a boolean"
	case int64, float64:
		return "a number"
	case []any:
		return "an array"
	case map[string]any:
		return "an object"
	}
	return "a Go " + reflect.TypeOf(v).String()
}
