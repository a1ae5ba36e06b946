package records

import (
	"bytes"
	"errors"
	"io"
	"strings"

	"github.com/vecdb/vecdb/internal/core"
)

// The columns that are read of a Debian control file (deb-control(5)).
var debianColumns = map[string]string{
	"package": "package", "version": "version", "section": "section", "homepage": "homepage",
	"maintainer": "maintainer", "tag": "tags", "description": "description", "description-en": "description",
}

// paragraphs makes a row of every paragraph of a Debian control file. Tags
// become an array; of the description, the lines are joined as its format
// says.
type paragraphs struct{ lines lineReader }

func newParagraphs(in *input) *paragraphs { return &paragraphs{lineReader{in: in}} }

func (p *paragraphs) columns() []string {
	return []string{"package", "description", "version", "section", "tags", "homepage", "maintainer"}
}

func (p *paragraphs) next() (row, error) {
	for {
		r, err := p.paragraph()
		if err != nil || len(r.values) > 0 {
			return r, err
		}
	}
}

// paragraph reads up to the next blank line; the row has no values when there
// is nothing before it.
func (p *paragraphs) paragraph() (row, error) {
	r := row{line: p.lines.line + 1}
	raw := make(map[string]string)
	name, started := "", false
	var bad error
	for {
		line, err := p.lines.next()
		if err != nil && (!errors.Is(err, io.EOF) || !started) {
			return r, err
		}
		if err != nil || len(bytes.TrimSpace(line)) == 0 {
			break
		}
		started = true
		r.size += len(line)
		if err := p.lines.in.checkText(line); err != nil {
			bad = &LineError{Line: p.lines.line, Err: err}
			continue
		}
		if name, err = addLine(raw, name, string(line)); err != nil {
			bad = &LineError{Line: p.lines.line, Err: err}
		}
		if r.size > MaxRecordBytes {
			bad, raw = &LineError{Line: r.line, Err: errRecordTooLong()}, make(map[string]string)
		}
	}
	if bad != nil {
		return r, bad
	}
	r.values = debianValues(raw)
	if started && r.values["package"] == nil {
		return r, &LineError{Line: r.line, Err: core.Invalid("", "", "a paragraph without a Package line")}
	}
	return r, nil
}

// addLine adds a line to the column that it names or continues, and returns
// that column's name, "" for one that is not wanted.
func addLine(values map[string]string, current, line string) (string, error) {
	if line[0] == ' ' || line[0] == '\t' {
		if current != "" {
			values[current] += "\n" + line
		}
		return current, nil
	}
	name, value, ok := strings.Cut(line, ":")
	if !ok {
		return "", core.Invalid("", `lines are "Name: value"`, "no colon in %s", excerpt([]byte(line)))
	}
	column := debianColumns[strings.ToLower(name)]
	if column == "" || values[column] != "" {
		return "", nil // not wanted, or a second description
	}
	values[column] = strings.TrimSpace(value)
	return column, nil
}

func debianValues(raw map[string]string) map[string]any {
	values := make(map[string]any, len(raw))
	for name, v := range raw {
		switch name {
		case "description":
			values[name] = joinDescription(v)
		case "tags":
			if tags := splitTags(v); len(tags) > 0 {
				values[name] = tags
			}
		default:
			if v = strings.TrimSpace(v); v != "" {
				values[name] = v
			}
		}
	}
	return values
}

// joinDescription joins the synopsis and the extended description: a line of
// one full stop ends a paragraph, other lines run on.
func joinDescription(v string) string {
	synopsis, rest, _ := strings.Cut(v, "\n")
	var b strings.Builder
	b.WriteString(strings.TrimSpace(synopsis))
	separator := ". "
	for line := range strings.Lines(rest) {
		line = strings.TrimSpace(line)
		if line == "." {
			separator = "\n"
			continue
		}
		b.WriteString(separator)
		b.WriteString(line)
		separator = " "
	}
	return b.String()
}

func splitTags(v string) []any {
	var tags []any
	for tag := range strings.SplitSeq(v, ",") {
		if tag = strings.TrimSpace(tag); tag != "" {
			tags = append(tags, tag)
		}
	}
	return tags
}
