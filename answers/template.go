package answers

import (
	"slices"
	"strings"
)

const (
	openMark  = "{{"
	closeMark = "}}"
)

// Template is the text of an answer in which placeholders such as {{order_id}}
// or {{ shop.name }} stand for values. A pair of braces without a name between
// them, or without an end, is plain text.
type Template string

// each calls text for what stands between placeholders and name for each
// placeholder, in their order.
func (t Template) each(text func(string), name func(string)) {
	rest := string(t)
	for {
		start := strings.Index(rest, openMark)
		if start < 0 {
			break
		}
		end := strings.Index(rest[start:], closeMark)
		if end < 0 {
			break
		}
		inside := rest[start+len(openMark) : start+end]
		placeholder := strings.TrimSpace(inside)
		if placeholder == "" || strings.ContainsAny(placeholder, "{}\n") {
			text(rest[:start+1])
			rest = rest[start+1:]
			continue
		}
		text(rest[:start])
		name(placeholder)
		rest = rest[start+end+len(closeMark):]
	}
	text(rest)
}

// Placeholders returns the names of the placeholders, each once, in the order in
// which they stand in the template.
func (t Template) Placeholders() (names []string) {
	t.each(func(string) {}, func(name string) {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	})
	return names
}

// Fill puts values in the place of placeholders. One whose value is not known
// stays as it is and is named in missing. Placeholders within values are plain
// text.
func (t Template) Fill(value func(name string) (string, bool)) (text string, missing []string) {
	var out strings.Builder
	t.each(func(plain string) { out.WriteString(plain) }, func(name string) {
		if v, known := value(name); known {
			out.WriteString(v)
			return
		}
		out.WriteString(openMark + name + closeMark)
		if !slices.Contains(missing, name) {
			missing = append(missing, name)
		}
	})
	return out.String(), missing
}
