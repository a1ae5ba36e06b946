package main

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"

	"github.com/vecdb/vecdb/query"
)

// filterHelp explains --filter.
const filterHelp = `restrict to documents that satisfy it; repeated ones must all hold. Short: year>=1990, genre=war,
genre=war|crime, genre!=war, isbn="0123", title~=war (contains), isbn^=978 (begins with), published>=2024-03-01,
label=* (is there), label!=* (is not); or the JSON tree`

// parseFilters turns the values of --filter into one filter, nil for none.
func parseFilters(values []string) (*query.Filter, error) {
	var all []*query.Filter
	for _, v := range values {
		f, err := parseFilter(v)
		if err != nil {
			return nil, err
		}
		all = append(all, f)
	}
	switch len(all) {
	case 0:
		return nil, nil
	case 1:
		return all[0], nil
	}
	return &query.Filter{And: all}, nil
}

// parseFilter reads one filter: a JSON tree, or FIELD OPERATOR VALUE.
func parseFilter(text string) (*query.Filter, error) {
	text = strings.TrimSpace(text)
	if strings.HasPrefix(text, "{") {
		f := new(query.Filter)
		if err := json.Unmarshal([]byte(text), f); err != nil {
			return nil, usage("filter %s: %v", text, err)
		}
		if err := f.Validate(); err != nil {
			return nil, usage("filter %s: %v", text, err)
		}
		return f, nil
	}
	at := strings.IndexAny(text, "=<>!")
	if at < 1 {
		return nil, usage("filter %q: write FIELD=VALUE, or one of != > >= < <= in the middle", text)
	}
	if text[at] == '=' && strings.ContainsRune("~^", rune(text[at-1])) {
		at--
	}
	field := strings.TrimSpace(text[:at])
	for _, op := range []string{"~=", "^=", "!=", ">=", "<=", "==", "=", ">", "<"} {
		if rest, ok := strings.CutPrefix(text[at:], op); ok && field != "" {
			return shortFilter(text, field, op, strings.TrimSpace(rest))
		}
	}
	return nil, usage("filter %q: write FIELD=VALUE, or one of != > >= < <= in the middle", text)
}

func shortFilter(text, field, op, rest string) (*query.Filter, error) {
	values, err := shortValues(rest)
	if err != nil {
		return nil, usage("filter %q: %v", text, err)
	}
	f := &query.Filter{Field: field}
	switch op {
	case "=", "==":
		setEqual(f, rest, values)
		return f, nil
	case "!=":
		if rest == "*" {
			there := false
			f.Exists = &there
			return f, nil
		}
		setEqual(f, rest, values)
		return &query.Filter{Not: f}, nil
	}
	if op == "~=" || op == "^=" {
		return partFilter(text, f, op, rest)
	}
	_, truth := values[0].(bool)
	if len(values) > 1 || truth {
		return nil, usage("filter %q: %s compares with one number or string", text, op)
	}
	switch op {
	case ">":
		f.Gt = values[0]
	case ">=":
		f.Gte = values[0]
	case "<":
		f.Lt = values[0]
	case "<=":
		f.Lte = values[0]
	}
	return f, nil
}

// partFilter sets the beginning or the part of strings that f looks for, which
// is a string whatever it looks like.
func partFilter(text string, f *query.Filter, op, rest string) (*query.Filter, error) {
	if strings.HasPrefix(rest, `"`) {
		value, tail, err := shortValue(rest)
		if err != nil || tail != "" {
			return nil, usage("filter %q: %s takes one string", text, op)
		}
		rest, _ = value.(string)
	}
	if op == "~=" {
		f.Contains = rest
	} else {
		f.Prefix = rest
	}
	return f, nil
}

func setEqual(f *query.Filter, rest string, values []any) {
	switch {
	case rest == "*":
		there := true
		f.Exists = &there
	case len(values) > 1:
		f.In = values
	default:
		f.Eq = values[0]
	}
}

// shortValues reads values between "|". A quoted one is a string; others are
// numbers and booleans where they look so.
func shortValues(rest string) ([]any, error) {
	var values []any
	for {
		value, tail, err := shortValue(rest)
		if err != nil {
			return nil, err
		}
		values = append(values, value)
		next, more := strings.CutPrefix(tail, "|")
		if !more {
			return values, nil
		}
		rest = strings.TrimSpace(next)
	}
}

func shortValue(rest string) (value any, tail string, err error) {
	if strings.HasPrefix(rest, `"`) {
		quoted, err := strconv.QuotedPrefix(rest)
		if err != nil {
			return nil, "", usage("a quote is not closed")
		}
		text, err := strconv.Unquote(quoted)
		tail := strings.TrimSpace(rest[len(quoted):])
		if err != nil || tail != "" && tail[0] != '|' {
			return nil, "", usage("only | may follow a quoted value")
		}
		return text, tail, nil
	}
	plain, tail := rest, ""
	if i := strings.IndexByte(rest, '|'); i >= 0 {
		plain, tail = rest[:i], rest[i:]
	}
	plain = strings.TrimSpace(plain)
	if plain == "" {
		return nil, "", usage(`a value is missing; the empty string is ""`)
	}
	return typed(plain), tail, nil
}

// typed returns the number or boolean that a value looks like, else the value.
func typed(plain string) any {
	if plain == "true" || plain == "false" {
		return plain == "true"
	}
	if n, err := strconv.ParseInt(plain, 10, 64); err == nil {
		return n
	}
	if f, err := strconv.ParseFloat(plain, 64); err == nil && !math.IsInf(f, 0) && !math.IsNaN(f) {
		return f
	}
	return plain
}
