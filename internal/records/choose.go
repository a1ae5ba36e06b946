package records

import (
	"fmt"
	"slices"
	"strings"

	"github.com/vecdb/vecdb/internal/core"
	"github.com/vecdb/vecdb/internal/language"
)

// builder makes documents of rows.
type builder struct {
	text  []string // columns joined to the text
	drop  string   // the text column that does not stay a field
	join  string   // what stands between them
	id    string   // column of ids, "" for none
	types map[string]Type
	table bool // values are cells, to be converted to their columns' types
	bare  bool // documents may have neither text nor vector
}

// choose makes the plan from the sample and the options.
func (r *Reader) choose(o Options) error {
	columns := statistics(r.sample, r.rows.columns())
	records := 0
	for _, s := range r.sample {
		if s.err == nil {
			records++
		}
	}
	if o.Plain {
		o.ID, o.Vectors = NoID, true
	}
	r.plan.ID = o.ID
	if err := r.chooseText(columns, o); err != nil {
		return err
	}
	if err := r.chooseID(columns, o.ID, records); err != nil {
		return err
	}
	r.fillColumns(columns)
	r.builder = r.newBuilder(columns)
	r.builder.bare = o.Vectors
	r.guessLanguage()
	r.plan.Dimension = r.sampleDimension()
	return nil
}

func (r *Reader) chooseText(columns []*column, o Options) error {
	told := o.Text
	for _, name := range told {
		if err := r.known(columns, name); err != nil {
			return err
		}
	}
	switch {
	case o.Plain:
		return nil
	case len(told) > 0:
		r.plan.Text = told
	case r.plan.Format == Debian:
		r.plan.Text = []string{"package", "description"}
	case r.isJSON() && has(columns, textColumn):
		r.plan.Text = []string{textColumn} // the shape of the API itself
	default:
		r.plan.Text = guessText(columns)
	}
	if len(r.plan.Text) == 0 && len(columns) > 0 && !o.Vectors && !r.sampleHasVectors() {
		return core.Invalid("", "name the columns: --text COLUMN,…", "no column looks like text (columns: %s)", list(columns))
	}
	return nil
}

func (r *Reader) chooseID(columns []*column, told string, records int) error {
	switch told {
	case NoID:
		r.plan.ID = ""
		return nil
	case "":
		if r.plan.Format == Debian {
			r.plan.ID = "package"
		} else if r.plan.Format != Text {
			r.plan.ID = guessID(columns, records)
		}
		return nil
	}
	return r.known(columns, told)
}

// known refuses the name of a column that a table does not have. JSON objects
// may have members that the sample has not shown.
func (r *Reader) known(columns []*column, name string) error {
	names := r.rows.columns()
	if names == nil || slices.Contains(names, name) {
		if names == nil && !has(columns, name) {
			r.plan.Notes = append(r.plan.Notes, fmt.Sprintf("No record at the beginning has the member %q.", name))
		}
		return nil
	}
	return core.Invalid("", "columns are "+strings.Join(names, ", "), "there is no column %q", name)
}

func (r *Reader) isJSON() bool { return r.plan.Format == JSON || r.plan.Format == JSONL }

func (r *Reader) isTable() bool { return r.plan.Format == CSV || r.plan.Format == TSV }

func has(columns []*column, name string) bool {
	return slices.ContainsFunc(columns, func(c *column) bool { return c.name == name })
}

func (r *Reader) sampleHasVectors() bool {
	return slices.ContainsFunc(r.sample, func(s sampled) bool { return s.row.values["vector"] != nil })
}

func list(columns []*column) string {
	var names []string
	for _, c := range columns {
		names = append(names, c.name)
	}
	return strings.Join(names, ", ")
}

func (r *Reader) fillColumns(columns []*column) {
	for _, c := range columns {
		t := c.memberType()
		if r.isTable() {
			t = c.fieldType()
		}
		r.plan.Columns = append(r.plan.Columns, Column{Name: c.name, Type: t})
	}
}

func (r *Reader) newBuilder(columns []*column) builder {
	b := builder{text: r.plan.Text, id: r.plan.ID, join: ". ", types: make(map[string]Type), table: r.isTable()}
	if r.plan.Format == Debian {
		b.join = ": "
	}
	longest := -1.0
	for _, c := range columns {
		b.types[c.name] = c.fieldType()
		if slices.Contains(b.text, c.name) && c.length() > longest {
			b.drop, longest = c.name, c.length()
		}
	}
	return b
}

// document makes a document of a row.
func (b *builder) document(r row) (core.Document, error) {
	doc := core.Document{Text: b.joined(r.values)}
	if b.id != "" {
		id, ok := asText(r.values[b.id])
		if !ok || id == "" {
			return doc, core.Invalid("/"+core.EscapePointer(b.id), "fill it in, or leave ids to the content: --id -", "the id is missing")
		}
		doc.ID = id
	}
	if err := b.setVector(&doc, r.values["vector"]); err != nil {
		return doc, err
	}
	if doc.Text == "" && doc.Vector == nil && !b.bare {
		return doc, b.noText()
	}
	for name, v := range r.values {
		if name != b.id && name != b.drop && name != "vector" && !b.isOnlyText(name) {
			b.setField(&doc, name, v)
		}
	}
	return doc, nil
}

func (b *builder) noText() error {
	if len(b.text) == 0 {
		return core.Invalid("", "name the columns: --text COLUMN,…", "no column looks like text")
	}
	return core.Invalid("", "other columns are taken with --text COLUMN,…", "there is no text in %s", strings.Join(b.text, ", "))
}

// isOnlyText tells whether a column is the member text itself, which cannot be
// a field too.
func (b *builder) isOnlyText(name string) bool {
	return name == textColumn && slices.Contains(b.text, name)
}

func (b *builder) setField(doc *core.Document, name string, v any) {
	if doc.Fields == nil {
		doc.Fields = make(map[string]any)
	}
	if cell, is := v.(string); is && b.table {
		v = convert(cell, b.types[name])
	}
	doc.Fields[fieldName(name)] = v
}

// joined joins the text columns. A part that ends with a mark of its own gets
// a space behind it instead of a full stop.
func (b *builder) joined(values map[string]any) string {
	var text strings.Builder
	for _, name := range b.text {
		part, ok := asText(values[name])
		if !ok || part == "" {
			continue
		}
		if text.Len() > 0 {
			text.WriteString(b.between(text.String()))
		}
		text.WriteString(part)
	}
	return text.String()
}

func (b *builder) between(before string) string {
	if strings.HasSuffix(before, "。") || strings.HasSuffix(before, "？") || strings.HasSuffix(before, "！") {
		return ""
	}
	if strings.ContainsAny(before[len(before)-1:], ".?!:;") {
		return " "
	}
	return b.join
}

// setVector takes a vector: an array or a packed one in JSON, the text of either
// in a table.
func (b *builder) setVector(doc *core.Document, v any) error {
	if cell, is := v.(string); is {
		parsed, err := core.PlainJSON([]byte(cell))
		if err != nil {
			return core.Invalid("/vector", "write it as [0.1, 0.2, …]", "the vector is no array of numbers")
		}
		v = parsed
	}
	if v == nil {
		return nil
	}
	if packed, is := v.(map[string]any); is {
		unpacked, err := core.UnpackVector(packed)
		doc.Vector = unpacked
		return core.At("/vector", err)
	}
	elements, ok := v.([]any)
	if !ok {
		return core.Invalid("/vector", "write it as [0.1, 0.2, …]", "the vector is no array of numbers")
	}
	doc.Vector = make([]float32, len(elements))
	for i, e := range elements {
		switch e := e.(type) {
		case float64:
			doc.Vector[i] = float32(e)
		case int64:
			doc.Vector[i] = float32(e)
		default:
			return core.Invalid(fmt.Sprintf("/vector/%d", i), "give numbers only", "the vector holds something that is no number")
		}
	}
	return nil
}

// sampleDimension is the length of the first vector of the sample.
func (r *Reader) sampleDimension() int {
	for _, s := range r.sample {
		var doc core.Document
		if r.builder.setVector(&doc, s.row.values["vector"]) == nil && doc.Vector != nil {
			return len(doc.Vector)
		}
	}
	return 0
}

// guessLanguage tells the language of the sample's texts.
func (r *Reader) guessLanguage() {
	var letters language.Count
	for _, s := range r.sample {
		if s.err == nil {
			letters.Add(r.builder.joined(s.row.values))
		}
	}
	r.plan.Language = letters.Language()
	if letters.Foreign() {
		r.plan.Notes = append(r.plan.Notes, "Most letters are neither Latin nor Han; the default models know English and Chinese only.")
	}
}
