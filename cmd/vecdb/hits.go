package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/vecdb/vecdb/internal/core"
	"github.com/vecdb/vecdb/query"
)

const (
	barWidth = 8
	idWidth  = 28
	// fieldWidth bounds the columns of fields.
	fieldWidth = 24
	// minText is the least that is kept for the text.
	minText = 20
)

// renderTable prints rows below a header without lines around them.
func (a *app) renderTable(header []string, rows [][]string) {
	st := a.outStyle()
	t := table.NewWriter()
	t.SetStyle(table.Style{Name: "plain", Box: table.BoxStyle{PaddingRight: "  "}, Options: table.OptionsNoBordersAndSeparators})
	if header != nil {
		h := make(table.Row, len(header))
		for i, name := range header {
			h[i] = st.dim(name)
		}
		t.AppendRow(h)
	}
	for _, r := range rows {
		row := make(table.Row, len(r))
		for i, cell := range r {
			row[i] = cell
		}
		t.AppendRow(row)
	}
	t.SetColumnConfigs([]table.ColumnConfig{{Number: 1, Align: text.AlignLeft}})
	for line := range strings.SplitSeq(t.Render(), "\n") {
		fmt.Fprintln(a.out, strings.TrimRight(line, " "))
	}
}

// renderHits prints ranked hits with the chosen fields.
func (a *app) renderHits(hits []query.Hit, fields []string, explain bool) {
	if len(hits) == 0 {
		a.tell("nothing found")
		return
	}
	header := []string{"#", "score", "", "id", "text"}
	header = append(header, fields...)
	if explain {
		header = append(header, "why")
	}
	st := a.outStyle()
	rows := make([][]string, len(hits))
	for i, h := range hits {
		rows[i] = []string{fmt.Sprint(i + 1), fmt.Sprintf("%.3f", h.Score), st.bar(bar(float64(h.Score), barWidth)), oneLine(h.ID, idWidth), ""}
		for _, name := range fields {
			rows[i] = append(rows[i], oneLine(fieldText(h.Document, name), fieldWidth))
		}
		if explain {
			rows[i] = append(rows[i], oneLine(why(h.Explain), 2*fieldWidth))
		}
	}
	const textColumn = 4
	room := a.room(header, rows, textColumn)
	for i, h := range hits {
		switch {
		case h.Highlight != nil:
			rows[i][textColumn] = oneLine(h.Highlight.Text, room)
		case h.Passage != nil:
			rows[i][textColumn] = oneLine(h.Passage.Text, room)
		case h.Document != nil:
			rows[i][textColumn] = oneLine(h.Document.Text, room)
		}
	}
	a.renderTable(header, rows)
}

// room is how many columns of the terminal are left for a column that is still
// empty in rows.
func (a *app) room(header []string, rows [][]string, column int) int {
	room := a.width() - 2*(len(rows[0])-1)
	for c := range rows[0] {
		if c == column {
			continue
		}
		widest := 0
		if header != nil {
			widest = textWidth(header[c])
		}
		for _, r := range rows {
			widest = max(widest, text.StringWidthWithoutEscSequences(r[c]))
		}
		room -= widest
	}
	return max(room, minText)
}

// fieldText is the value of a field as text; nested objects are reached by
// dotted names.
func fieldText(doc *core.Document, name string) string {
	if doc == nil {
		return ""
	}
	if v, ok := doc.Field(name); ok {
		return valueText(v)
	}
	var v any = doc.Fields
	for part := range strings.SplitSeq(name, ".") {
		object, ok := v.(map[string]any)
		if !ok {
			return ""
		}
		v = object[part]
	}
	return valueText(v)
}

func valueText(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case []any:
		parts := make([]string, len(v))
		for i, e := range v {
			parts[i] = valueText(e)
		}
		return strings.Join(parts, ", ")
	case map[string]any:
		names := make([]string, 0, len(v))
		for name := range v {
			names = append(names, name)
		}
		slices.Sort(names)
		for i, name := range names {
			names[i] = name + ": " + valueText(v[name])
		}
		return "{" + strings.Join(names, ", ") + "}"
	}
	return fmt.Sprint(v)
}

// why tells how a score came about.
func why(e *query.Explain) string {
	if e == nil {
		return ""
	}
	out := found(e)
	for _, a := range e.Adjusted {
		if a.Factor != 0 {
			out += fmt.Sprintf(", %s ×%.2f", a.Field, a.Factor)
		} else {
			out += fmt.Sprintf(", %s %+.2f", a.Field, a.Adds)
		}
	}
	return out
}

// found tells what a hit was found by.
func found(e *query.Explain) string {
	switch {
	case e.Mode == query.Lexical:
		return terms(e.Lexical)
	case e.Mode == query.Hybrid:
		return fmt.Sprintf("%s %.3f, %s", e.Metric, e.Dense, terms(e.Lexical))
	case e.Mode == query.Behavioral:
		return liked(e)
	case len(e.Because) == 0:
		return fmt.Sprintf("%s %.3f", e.Metric, e.Dense)
	}
	parts := make([]string, len(e.Because))
	for i, b := range e.Because {
		name := b.ID
		if name == "" {
			name = fmt.Sprintf("%q", b.Text)
		}
		parts[i] = fmt.Sprintf("%s %.3f", name, b.Score)
	}
	return "near " + strings.Join(parts, ", ")
}

// liked tells what somebody liked that speaks for a hit.
func liked(e *query.Explain) string {
	switch {
	case e.Behavior != nil && e.Behavior.Popular:
		return "popular"
	case len(e.Because) == 0:
		return "goes with what was liked"
	}
	names := make([]string, len(e.Because))
	for i, b := range e.Because {
		names[i] = oneLine(cmp.Or(b.Text, b.ID), fieldWidth)
	}
	return "because of " + strings.Join(names, "; ")
}

// terms tells which words were found and what they brought.
func terms(l *query.LexicalPart) string {
	if len(l.Terms) == 0 {
		return "no words"
	}
	parts := make([]string, len(l.Terms))
	for i, t := range l.Terms {
		parts[i] = fmt.Sprintf("%s %.1f", t.Term, t.Score)
	}
	return fmt.Sprintf("words %.3f: %s", l.Score/l.Bound, strings.Join(parts, ", "))
}

// renderTook prints the time of each stage. What is much longer than its
// stages had to open the model first.
func (a *app) renderTook(what string, t query.Took) {
	rest := t.Total - t.Tokenize - t.Embed - t.Search - t.Fetch - t.Shape - t.Highlight
	loading := pick(rest > 20, fmt.Sprintf(", loading the model %.0f", rest), "")
	a.tell("%s", a.outStyle().dim(fmt.Sprintf("%s in %.1f ms: tokenize %.1f, embed %.1f, search %.1f, fetch %.1f%s%s%s",
		what, t.Total, t.Tokenize, t.Embed, t.Search, t.Fetch,
		pick(t.Shape > 0, fmt.Sprintf(", shape %.1f", t.Shape), ""), pick(t.Highlight > 0, fmt.Sprintf(", highlight %.1f", t.Highlight), ""), loading)))
}
