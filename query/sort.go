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

// MaxSortKeys bounds the keys of one order.
const MaxSortKeys = 8

// ScoreKey is the name under which the score of a hit is a key of an order.
const ScoreKey = "_score"

// The directions of a SortKey.
const (
	Ascending  = "asc"
	Descending = "desc"
)

// SortKey orders documents by a field: booleans before numbers before strings
// before times (RFC 3339, or dates), each by its value. Of an array the least
// value counts in rising order, the greatest in falling order. Documents
// without a value come last in both. Its JSON form is an object, or the name of
// the field alone.
type SortKey struct {
	// Field is reached by a dotted name in nested objects. "id" is that of the
	// document, ScoreKey the score of a hit.
	Field string `json:"field"`
	// Order is Ascending or Descending; "" is Descending for ScoreKey, else
	// Ascending.
	Order string `json:"order,omitempty"`
}

// UnmarshalJSON reads either form and refuses unknown members.
func (k *SortKey) UnmarshalJSON(data []byte) error {
	*k = SortKey{}
	switch kindOf(data) {
	case "a string":
		return decodeValue(data, &k.Field)
	case "an object":
		return decodeObject(data, map[string]any{"field": &k.Field, "order": &k.Order})
	}
	return core.Invalid("", `give the name of a field, or for instance {"field":"year","order":"desc"}`, "a key of an order cannot be %s", kindOf(data))
}

// falls reports whether the greatest comes first.
func (k SortKey) falls() bool {
	return k.Order == Descending || k.Order == "" && k.Field == ScoreKey
}

func (r *Request) checkOrder() error {
	if len(r.Sort) > 0 && r.Diversity > 0 {
		return core.Invalid("/sort", `leave it or "diversity" out`, "both say in which order hits come")
	}
	return checkSort(r.Sort, true)
}

func checkSort(keys []SortKey, scored bool) error {
	if len(keys) > MaxSortKeys {
		return core.Invalid("/sort", "give fewer", "there are %d keys, at most %d are allowed", len(keys), MaxSortKeys)
	}
	for i, k := range keys {
		pointer := "/sort/" + strconv.Itoa(i)
		switch {
		case k.Order != "" && k.Order != Ascending && k.Order != Descending:
			return core.Invalid(pointer+"/order", `use "asc" or "desc"`, "unknown order %.80q", k.Order)
		case k.Field == ScoreKey && !scored:
			return core.Invalid(pointer+"/field", "name a field, or search", "a list of documents has no scores")
		}
		if err := checkValueField(pointer+"/field", k.Field); err != nil {
			return err
		}
		if slices.ContainsFunc(keys[:i], func(before SortKey) bool { return before.Field == k.Field }) {
			return core.Invalid(pointer+"/field", "name it once", "the field %.80q is there twice", k.Field)
		}
	}
	return nil
}

// checkValueField refuses names that are no field with values.
func checkValueField(pointer, name string) error {
	switch {
	case name == "":
		return core.Invalid(pointer, `name a field, for instance "year"`, "there is no name of a field")
	case !utf8.ValidString(name):
		return core.Invalid(pointer, "send UTF-8", "the name of the field is not valid UTF-8")
	case name == "text" || name == "vector":
		return core.Invalid(pointer, "name a field", "the %s of a document has no order", name)
	}
	return nil
}

// knownField refuses a field that no document has, unless there are no
// documents.
func (e *Engine) knownField(ctx context.Context, pointer, name string) error {
	names := e.source.FieldNames()
	if name == "id" || name == ScoreKey || slices.Contains(names, name) {
		return nil
	}
	all, err := e.everything(ctx)
	if err != nil || all.Len() == 0 {
		return err
	}
	hint := "name a field that documents have"
	if near := closest(name, names); near != "" {
		hint = fmt.Sprintf("did you mean %.80q?", near)
	}
	return core.Invalid(pointer, hint, "no document has the field %.80q", name)
}

// placed is a document with the values that it is ordered by, nil where it has
// none.
type placed struct {
	ord    core.Ord
	at     int // its place in the list that was ordered
	values []any
}

// arrange returns the documents in order. score tells the score of the i-th.
func (e *Engine) arrange(ctx context.Context, keys []SortKey, ords []core.Ord, score func(i int) float32) ([]placed, error) {
	list := make([]placed, len(ords))
	all := make([]any, len(ords)*len(keys))
	for i, ord := range ords {
		list[i] = placed{ord: ord, at: i, values: all[i*len(keys) : (i+1)*len(keys)]}
	}
	for j, k := range keys {
		pointer := "/sort/" + strconv.Itoa(j) + "/field"
		if k.Field == ScoreKey {
			for i := range list {
				list[i].values[j] = float64(score(i))
			}
			continue
		}
		if err := e.knownField(ctx, pointer, k.Field); err != nil {
			return nil, err
		}
		err := e.source.Values(k.Field, ords, func(i int, v any) {
			v = sortValue(v)
			if have := list[i].values[j]; have == nil || k.falls() == (compareValues(v, have) > 0) {
				list[i].values[j] = v
			}
		})
		if err != nil {
			return nil, core.At(pointer, err)
		}
	}
	return list, ctx.Err()
}

// sortValue returns what a value is compared by: a string that is a time by its
// moment.
func sortValue(v any) any {
	if text, ok := v.(string); ok {
		if moment, ok := core.ParseTime(text); ok {
			return moment
		}
	}
	return v
}

// comparePlaced orders documents by their values, equal ones by their ordinals.
func comparePlaced(keys []SortKey, a, b placed) int {
	for j, k := range keys {
		x, y := a.values[j], b.values[j]
		var order int
		switch {
		case x == nil || y == nil: // the missing one comes last in both directions
			order = cmp.Compare(missing(x), missing(y))
		case k.falls():
			order = compareValues(y, x)
		default:
			order = compareValues(x, y)
		}
		if order != 0 {
			return order
		}
	}
	return cmp.Compare(a.ord, b.ord)
}

func missing(v any) int {
	if v == nil {
		return 1
	}
	return 0
}

// compareValues orders booleans, numbers, strings and times.
func compareValues(a, b any) int {
	if kind := cmp.Compare(valueKind(a), valueKind(b)); kind != 0 {
		return kind
	}
	switch x := a.(type) {
	case bool:
		y := b.(bool)
		return cmp.Compare(truth(x), truth(y))
	case string:
		return cmp.Compare(x, b.(string))
	case time.Time:
		return x.Compare(b.(time.Time))
	}
	return core.CompareNumbers(a, b)
}

func valueKind(v any) int {
	switch v.(type) {
	case bool:
		return 0
	case string:
		return 2
	case time.Time:
		return 3
	}
	return 1
}

func truth(b bool) int {
	if b {
		return 1
	}
	return 0
}

// order brings candidates into the order that the request asks for.
func (e *Engine) order(ctx context.Context, keys []SortKey, list []found) ([]found, error) {
	places, err := e.arrange(ctx, keys, ordinals(list), func(i int) float32 { return list[i].score })
	if err != nil {
		return nil, err
	}
	slices.SortFunc(places, func(a, b placed) int { return comparePlaced(keys, a, b) })
	out := make([]found, len(list))
	for i, p := range places {
		out[i] = list[p.at]
	}
	return out, nil
}
