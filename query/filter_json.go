package query

import (
	"maps"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/vecdb/vecdb/internal/core"
)

// UnmarshalJSON reads a filter and refuses what Validate refuses, unknown
// members and null. Errors are *core.InputError with a pointer relative to the
// filter.
func (f *Filter) UnmarshalJSON(data []byte) error {
	if !utf8.Valid(data) {
		return core.Invalid("", "send UTF-8", "the filter is not valid UTF-8")
	}
	if objects(data) > objectsANode*MaxFilterNodes {
		return errManyNodes()
	}
	value, err := core.PlainJSON(data)
	if err != nil {
		return core.Invalid("", "use numbers within the range of float64", "not a filter: %v", err)
	}
	parsed, err := parseNode(value, 1)
	if err != nil {
		return err
	}
	if err := parsed.Validate(); err != nil {
		return err
	}
	*f = *parsed
	return nil
}

// objectsANode is how many JSON objects a node may be made of: itself, a box and its
// two points.
const objectsANode = 4

// objects counts the objects in JSON without decoding it.
func objects(data []byte) (n int) {
	for _, b := range core.Structure(data) {
		if b == '{' {
			n++
		}
	}
	return n
}

// parseNode turns a decoded JSON value into a node. It checks what the Go form
// cannot show any more: names of members, their types and nulls.
func parseNode(value any, depth int) (*Filter, error) {
	members, ok := value.(map[string]any)
	switch {
	case !ok:
		return nil, core.Invalid("", filterForm, "a node must be an object")
	case depth > MaxFilterDepth:
		return nil, core.Invalid("", "flatten it", "the filter is more than %d levels deep", MaxFilterDepth)
	}
	f := &Filter{}
	for _, name := range slices.Sorted(maps.Keys(members)) {
		if err := f.set(name, members[name], depth); err != nil {
			return nil, core.At("/"+core.EscapePointer(name), err)
		}
	}
	return f, nil
}

func (f *Filter) set(name string, v any, depth int) (err error) {
	switch name {
	case "and":
		f.And, err = parseNodes(v, depth+1)
	case "or":
		f.Or, err = parseNodes(v, depth+1)
	case "not":
		f.Not, err = parseNode(v, depth+1)
	case "field":
		text, ok := v.(string)
		if !ok || text == "" {
			return core.Invalid("", `name a field, for instance "year"`, "the field must be a name")
		}
		f.Field = text
	case "in":
		list, ok := v.([]any)
		if !ok {
			return core.Invalid("", `give an array, or use "eq" for one value`, "need an array of values, not %s", describe(v))
		}
		f.In = list
	case "exists":
		flag, ok := v.(bool)
		if !ok {
			return core.Invalid("", "use true or false", "need true or false")
		}
		f.Exists = &flag
	case "geo_radius":
		f.GeoRadius = new(core.Circle)
		err = setArea(v, map[string]any{"center": &f.GeoRadius.Center, "radius": &f.GeoRadius.Radius})
	case "geo_box":
		f.GeoBox = new(core.Box)
		err = setArea(v, map[string]any{"top_left": &f.GeoBox.TopLeft, "bottom_right": &f.GeoBox.BottomRight})
	default:
		return f.setValue(name, v)
	}
	return err
}

// setArea reads the members of a circle or box, all of which must be there.
func setArea(v any, members map[string]any) error {
	object, _ := v.(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(object)) {
		if _, known := members[name]; !known {
			return core.Invalid("/"+core.EscapePointer(name), "members are "+names(members), "unknown member %.80q", name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(members)) {
		var ok bool
		switch target := members[name].(type) {
		case *core.Point:
			*target, ok = core.PointOf(object[name])
			if !ok {
				return core.Invalid("/"+name, `for instance {"lat":52.5,"lon":13.4}`, "need a point with a latitude from -90 to 90 and a longitude from -180 to 180")
			}
		case *float64:
			if *target, ok = numberOf(object[name]); !ok {
				return core.Invalid("/"+name, "give meters", "need a number")
			}
		}
	}
	return nil
}

// setValue sets a comparison with one value.
func (f *Filter) setValue(name string, v any) error {
	target, known := map[string]*any{"eq": &f.Eq, "gt": &f.Gt, "gte": &f.Gte, "lt": &f.Lt, "lte": &f.Lte,
		"contains": &f.Contains, "prefix": &f.Prefix}[name]
	if !known {
		return core.Invalid("", "use and, or, not, field, eq, in, gt, gte, lt, lte, exists, contains, prefix, geo_radius, geo_box", "unknown member %.80q", name)
	}
	if v == nil {
		return core.Invalid("", `use "exists": false to find documents without the field`, "cannot compare with null")
	}
	*target = v
	return nil
}

func parseNodes(value any, depth int) ([]*Filter, error) {
	list, ok := value.([]any)
	if !ok {
		return nil, core.Invalid("", filterForm, "need an array of nodes")
	}
	nodes := make([]*Filter, len(list))
	for i, v := range list {
		node, err := parseNode(v, depth)
		if err != nil {
			return nil, core.At("/"+strconv.Itoa(i), err)
		}
		nodes[i] = node
	}
	return nodes, nil
}
