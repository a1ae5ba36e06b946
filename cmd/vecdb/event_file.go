package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/vecdb/vecdb/internal/core"
	"github.com/vecdb/vecdb/internal/records"
)

// eventBatch is how many events go into one request.
const eventBatch = 5_000

// rateAction is the action of an event that is a rating.
const rateAction = "rate"

// eventColumns names the columns of events; "" guesses one, and is none when
// no column looks like it.
type eventColumns struct {
	user, item, action, weight, rating, time string

	scale    float64 // the best rating
	fallback string  // the action of records without one
}

// eventFile reads events from a file.
type eventFile struct {
	records *records.Reader
	columns eventColumns
	ahead   []readAhead // to guess the scale
}

// readAhead is what a reader has returned.
type readAhead struct {
	records.Record
	err error
}

// openEvents opens a file and tells how it is read.
func (a *app) openEvents(ctx context.Context, path string, o eventColumns) (*eventFile, error) {
	var r *records.Reader
	var err error
	if options := (records.Options{Plain: true}); path == "-" {
		r, err = records.New(a.stdin(ctx), "standard input", options)
	} else {
		r, err = records.Open(path, options)
	}
	if err != nil {
		return nil, err
	}
	plan := r.Plan()
	f := &eventFile{records: r, columns: o}
	var names []string
	for _, c := range plan.Columns {
		names = append(names, c.Name)
	}
	if err := f.columns.guess(names); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", plan.Name, err), r.Close())
	}
	f.guessScale()
	c := f.columns
	a.note("%s: %s", plan.Name, plan.Format)
	a.note("  user: %s   item: %s   %stime: %s   (change with --user COLUMN --item COLUMN …)", c.user, c.item, c.judgement(), pick(c.time == "", "now", c.time))
	return f, nil
}

// judgement says what tells how much an event speaks for its item.
func (c *eventColumns) judgement() string {
	switch {
	case c.rating != "":
		return fmt.Sprintf("rating: %s, up to %g   ", c.rating, c.scale)
	case c.action == "" && c.weight == "":
		return "action: " + c.fallback + "   "
	}
	return pick(c.action != "", "action: "+c.action+"   ", "") + pick(c.weight != "", "weight: "+c.weight+"   ", "")
}

// guess fills in the columns that are not told.
func (c *eventColumns) guess(names []string) error {
	for _, role := range []struct {
		name   string
		column *string
		known  []string
		needed bool
	}{
		{"user", &c.user, []string{"user", "userid", "uid", "username", "customer", "customerid", "visitor", "visitorid", "member", "reviewerid", "account", "session", "sessionid"}, true},
		{"item", &c.item, []string{"item", "itemid", "movieid", "productid", "product", "document", "documentid", "docid", "asin", "sku", "articleid", "newsid", "bookid", "songid", "movie", "book", "isbn", "id"}, true},
		{"action", &c.action, []string{"action", "event", "eventtype", "type", "behavior", "behaviour"}, false},
		{"weight", &c.weight, []string{"weight", "value"}, false},
		{"rating", &c.rating, []string{"rating", "stars", "score", "overall"}, false},
		{"time", &c.time, []string{"time", "timestamp", "ts", "date", "datetime", "createdat", "eventtime"}, false},
	} {
		if *role.column != "" {
			if !slices.Contains(names, *role.column) {
				return core.Invalid("", "columns are "+strings.Join(names, ", "), "there is no column %q", *role.column)
			}
			continue
		}
		if *role.column = columnNamed(names, role.known); *role.column == "" && role.needed {
			return core.Invalid("", fmt.Sprintf("name it with --%s; columns are %s", role.name, strings.Join(names, ", ")), "no column looks like the %s of an event", role.name)
		}
	}
	if c.weight != "" {
		c.rating = "" // a weight is the more precise of both
	}
	if c.fallback == "" {
		c.fallback = pick(c.rating != "", rateAction, "click")
	}
	return nil
}

// columnNamed returns the column with the first of the known names, whatever
// its case and punctuation.
func columnNamed(names, known []string) string {
	plain := strings.NewReplacer("_", "", "-", "", " ", "", ".", "")
	for _, want := range known {
		for _, name := range names {
			if plain.Replace(strings.ToLower(name)) == want {
				return name
			}
		}
	}
	return ""
}

// guessScale takes the scale of the ratings from the first records.
func (f *eventFile) guessScale() {
	if f.columns.rating == "" || f.columns.scale > 0 {
		return
	}
	most := 0.0
	for len(f.ahead) < eventBatch {
		rec, err := f.records.Next()
		f.ahead = append(f.ahead, readAhead{rec, err})
		var line *records.LineError
		if err != nil && !errors.As(err, &line) {
			break
		}
		if x, ok := number(rec.Document.Fields[f.columns.rating]); ok {
			most = max(most, x)
		}
	}
	for _, scale := range []float64{1, 5, 10, 100} {
		if f.columns.scale = scale; most <= scale {
			return
		}
	}
	f.columns.scale = most
}

// batch returns the next events with what was refused among them, and whether
// these are the last.
func (f *eventFile) batch() (events []core.Event, problems []problem, done bool, err error) {
	for len(events) < eventBatch {
		rec, err := f.next()
		var line *records.LineError
		switch {
		case errors.As(err, &line):
			problems = append(problems, problem{Line: line.Line, Error: line.Err.Error()})
			continue
		case errors.Is(err, io.EOF):
			return events, problems, true, nil
		case err != nil:
			return events, problems, false, err
		}
		e, err := f.columns.event(rec.Document.Fields)
		if err == nil {
			err = e.Check()
		}
		if err != nil {
			problems = append(problems, problem{Line: rec.Line, Error: err.Error()})
			continue
		}
		events = append(events, e)
	}
	return events, problems, false, nil
}

func (f *eventFile) next() (records.Record, error) {
	if len(f.ahead) > 0 {
		first := f.ahead[0]
		f.ahead = f.ahead[1:]
		return first.Record, first.err
	}
	return f.records.Next()
}

// event makes an event of a record.
func (c *eventColumns) event(fields map[string]any) (core.Event, error) {
	e := core.Event{User: cellText(fields[c.user]), Item: cellText(fields[c.item]), Action: cellText(fields[c.action])}
	if e.Action == "" {
		e.Action = c.fallback
	}
	if x, ok := number(fields[c.weight]); ok && c.weight != "" {
		e.Weight = &x
	}
	if c.rating != "" {
		x, ok := number(fields[c.rating])
		if !ok {
			return e, core.Invalid("/rating", "", "the rating %.40q is no number", cellText(fields[c.rating]))
		}
		w := max(min(2*x/c.scale-1, 1), -1)
		e.Weight = &w
	}
	var err error
	if c.time != "" {
		e.Time, err = cellTime(fields[c.time])
	}
	return e, err
}

func cellText(v any) string {
	if v == nil {
		return ""
	}
	return strings.TrimSpace(fmt.Sprint(v))
}

func number(v any) (float64, bool) {
	switch v := v.(type) {
	case int64:
		return float64(v), true
	case float64:
		return v, true
	case string:
		x, err := strconv.ParseFloat(strings.TrimSpace(v), 64)
		return x, err == nil
	}
	return 0, false
}

// cellTime reads a time in one of the usual forms.
func cellTime(v any) (time.Time, error) {
	if x, ok := number(v); ok {
		return core.UnixTime(strconv.FormatFloat(x, 'f', -1, 64))
	}
	text := cellText(v)
	if text == "" {
		return time.Time{}, nil
	}
	if t, ok := core.ParseTime(text); ok {
		return t.UTC(), nil
	}
	return time.Time{}, core.Invalid("/time", "use RFC 3339, a date, or seconds since 1970", "the time %.40q is in no known form", text)
}
