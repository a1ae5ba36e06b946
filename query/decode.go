package query

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/vecdb/vecdb/internal/core"
)

// UnmarshalJSON reads a request. Unknown members, values of the wrong type and
// text that is not UTF-8 give an *core.InputError with a pointer to the place;
// a member that is null counts as absent. The content is checked by Validate.
func (r *Request) UnmarshalJSON(data []byte) error {
	return decodeObject(data, r.members())
}

func (r *Request) members() map[string]any {
	return map[string]any{
		"text": &r.Text, "vector": &r.Vector, "id": (*idText)(&r.ID), "like": &r.Like, "dislike": &r.Dislike,
		"user": (*idText)(&r.User), "session": (*idList)(&r.Session),
		"exclude": (*idList)(&r.Exclude), "filter": &r.Filter, "limit": &r.Limit, "mode": &r.Mode,
		"min_score": &r.MinScore, "fields": &r.Fields, "with_vector": &r.WithVector, "params": &r.Params,
		"explain": &r.Explain, "diversity": &r.Diversity, "decay": &r.Decay, "boosts": &r.Boosts, "highlight": &r.Highlight,
		"sort": &r.Sort, "group_by": &r.GroupBy, "group_size": &r.GroupSize, "cursor": &r.Cursor, "facets": &r.Facets,
	}
}

// UnmarshalJSON reads a classification request, as strictly as that of a
// Request.
func (r *ClassifyRequest) UnmarshalJSON(data []byte) error {
	members := r.members()
	maps.Copy(members, map[string]any{
		"texts": &r.Texts, "label_field": &r.LabelField, "method": &r.Method, "k": &r.K,
		"temperature": &r.Temperature, "min_probability": &r.MinProbability, "any_scope": &r.AnyScope,
	})
	return decodeObject(data, members)
}

// UnmarshalJSON reads the members "ef", "recall", "exact", "candidates" and
// "fusion" and refuses others.
func (p *Params) UnmarshalJSON(data []byte) error {
	return decodeObject(data, map[string]any{"ef": &p.Ef, "recall": &p.Recall, "exact": &p.Exact, "candidates": &p.Candidates, "fusion": &p.Fusion})
}

// UnmarshalJSON reads a decay and refuses unknown members; a half-life and an
// origin may be numbers.
func (d *Decay) UnmarshalJSON(data []byte) error {
	return decodeObject(data, map[string]any{"field": &d.Field, "half_life": (*quantity)(&d.HalfLife), "origin": (*quantity)(&d.Origin), "weight": &d.Weight})
}

// UnmarshalJSON reads a boost and refuses unknown members.
func (b *Boost) UnmarshalJSON(data []byte) error {
	return decodeObject(data, map[string]any{"field": &b.Field, "weight": &b.Weight, "half": &b.Half})
}

// UnmarshalJSON reads either form and refuses unknown members.
func (e *Example) UnmarshalJSON(data []byte) error {
	*e = Example{}
	switch kindOf(data) {
	case "a string", "a number":
		return (*idText)(&e.ID).UnmarshalJSON(data)
	case "an object":
		return decodeObject(data, map[string]any{"id": (*idText)(&e.ID), "text": &e.Text, "vector": &e.Vector})
	}
	return core.Invalid("", `give an id, or an object with "id", "text" or "vector"`, "an example cannot be %s", kindOf(data))
}

// idText is an id: a string, or a number that stands for its decimal text, as
// in documents.
type idText string

func (t *idText) UnmarshalJSON(data []byte) error {
	switch kindOf(data) {
	case "a string":
		return json.Unmarshal(data, (*string)(t))
	case "a number":
		*t = idText(data)
		return nil
	}
	return core.Invalid("", "give a string", "an id cannot be %s", kindOf(data))
}

// quantity is a string, or a number that stands for its decimal text.
type quantity string

func (q *quantity) UnmarshalJSON(data []byte) error {
	switch kindOf(data) {
	case "a string":
		return json.Unmarshal(data, (*string)(q))
	case "a number":
		*q = quantity(data)
		return nil
	}
	return core.Invalid("", "give a string or a number", "this cannot be %s", kindOf(data))
}

type idList []string

func (l *idList) UnmarshalJSON(data []byte) error {
	return decodeList(data, (*[]string)(l), func(raw json.RawMessage, id *string) error {
		return (*idText)(id).UnmarshalJSON(raw)
	})
}

// decodeObject decodes each member of the object in data into the variable
// that members points to.
func decodeObject(data []byte, members map[string]any) error {
	if !utf8.Valid(data) {
		return core.Invalid("", "send UTF-8", "the request is not valid UTF-8")
	}
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(data, &raw); err != nil || raw == nil {
		return core.Invalid("", "members are "+names(members), "need a JSON object, got %s", kindOf(data))
	}
	for _, name := range slices.Sorted(maps.Keys(raw)) {
		pointer := "/" + core.EscapePointer(name)
		target, known := members[name]
		if !known {
			return core.Invalid(pointer, "members are "+names(members), "unknown member %.80q", name)
		}
		if kindOf(raw[name]) == "null" {
			continue
		}
		if err := decodeMember(raw[name], target); err != nil {
			return core.At(pointer, err)
		}
	}
	return nil
}

func decodeMember(raw json.RawMessage, target any) error {
	switch t := target.(type) {
	case *[]float32:
		return decodeVector(raw, t)
	case *[]Example:
		return decodeList(raw, t, func(raw json.RawMessage, e *Example) error { return e.UnmarshalJSON(raw) })
	case *[]Boost:
		return decodeList(raw, t, func(raw json.RawMessage, b *Boost) error { return b.UnmarshalJSON(raw) })
	case *[]SortKey:
		return decodeList(raw, t, func(raw json.RawMessage, k *SortKey) error { return k.UnmarshalJSON(raw) })
	case *[]FacetRequest:
		return decodeList(raw, t, func(raw json.RawMessage, f *FacetRequest) error { return f.UnmarshalJSON(raw) })
	case *[]Range:
		return decodeList(raw, t, func(raw json.RawMessage, r *Range) error { return r.UnmarshalJSON(raw) })
	case *[]Message:
		return decodeList(raw, t, func(raw json.RawMessage, m *Message) error { return m.UnmarshalJSON(raw) })
	case *[]string:
		return decodeList(raw, t, func(raw json.RawMessage, s *string) error { return decodeValue(raw, s) })
	}
	return decodeValue(raw, target)
}

// decodeVector decodes numbers, or a packed vector. The short way leaves a null at 0 and does not
// tell which element is wrong, so the long one is taken when in doubt.
func decodeVector(raw json.RawMessage, v *[]float32) error {
	if kindOf(raw) == "an object" {
		var packed map[string]any
		if err := json.Unmarshal(raw, &packed); err != nil {
			return core.Invalid("", "", "not a vector: %v", err)
		}
		unpacked, err := core.UnpackVector(packed)
		*v = unpacked
		return err
	}
	if json.Unmarshal(raw, v) == nil && !bytes.Contains(raw, []byte("null")) {
		return nil
	}
	return decodeList(raw, v, func(raw json.RawMessage, f *float32) error { return decodeValue(raw, f) })
}

func decodeList[T any](raw json.RawMessage, list *[]T, decode func(json.RawMessage, *T) error) error {
	var elements []json.RawMessage
	if err := json.Unmarshal(raw, &elements); err != nil {
		return core.Invalid("", "give an array", "need an array, got %s", kindOf(raw))
	}
	*list = make([]T, len(elements))
	for i, element := range elements {
		if err := decode(element, &(*list)[i]); err != nil {
			return core.At("/"+strconv.Itoa(i), err)
		}
	}
	return nil
}

// decodeValue decodes one value and says in words what was wrong with it.
func decodeValue(raw json.RawMessage, target any) error {
	want := wanted(target)
	if kindOf(raw) == "null" {
		return core.Invalid("", "give "+want, "need %s, got null", want)
	}
	err := json.Unmarshal(raw, target)
	var in *core.InputError
	if err == nil || errors.As(err, &in) {
		return err
	}
	if kindOf(raw) == "a number" {
		return core.Invalid("", "give "+want, "need %s, got %.40s", want, raw)
	}
	return core.Invalid("", "give "+want, "need %s, got %s", want, kindOf(raw))
}

func wanted(target any) string {
	switch target.(type) {
	case *string, *Mode, *Method, *Fusion, *Highlighting:
		return "a string"
	case *bool:
		return "true or false"
	case *int:
		return "a whole number"
	case *float32, **float32:
		return "a number within the range of 32-bit floats"
	case *float64, **float64:
		return "a number"
	}
	return "an object"
}

// kindOf names the kind of a JSON value by its first character.
func kindOf(raw []byte) string {
	raw = bytes.TrimLeft(raw, " \t\r\n")
	if len(raw) == 0 {
		return "nothing"
	}
	switch raw[0] {
	case '"':
		return "a string"
	case '{':
		return "an object"
	case '[':
		return "an array"
	case 't', 'f':
		return "a boolean"
	case 'n':
		return "null"
	}
	return "a number"
}

func names(members map[string]any) string {
	return strings.Join(slices.Sorted(maps.Keys(members)), ", ")
}
