package core

// CondOp is the comparison of a Condition.
type CondOp string

// The comparisons. Eq and In compare strings, booleans and numbers (1 equals
// 1.0); the four order comparisons take numbers or strings. Strings are
// compared by bytes, but a time (see ParseTime) only with other times, as
// moments. Prefix takes a string that others begin with. Contains takes a
// string that others hold, or a number or boolean, which is the same as Eq. The
// geo comparisons take an Area. A field that holds an array satisfies a
// condition when any of its elements does. Exists asks whether the field is
// there and not null.
const (
	CondEq        CondOp = "eq"
	CondIn        CondOp = "in"
	CondGt        CondOp = "gt"
	CondGte       CondOp = "gte"
	CondLt        CondOp = "lt"
	CondLte       CondOp = "lte"
	CondExists    CondOp = "exists"
	CondContains  CondOp = "contains"
	CondPrefix    CondOp = "prefix"
	CondGeoRadius CondOp = "geo_radius"
	CondGeoBox    CondOp = "geo_box"
)

// Condition is one comparison on one field: the leaf of a filter. Values holds
// one value for every operation but CondIn, which takes any number; CondExists
// takes one bool, CondGeoRadius and CondGeoBox one Area. Other values are
// string, bool, int64 or float64.
type Condition struct {
	Field  string
	Op     CondOp
	Values []any
}

// FacetValue is a value of a field with the number of documents that hold it.
type FacetValue struct {
	Value any `json:"value"` // string, bool, int64 or float64
	Count int `json:"count"`
}
