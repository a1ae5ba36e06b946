package core

import (
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Limits of an event.
const (
	MaxActionBytes = 64
	MaxEventWeight = 1000 // a weight is from -MaxEventWeight to MaxEventWeight
)

// Event is something that a user did with an item, which is a document of the
// collection by its id. The item need not be there yet, or any more. Events with
// equal user, item, action and time are one event.
type Event struct {
	// User is any non-empty valid UTF-8 string of at most MaxIDBytes.
	User string `json:"user"`
	// Item is the id of a document.
	Item string `json:"item"`
	// Action is one of Actions, or another word of at most MaxActionBytes, which
	// then needs a Weight.
	Action string `json:"action"`
	// Weight tells how much the event speaks for the item, below 0 against it;
	// nil is ActionWeight of the action.
	Weight *float64 `json:"weight,omitempty"`
	// Time is when it happened, in microseconds; the zero value is the time of
	// its arrival.
	Time time.Time `json:"time,omitzero"`
	// Seq is the number of the event in the order of arrival; the store sets it.
	Seq uint64 `json:"-"`
}

// actionWeights holds the weights of the actions that have one.
func actionWeights() map[string]float64 {
	return map[string]float64{
		"view": 0.3, "click": 0.5, "comment": 0.8, "save": 1, "like": 1, "share": 1, "buy": 1.5,
		"skip": -0.3, "hide": -1, "dislike": -1,
	}
}

// ActionWeight returns the weight of events of that action, and whether it has
// one: view 0.3, click 0.5, comment 0.8, save, like and share 1, buy 1.5, skip
// -0.3, hide and dislike -1.
func ActionWeight(action string) (float64, bool) {
	w, ok := actionWeights()[action]
	return w, ok
}

// Actions returns the actions that have a weight, in alphabetical order.
func Actions() []string {
	var names []string
	for name := range actionWeights() {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Value returns the weight that the event has, given or by its action.
func (e *Event) Value() float64 {
	if e.Weight != nil {
		return *e.Weight
	}
	w, _ := ActionWeight(e.Action)
	return w
}

// Check returns an *InputError when the event cannot be stored.
func (e *Event) Check() error {
	for _, part := range []struct {
		name, value string
		limit       int
	}{{"user", e.User, MaxIDBytes}, {"item", e.Item, MaxIDBytes}, {"action", e.Action, MaxActionBytes}} {
		switch {
		case part.value == "":
			return Invalid("/"+part.name, `for instance {"user":"u1","item":"a1","action":"like"}`, "the %s is missing", part.name)
		case len(part.value) > part.limit:
			return Invalid("/"+part.name, "shorten it", "the %s has %d bytes, %d are allowed", part.name, len(part.value), part.limit)
		case !utf8.ValidString(part.value):
			return Invalid("/"+part.name, "send UTF-8", "the %s is not valid UTF-8", part.name)
		}
	}
	if e.Weight == nil {
		if _, known := ActionWeight(e.Action); !known {
			return Invalid("/action", "use "+strings.Join(Actions(), ", ")+", or give a weight", "the action %q has no weight of its own", e.Action)
		}
	} else if w := *e.Weight; math.IsNaN(w) || math.Abs(w) > MaxEventWeight {
		return Invalid("/weight", "use 1 for a like, -1 for a dislike", "the weight must be from -%d to %d", MaxEventWeight, MaxEventWeight)
	}
	return checkYear(e.Time)
}

// checkYear refuses times that RFC 3339 cannot write.
func checkYear(t time.Time) error {
	if y := t.Year(); !t.IsZero() && (y < 1 || y > 9999) {
		return Invalid("/time", "for instance 2026-05-01T12:00:00Z", "the year %d is out of range", y)
	}
	return nil
}

// UnmarshalJSON reads an event. User and item may be numbers, the time is RFC
// 3339 or a number of seconds since 1970. Errors are *InputError.
func (e *Event) UnmarshalJSON(data []byte) error {
	dec := json.NewDecoder(strings.NewReader(string(data)))
	dec.UseNumber()
	var members map[string]any
	if err := dec.Decode(&members); err != nil || members == nil {
		return Invalid("", `for instance {"user":"u1","item":"a1","action":"like"}`, "an event is a JSON object")
	}
	*e = Event{}
	for name, v := range members {
		if err := e.set(name, v); err != nil {
			return err
		}
	}
	return nil
}

func (e *Event) set(name string, v any) (err error) {
	switch name {
	case "user":
		e.User, err = idText(name, v)
	case "item":
		e.Item, err = idText(name, v)
	case "action":
		text, ok := v.(string)
		if !ok {
			return Invalid("/action", `for instance "like"`, "the action must be a string")
		}
		e.Action = text
	case "weight":
		if v == nil {
			return nil
		}
		n, ok := v.(json.Number)
		w, bad := n.Float64()
		if !ok || bad != nil {
			return Invalid("/weight", "use 1 for a like, -1 for a dislike", "the weight must be a number")
		}
		e.Weight = &w
	case "time":
		e.Time, err = eventTime(v)
	default:
		return Invalid("/"+EscapePointer(name), "an event has user, item, action, weight and time", "there is no member %q", name)
	}
	return err
}

func idText(name string, v any) (string, error) {
	switch v := v.(type) {
	case string:
		return v, nil
	case json.Number:
		return v.String(), nil
	}
	return "", Invalid("/"+name, "give a string", "the %s must be a string", name)
}

func eventTime(v any) (time.Time, error) {
	switch v := v.(type) {
	case nil:
		return time.Time{}, nil
	case string:
		t, err := time.Parse(time.RFC3339Nano, v)
		if err != nil {
			return time.Time{}, Invalid("/time", "for instance 2026-05-01T12:00:00Z", "the time %.40q is not RFC 3339", v)
		}
		return t.UTC().Truncate(time.Microsecond), nil
	case json.Number:
		return UnixTime(v.String())
	}
	return time.Time{}, Invalid("/time", "for instance 2026-05-01T12:00:00Z", "the time must be a string")
}

// UnixTime returns the time of a decimal number of seconds since 1970, or of
// milliseconds where it is above 100,000,000,000.
func UnixTime(number string) (time.Time, error) {
	seconds, err := strconv.ParseFloat(number, 64)
	if err != nil || math.IsNaN(seconds) || math.Abs(seconds) > 2e14 {
		return time.Time{}, Invalid("/time", "give seconds since 1970, or RFC 3339", "the time %.40q is out of range", number)
	}
	if math.Abs(seconds) > 1e11 {
		seconds /= 1000
	}
	return time.UnixMicro(int64(math.Round(seconds * 1e6))).UTC(), nil
}
