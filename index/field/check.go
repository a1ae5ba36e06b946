package field

import (
	"math"
	"strings"

	"github.com/vecdb/vecdb/internal/core"
)

// check refuses conditions that have no meaning, with an *core.InputError.
func check(cond core.Condition) error {
	switch cond.Op {
	case core.CondExists, core.CondEq, core.CondGt, core.CondGte, core.CondLt, core.CondLte,
		core.CondContains, core.CondPrefix, core.CondGeoRadius, core.CondGeoBox:
		if len(cond.Values) != 1 {
			return core.Invalid("", "give one value", "%q takes one value, not %d", cond.Op, len(cond.Values))
		}
	case core.CondIn:
	default:
		return core.Invalid("", "use eq, in, gt, gte, lt, lte, exists, contains, prefix, geo_radius or geo_box", "unknown comparison %q", cond.Op)
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
	case geo(cond.Op):
		if _, area := v.(core.Area); !area {
			return core.Invalid("", "give a circle or a box", "%q cannot compare with a %T", cond.Op, v)
		}
		return nil
	case cond.Op == core.CondPrefix && !text:
		return core.Invalid("", "give a string", `"prefix" takes a string`)
	case cond.Field == "id" && !text:
		return core.Invalid("", "give the id as a string", "ids are strings")
	case !text && !truth && !float && !whole:
		return core.Invalid("", "use strings, numbers, true or false", "%q cannot compare with a %T", cond.Op, v)
	case truth && !equality(cond.Op) && cond.Op != core.CondContains:
		return core.Invalid("", "compare numbers or strings", "%q cannot order true and false", cond.Op)
	case float && math.IsNaN(number):
		return core.Invalid("", "use a number", "NaN equals nothing")
	}
	return nil
}

// holds refuses a comparison with a value of a kind that the column has none of:
// it could only be a mistake.
func (c *column) holds(bound key) error {
	n := c.counts[bound.kind]
	if bound.number() {
		n = c.counts[isInt] + c.counts[isFloat]
	}
	if n > 0 || len(c.values) == 0 {
		return nil
	}
	var have []string
	for _, k := range []struct {
		name string
		n    int
	}{
		{"strings", c.counts[isText]}, {"numbers", c.counts[isInt] + c.counts[isFloat]}, {"booleans", c.counts[isBool]},
	} {
		if k.n > 0 {
			have = append(have, k.name)
		}
	}
	want := map[kind]string{isText: "strings", isTime: "times"}[bound.kind]
	if want == "" {
		want = "numbers"
	}
	return core.Invalid("", "compare with what it holds", "the field %.80q holds %s and no %s", c.name, strings.Join(have, " and "), want)
}

func geo(op core.CondOp) bool { return op == core.CondGeoRadius || op == core.CondGeoBox }

func equality(op core.CondOp) bool { return op == core.CondEq || op == core.CondIn }
