package query

import (
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/vecdb/vecdb/internal/core"
)

// Limits of the buckets of a facet.
const (
	MaxRanges  = 256
	MaxBuckets = 10_000
)

// Range is a bucket of numbers or times: from From on, up to and without To.
// Either may be nil. Both are numbers, or both are times (RFC 3339, or dates).
type Range struct {
	From any `json:"from,omitempty"`
	To   any `json:"to,omitempty"`
}

// Bucket is a range with the number of documents in it.
type Bucket struct {
	Range
	Count int `json:"count"`
}

// UnmarshalJSON reads a range and refuses unknown members.
func (r *Range) UnmarshalJSON(data []byte) error {
	*r = Range{}
	var from, to bound
	if err := decodeObject(data, map[string]any{"from": &from, "to": &to}); err != nil {
		return err
	}
	r.From, r.To = from.value, to.value
	return nil
}

// bound is a number or a string.
type bound struct{ value any }

func (b *bound) UnmarshalJSON(data []byte) (err error) {
	if kind := kindOf(data); kind != "a number" && kind != "a string" {
		return core.Invalid("", "give a number or a time", "this cannot be %s", kind)
	}
	b.value, err = core.PlainJSON(data)
	return err
}

// steps are the intervals of times.
func steps() map[string]func(t time.Time, n int) time.Time {
	day := func(t time.Time, n int) time.Time {
		return time.Date(t.Year(), t.Month(), t.Day()+n, 0, 0, 0, 0, time.UTC)
	}
	return map[string]func(time.Time, int) time.Time{
		"year": func(t time.Time, n int) time.Time { return time.Date(t.Year()+n, 1, 1, 0, 0, 0, 0, time.UTC) },
		"month": func(t time.Time, n int) time.Time {
			return time.Date(t.Year(), t.Month()+time.Month(n), 1, 0, 0, 0, 0, time.UTC)
		},
		"week":   func(t time.Time, n int) time.Time { return day(t, 7*n-(int(t.Weekday())+6)%7) },
		"day":    day,
		"hour":   func(t time.Time, n int) time.Time { return t.Truncate(time.Hour).Add(time.Duration(n) * time.Hour) },
		"minute": func(t time.Time, n int) time.Time { return t.Truncate(time.Minute).Add(time.Duration(n) * time.Minute) },
	}
}

const intervalHint = "give a number above 0, or year, month, week, day, hour or minute"

// checkBuckets checks interval and ranges.
func (r *FacetRequest) checkBuckets() error {
	if r.Interval != nil && r.Ranges != nil {
		return core.Invalid("/ranges", `leave it or "interval" out`, "both say which buckets there are")
	}
	switch v := r.Interval.(type) {
	case nil:
	case string:
		if steps()[v] == nil {
			return core.Invalid("/interval", intervalHint, "unknown interval %.80q", v)
		}
	default:
		if n := width(v); !(n > 0) || math.IsInf(n, 0) {
			return core.Invalid("/interval", intervalHint, "the interval is %v", v)
		}
	}
	if len(r.Ranges) > MaxRanges {
		return core.Invalid("/ranges", "give fewer", "there are %d ranges, at most %d are allowed", len(r.Ranges), MaxRanges)
	}
	for i, one := range r.Ranges {
		if err := one.check(); err != nil {
			return core.At("/ranges/"+strconv.Itoa(i), err)
		}
	}
	return nil
}

func (r Range) check() error {
	var values []any
	for _, end := range []struct {
		pointer string
		value   any
	}{{"/from", r.From}, {"/to", r.To}} {
		if end.value == nil {
			continue
		}
		v, err := endOf(end.value)
		if err != nil {
			return core.At(end.pointer, err)
		}
		values = append(values, v)
	}
	switch {
	case len(values) == 0:
		return core.Invalid("", `give "from", "to" or both`, "the range has no end")
	case len(values) == 1:
		return nil
	case valueKind(values[0]) != valueKind(values[1]):
		return core.Invalid("/to", "give two numbers, or two times", "the ends of the range are a number and a time")
	case compareValues(values[0], values[1]) >= 0:
		return core.Invalid("/to", `it must be above "from"`, "nothing lies in the range")
	}
	return nil
}

// endOf returns the end of a range as a number or a time.
func endOf(v any) (any, error) {
	plain, err := plainValue(v)
	if err != nil {
		return nil, err
	}
	switch end := sortValue(plain).(type) {
	case time.Time, int64, float64:
		return end, nil
	}
	return nil, core.Invalid("", "give a number, or a time such as 2024-02-03", "%.80v is neither a number nor a time", v)
}

// buckets counts documents in buckets, in rising order; those of an interval
// that hold none are left out.
func (e *Engine) buckets(r FacetRequest, within *core.Set) ([]Bucket, error) {
	switch by := r.Interval.(type) {
	case nil:
		return e.ranges(r, within), nil
	case string:
		return e.moments(r.Field, steps()[by], within)
	}
	wide := width(r.Interval)
	counts := e.source.Buckets(r.Field, within, func(v any, list []int64) []int64 {
		if n, ok := numberOf(v); ok && math.Abs(n/wide) < 1<<53 {
			list = append(list, int64(math.Floor(n/wide)))
		}
		return list
	})
	return e.rising(counts, func(at int64) Range {
		return Range{From: whole(float64(at) * wide), To: whole(float64(at+1) * wide)}
	})
}

// width returns the number that an interval is, 0 where it is none.
func width(v any) float64 {
	plain, err := plainValue(v)
	if err != nil {
		return 0
	}
	n, _ := numberOf(plain)
	return n
}

// whole returns a number as int64 where it is one.
func whole(f float64) any {
	if f == math.Trunc(f) && math.Abs(f) < 1<<53 {
		return int64(f)
	}
	return f
}

func (e *Engine) moments(field string, step func(time.Time, int) time.Time, within *core.Set) ([]Bucket, error) {
	counts := e.source.Buckets(field, within, func(v any, list []int64) []int64 {
		if t, ok := v.(time.Time); ok {
			list = append(list, step(t.UTC(), 0).Unix())
		}
		return list
	})
	return e.rising(counts, func(at int64) Range {
		from := time.Unix(at, 0).UTC()
		return Range{From: from.Format(time.RFC3339), To: step(from, 1).Format(time.RFC3339)}
	})
}

func (e *Engine) rising(counts map[int64]int, of func(int64) Range) ([]Bucket, error) {
	if len(counts) > MaxBuckets {
		return nil, core.Invalid("/interval", "give a larger one, or a filter", "there are %d buckets, at most %d are allowed", len(counts), MaxBuckets)
	}
	out := make([]Bucket, 0, len(counts))
	var places []int64
	for at := range counts {
		places = append(places, at)
	}
	slices.Sort(places)
	for _, at := range places {
		out = append(out, Bucket{Range: of(at), Count: counts[at]})
	}
	return out, nil
}

// ranges counts documents in the given ranges, in their order.
func (e *Engine) ranges(r FacetRequest, within *core.Set) []Bucket {
	type ends struct{ from, to any }
	list := make([]ends, len(r.Ranges))
	for i, one := range r.Ranges {
		if one.From != nil {
			list[i].from, _ = endOf(one.From)
		}
		if one.To != nil {
			list[i].to, _ = endOf(one.To)
		}
	}
	counts := e.source.Buckets(r.Field, within, func(v any, in []int64) []int64 {
		for i, one := range list {
			if (one.from == nil || valueKind(v) == valueKind(one.from) && compareValues(v, one.from) >= 0) &&
				(one.to == nil || valueKind(v) == valueKind(one.to) && compareValues(v, one.to) < 0) {
				in = append(in, int64(i))
			}
		}
		return in
	})
	out := make([]Bucket, len(r.Ranges))
	for i, one := range r.Ranges {
		out[i] = Bucket{Range: one, Count: counts[int64(i)]}
	}
	return out
}
