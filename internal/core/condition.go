package core

// CondOp is the comparison of a Condition.
type CondOp string

// The comparisons. Eq and In compare strings, booleans and numbers (1 equals
// 1.0); the four order comparisons take numbers or strings (compared by
// bytes). A field that holds an array satisfies a condition when any of its
// elements does. Exists asks whether the field is there and not null.
const (
	CondEq     CondOp = "eq"
	CondIn     CondOp = "in"
	CondGt     CondOp = "gt"
	CondGte    CondOp = "gte"
	CondLt     CondOp = "lt"
	CondLte    CondOp = "lte"
	CondExists CondOp = "exists"
)

// Condition is one comparison on one field: the leaf of a filter. Values holds
// one value for every operation but CondIn, which takes any number; CondExists
// takes one bool. Values are string, bool, int64 or float64.
type Condition struct {
	Field  string
	Op     CondOp
	Values []any
}
