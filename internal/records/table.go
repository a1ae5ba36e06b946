package records

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/vecdb/vecdb/internal/core"
)

const (
	// maxReread bounds how much is read a second time after a quote that is
	// never closed.
	maxReread = 1 << 20
	maxHeader = 64 // runes in the name of a column
)

// table makes a row of every record of a CSV or TSV file.
type table struct {
	in        *input
	lines     lineReader
	delimiter byte
	names     []string
	header    bool // the first record names the columns
	begun     bool // the header has been read
}

// newTable guesses the delimiter and whether there is a header. A first record
// that cannot be read leaves the table without columns; reading reports it.
func newTable(in *input, f Format, head []byte) *table {
	t := &table{in: in, lines: lineReader{in: in}, delimiter: '\t'}
	if f == CSV {
		t.delimiter, _, _, _ = guessDelimiter(head)
	}
	first := firstRecord(head, t.delimiter)
	t.header = looksHeader(first)
	t.names = make([]string, len(first))
	seen := make(map[string]bool)
	for i, name := range first {
		name = strings.TrimSpace(name)
		if !t.header || name == "" {
			name = "column_" + strconv.Itoa(i+1)
		}
		for seen[name] {
			name += "_2"
		}
		seen[name] = true
		t.names[i] = name
	}
	return t
}

func (t *table) columns() []string { return t.names }

func (t *table) next() (row, error) {
	for {
		cells, line, size, err := t.record()
		if err != nil {
			return row{}, err
		}
		if cells == nil {
			continue
		}
		if t.header && !t.begun {
			t.begun = true
			continue
		}
		values, err := t.values(cells)
		if err != nil {
			return row{}, &LineError{Line: line, Err: err}
		}
		return row{line: line, values: values, size: size}, nil
	}
}

// record reads the cells of one record, nil for a blank line.
func (t *table) record() (cells []string, line, size int, err error) {
	s := splitter{delimiter: t.delimiter}
	var lines [][]byte
	first := t.lines.line + 1
	for {
		raw, err := t.lines.next()
		if errors.Is(err, io.EOF) && len(lines) > 0 {
			return nil, first, 0, t.unclosed(first, lines, size)
		}
		if err != nil {
			return nil, first, 0, err
		}
		if len(lines) == 0 && len(bytes.TrimSpace(raw)) == 0 {
			return nil, first, 0, nil
		}
		lines = append(lines, raw)
		size += len(raw) + 1
		if size > MaxRecordBytes {
			return nil, first, 0, t.unclosed(first, lines, size)
		}
		if s.feed(raw) {
			break
		}
	}
	if len(lines) > 1 && (s.loose || len(s.cells) != len(t.names)) {
		return nil, first, 0, t.unclosed(first, lines, size)
	}
	for _, raw := range lines {
		if err := t.in.checkText(raw); err != nil {
			return nil, first, 0, &LineError{Line: first, Err: err}
		}
	}
	return s.cells, first, size, nil
}

// unclosed reports a quote that swallowed following records, and gives the
// lines behind the first back when they are few enough.
func (t *table) unclosed(first int, lines [][]byte, size int) error {
	detail := "a quote that is opened here is not closed where it should be"
	if size <= maxReread {
		t.lines.back(lines[1:])
	} else {
		detail += fmt.Sprintf("; lines %d to %d are skipped", first, first+len(lines)-1)
	}
	return &LineError{Line: first, Err: core.Invalid("", `write a quote within a quoted cell twice: ""`, "%s", detail)}
}

func (t *table) values(cells []string) (map[string]any, error) {
	for len(cells) > len(t.names) && strings.TrimSpace(cells[len(cells)-1]) == "" {
		cells = cells[:len(cells)-1]
	}
	if len(cells) != len(t.names) {
		return nil, core.Invalid("", "quote cells that hold the delimiter or line ends", "%d cells, but there are %d columns", len(cells), len(t.names))
	}
	values := make(map[string]any, len(cells))
	for i, c := range cells {
		if c = strings.TrimSpace(c); c != "" {
			values[t.names[i]] = c
		}
	}
	return values, nil
}

// splitter cuts a record into cells, line by line. Quotes are read as RFC 4180
// has them; a quote within a cell that does not begin with one is a character,
// and what follows a closing quote is added to the cell, as spreadsheets do.
type splitter struct {
	delimiter byte
	cells     []string
	cell      []byte
	quoted    bool // within quotes, so the record goes on in the next line
	loose     bool // something followed a closing quote
}

// feed takes a line without its end and tells whether the record is complete.
func (s *splitter) feed(line []byte) bool {
	var i int
	if s.quoted {
		s.cell = append(s.cell, '\n')
		i = s.quotedPart(line, 0)
	} else {
		i = s.start(line, 0)
	}
	for !s.quoted {
		end := bytes.IndexByte(line[i:], s.delimiter)
		if end < 0 {
			s.cell = append(s.cell, line[i:]...)
			s.finish()
			return true
		}
		s.cell = append(s.cell, line[i:i+end]...)
		s.finish()
		i = s.start(line, i+end+1)
	}
	return false
}

// start begins a cell at i and returns where its unquoted rest begins.
func (s *splitter) start(line []byte, i int) int {
	if i < len(line) && line[i] == '"' {
		s.quoted = true
		return s.quotedPart(line, i+1)
	}
	return i
}

// quotedPart reads up to the closing quote and returns what is behind it, or
// the end of the line with s.quoted still set.
func (s *splitter) quotedPart(line []byte, i int) int {
	for {
		end := bytes.IndexByte(line[i:], '"')
		if end < 0 {
			s.cell = append(s.cell, line[i:]...)
			return len(line)
		}
		s.cell = append(s.cell, line[i:i+end]...)
		i += end + 1
		if i == len(line) || line[i] != '"' {
			s.quoted = false
			s.loose = s.loose || i < len(line) && line[i] != s.delimiter
			return i
		}
		s.cell = append(s.cell, '"')
		i++
	}
}

func (s *splitter) finish() {
	s.cells = append(s.cells, string(s.cell))
	s.cell = s.cell[:0]
}

// splitAll splits the whole records at the beginning of head, limit at most.
func splitAll(head []byte, delimiter byte, limit int) [][]string {
	var out [][]string
	s := splitter{delimiter: delimiter}
	for line := range bytes.Lines(head) {
		if len(out) == limit {
			break
		}
		if !s.quoted && len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		cut := len(head) == peekBytes && line[len(line)-1] != '\n'
		if cut && len(out) > 0 {
			break
		}
		if s.feed(trimEnd(line)) {
			out = append(out, s.cells)
			s = splitter{delimiter: delimiter}
		}
	}
	return out
}

func firstRecord(head []byte, delimiter byte) []string {
	if all := splitAll(head, delimiter, 1); len(all) > 0 {
		return all[0]
	}
	return nil
}

// guessDelimiter returns the delimiter under which most of the first records
// have the same number of cells, that number, and how many records agree out
// of how many. A delimiter that never occurs is no candidate; comma is the
// default.
func guessDelimiter(head []byte) (delimiter byte, cells, agree, total int) {
	delimiter = ','
	best := 0.0
	for _, d := range []byte{',', '\t', ';'} {
		all := splitAll(head, d, 50)
		if len(all) == 0 || len(all[0]) < 2 {
			continue
		}
		same := 0
		for _, r := range all {
			if len(r) == len(all[0]) {
				same++
			}
		}
		if share := float64(same) / float64(len(all)); share > best {
			best, delimiter, cells, agree, total = share, d, len(all[0]), same, len(all)
		}
	}
	return delimiter, cells, agree, total
}

// looksHeader tells whether a first record names columns: short cells, none
// empty but perhaps the first, none twice, none a number.
func looksHeader(cells []string) bool {
	seen := make(map[string]bool)
	for i, c := range cells {
		c = strings.TrimSpace(c)
		if c == "" && i == 0 && len(cells) > 1 {
			continue // the nameless index column of data frames
		}
		if _, err := strconv.ParseFloat(c, 64); err == nil || c == "" || seen[c] || utf8.RuneCountInString(c) > maxHeader {
			return false
		}
		seen[c] = true
	}
	return len(cells) > 0
}
