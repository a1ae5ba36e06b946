package query

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/vecdb/vecdb/internal/core"
)

// factor is what the score of a document is multiplied by.
func (d *Decay) factor(doc *core.Document, now time.Time) float64 {
	weight := d.Weight
	if weight == 0 {
		weight = DefaultDecayWeight
	}
	age, ok := d.age(doc, now)
	if !ok {
		return 1 - weight
	}
	return 1 - weight + weight*math.Exp2(-age)
}

// age returns the age of a document in half-lives.
func (d *Decay) age(doc *core.Document, now time.Time) (float64, bool) {
	value, _ := doc.Field(d.Field)
	if life, ok := parseDuration(d.HalfLife); ok {
		if d.Origin != "" {
			now, _ = parseTime(d.Origin)
		}
		at, ok := timeOf(value)
		return max(0, now.Sub(at).Seconds()) / life.Seconds(), ok
	}
	life, _ := strconv.ParseFloat(d.HalfLife, 64)
	origin, _ := strconv.ParseFloat(d.Origin, 64)
	v, ok := numberOf(value)
	return math.Abs(v-origin) / life, ok
}

// adds is what the boost adds to the score of a document.
func (b Boost) adds(doc *core.Document) float64 {
	value, _ := doc.Field(b.Field)
	v, ok := numberOf(value)
	if !ok || v <= 0 {
		return 0
	}
	half := b.Half
	if half == 0 {
		half = 1
	}
	return b.Weight / (1 + half/v)
}

func numberOf(v any) (float64, bool) {
	switch v := v.(type) {
	case int64:
		return float64(v), true
	case float64:
		return v, true
	}
	return 0, false
}

// timeOf reads a time: text, or a number of seconds since 1970.
func timeOf(v any) (time.Time, bool) {
	if text, ok := v.(string); ok {
		return parseTime(text)
	}
	seconds, ok := numberOf(v)
	if !ok || math.Abs(seconds) > 1e11 {
		return time.Time{}, false
	}
	return time.Unix(int64(seconds), 0), true
}

// parseTime reads a time in RFC 3339, or its beginning: a date, a month, a
// year.
func parseTime(text string) (time.Time, bool) {
	if t, ok := core.ParseTime(text); ok {
		return t, true
	}
	for _, layout := range []string{"2006-01", "2006"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

// parseDuration reads a number with a unit: w, d, h, m or s.
func parseDuration(text string) (time.Duration, bool) {
	units := map[byte]time.Duration{'w': 7 * 24 * time.Hour, 'd': 24 * time.Hour, 'h': time.Hour, 'm': time.Minute, 's': time.Second}
	if text == "" {
		return 0, false
	}
	unit, known := units[text[len(text)-1]]
	n, err := strconv.ParseFloat(strings.TrimSpace(text[:len(text)-1]), 64)
	if !known || err != nil || !(n > 0) || n*float64(unit) > math.MaxInt64/2 {
		return 0, false
	}
	return time.Duration(n * float64(unit)), true
}

func (r *Request) checkShape() error {
	if !(r.Diversity >= 0 && r.Diversity <= 1) {
		return core.Invalid("/diversity", "use a number from 0, by score alone, to 1", "the diversity is %v", r.Diversity)
	}
	if len(r.Boosts) > MaxBoosts {
		return core.Invalid("/boosts", "give fewer", "there are %d boosts, at most %d are allowed", len(r.Boosts), MaxBoosts)
	}
	for i, b := range r.Boosts {
		if err := b.check(); err != nil {
			return core.At("/boosts/"+strconv.Itoa(i), err)
		}
	}
	if r.Decay != nil {
		return core.At("/decay", r.Decay.check())
	}
	return nil
}

func (b Boost) check() error {
	switch {
	case b.Field == "" || core.Reserved(b.Field):
		return core.Invalid("/field", "name a field of numbers", "%q is no field", b.Field)
	case !finite(b.Weight) || b.Weight == 0:
		return core.Invalid("/weight", "use a number such as 0.1", "the weight is %v", b.Weight)
	case !(b.Half >= 0) || !finite(b.Half):
		return core.Invalid("/half", "use the value that is to count half", "half is %v and must be above 0", b.Half)
	}
	return nil
}

func (d *Decay) check() error {
	switch {
	case d.Field == "" || core.Reserved(d.Field):
		return core.Invalid("/field", "name a field of times or numbers", "%q is no field", d.Field)
	case !(d.Weight >= 0 && d.Weight <= 1):
		return core.Invalid("/weight", "leave it out for 0.5", "the weight is %v, above 0 and up to 1 are allowed", d.Weight)
	}
	if _, ok := parseDuration(d.HalfLife); ok {
		if _, ok := parseTime(d.Origin); d.Origin != "" && !ok {
			return core.Invalid("/origin", "use a time such as 2026-01-31T12:00:00Z, or leave it out for now", "the origin is %.80q", d.Origin)
		}
		return nil
	}
	life, err := strconv.ParseFloat(d.HalfLife, 64)
	if err != nil || !finite(life) || life <= 0 {
		return core.Invalid("/half_life", `use a duration such as "30d", "12h" or "2w", or a number above 0`, "the half-life is %.80q", d.HalfLife)
	}
	if origin, err := strconv.ParseFloat(d.Origin, 64); d.Origin != "" && (err != nil || !finite(origin)) {
		return core.Invalid("/origin", "use a number, as the half-life is one", "the origin is %.80q", d.Origin)
	}
	return nil
}
