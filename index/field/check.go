package field

import (
	"math"

	"github.com/vecdb/vecdb/internal/core"
)

// check refuses conditions that have no meaning, with an *core.InputError.
func check(cond core.Condition) error {
	switch cond.Op {
	case core.CondExists, core.CondEq, core.CondGt, core.CondGte, core.CondLt, core.CondLte:
		if len(cond.Values) != 1 {
			return core.Invalid("", "give one value", "%q takes one value, not %d", cond.Op, len(cond.Values))
		}
	case core.CondIn:
	default:
		return core.Invalid("", "use eq, in, gt, gte, lt, lte or exists", "unknown comparison %q", cond.Op)
	}
	if err := checkField(cond); err != nil {
		return err
	}
	for _, v := range cond.Values {
		if err := checkValue(cond, v); err != nil {
			return err
		}
	}
	return nil
}

// checkField refuses what the members of the document itself cannot be asked.
func checkField(cond core.Condition) error {
	switch {
	case cond.Field == "vector":
		return core.Invalid("", "search by it instead", "vectors cannot be compared in a filter")
	case cond.Field == "text" && cond.Op != core.CondExists:
		return core.Invalid("", `search for text, or use "exists"`, "the text cannot be compared in a filter")
	case cond.Field == "id" && cond.Op != core.CondExists && !equality(cond.Op):
		return core.Invalid("", `use "eq" or "in"`, "ids can only be compared for equality")
	}
	return nil
}

func checkValue(cond core.Condition, v any) error {
	_, text := v.(string)
	_, truth := v.(bool)
	number, float := v.(float64)
	_, whole := v.(int64)
	switch {
	case cond.Op == core.CondExists && !truth:
		return core.Invalid("", "use true or false", `"exists" takes a bool`)
	case cond.Op == core.CondExists:
		return nil
	case cond.Field == "id" && !text:
		return core.Invalid("", "give the id as a string", "ids are strings")
	case !text && !truth && !float && !whole:
		return core.Invalid("", "use strings, numbers, true or false", "%q cannot compare with a %T", cond.Op, v)
	case truth && !equality(cond.Op):
		return core.Invalid("", "compare numbers or strings", "%q cannot order true and false", cond.Op)
	case float && math.IsNaN(number):
		return core.Invalid("", "use a number", "NaN equals nothing")
	}
	return nil
}

func equality(op core.CondOp) bool { return op == core.CondEq || op == core.CondIn }
