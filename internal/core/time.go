package core

import "time"

// timeLayouts are the forms of a time in a field: RFC 3339, the same without a
// zone or with a space, and a date. Without a zone they are in UTC.
var timeLayouts = [...]string{time.RFC3339, "2006-01-02T15:04:05", time.DateTime, time.DateOnly}

// ParseTime returns the time that a text is: RFC 3339, or a date with or
// without a time of day, in UTC where there is no zone.
func ParseTime(text string) (time.Time, bool) {
	if len(text) < len(time.DateOnly) || text[4] != '-' || text[7] != '-' { // nearly all texts
		return time.Time{}, false
	}
	layouts := timeLayouts[:]
	if len(text) == len(time.DateOnly) { // which no other one is that short for
		layouts = layouts[len(layouts)-1:]
	}
	for _, layout := range layouts {
		if t, err := time.Parse(layout, text); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}
