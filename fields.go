package vecdb

import (
	"fmt"
	"math"
	"unicode/utf8"

	"github.com/vecdb/vecdb/internal/core"
)

// Limits of the fields of one document.
const (
	maxFields     = 1_000 // values, nested ones included
	maxFieldDepth = 16    // levels of arrays and objects
	maxFieldName  = 256   // bytes of a name
)

// checkFieldTypes checks declared types of fields.
func checkFieldTypes(types map[string]string) error {
	for name, kind := range types {
		pointer := "/fields/" + core.EscapePointer(name)
		if core.Reserved(name) {
			return core.Invalid(pointer, "leave it out", "%q is a member of every document, not a field", name)
		}
		if _, known := fieldKinds[kind]; !known {
			return core.Invalid(pointer, "use keyword, text, integer, float, bool, datetime or geo", "unknown field type %q", kind)
		}
	}
	return nil
}

// fieldKinds holds, for each declared type, whether it takes a plain value.
var fieldKinds = map[string]func(any) bool{
	"keyword": isString,
	"text":    isString,
	"integer": func(v any) bool { _, ok := v.(int64); return ok },
	"float":   func(v any) bool { return isNumber(v) },
	"bool":    func(v any) bool { _, ok := v.(bool); return ok },
	"datetime": func(v any) bool {
		text, ok := v.(string)
		if ok {
			_, ok = core.ParseTime(text)
		}
		return ok
	},
	"geo": func(v any) bool { _, ok := core.PointOf(v); return ok },
}

func isString(v any) bool { _, ok := v.(string); return ok }

func isNumber(v any) bool {
	switch v.(type) {
	case int64, float64:
		return true
	}
	return false
}

// checkFields checks the fields of a document against the limits, and against
// the declared types where there are any. A null satisfies every type, and an
// array does when all its elements do.
func checkFields(fields map[string]any, types map[string]string) error {
	left := maxFields
	for name, v := range fields {
		pointer := "/" + core.EscapePointer(name)
		if core.Reserved(name) {
			return core.Invalid(pointer, "use the document's own member", "%q cannot be a field", name)
		}
		if err := checkValue(pointer, name, v, 1, &left); err != nil {
			return err
		}
		if kind, declared := types[name]; declared && !hasKind(v, fieldKinds[kind]) {
			return core.Invalid(pointer, "send "+kind+" values or declare another type", "the field is declared %s and holds %s", kind, describe(v))
		}
	}
	return nil
}

func checkValue(pointer, name string, v any, depth int, left *int) error {
	*left--
	switch {
	case *left < 0:
		return core.Invalid(pointer, "store fewer", "the document has more than %d field values", maxFields)
	case depth > maxFieldDepth:
		return core.Invalid(pointer, "flatten it", "the field is nested more than %d levels deep", maxFieldDepth)
	case len(name) > maxFieldName || !utf8.ValidString(name) || name == "":
		return core.Invalid(pointer, "", "a field name must be 1 to %d bytes of UTF-8", maxFieldName)
	}
	switch v := v.(type) {
	case nil, bool, int64:
		return nil
	case string:
		if !utf8.ValidString(v) {
			return core.Invalid(pointer, "convert it to UTF-8", "the field is not valid UTF-8")
		}
		return nil
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return core.Invalid(pointer, "use finite numbers", "the field holds %v", v)
		}
		return nil
	case []any:
		for i, e := range v {
			if err := checkValue(fmt.Sprintf("%s/%d", pointer, i), name, e, depth+1, left); err != nil {
				return err
			}
		}
		return nil
	case map[string]any:
		for k, e := range v {
			if err := checkValue(pointer+"/"+core.EscapePointer(k), k, e, depth+1, left); err != nil {
				return err
			}
		}
		return nil
	}
	return core.Invalid(pointer, "use string, bool, int64, float64, nil, []any or map[string]any", "a field cannot hold a Go %T", v)
}

func hasKind(v any, is func(any) bool) bool {
	if list, ok := v.([]any); ok {
		for _, e := range list {
			if !hasKind(e, is) {
				return false
			}
		}
		return true
	}
	return v == nil || is(v)
}

func describe(v any) string {
	switch v.(type) {
	case string:
		return "a string"
	case bool:
		return "a bool"
	case int64, float64:
		return fmt.Sprintf("the number %v", v)
	case []any:
		return "an array with other values"
	}
	return "an object"
}
