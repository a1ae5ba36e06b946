package records

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/vecdb/vecdb/internal/core"
)

// Format is a file format.
type Format string

// The formats.
const (
	CSV    Format = "csv"    // cells separated by commas, semicolons or tabs; RFC 4180 with its usual variations
	TSV    Format = "tsv"    // the same with tabs
	JSON   Format = "json"   // an array of objects, one object, several in a row, or {"documents": […]}
	JSONL  Format = "jsonl"  // one JSON object a line
	Text   Format = "text"   // one document a line
	Debian Format = "debian" // paragraphs of "Name: value" lines, as apt-cache dumpavail prints them
)

// ParseFormat returns the format of that name; "" and "auto" are "", which
// means to guess.
func ParseFormat(name string) (Format, error) {
	switch f := Format(strings.ToLower(name)); f {
	case "", "auto":
		return "", nil
	case "ndjson":
		return JSONL, nil
	case "txt":
		return Text, nil
	case "deb":
		return Debian, nil
	case CSV, TSV, JSON, JSONL, Text, Debian:
		return f, nil
	}
	return "", core.Invalid("", "use csv, tsv, json, jsonl, text or debian", "unknown format %q", name)
}

// chooseFormat takes the told format, or goes by the name's extension and by
// the first bytes.
func chooseFormat(told Format, name string, head []byte) (Format, error) {
	if told != "" {
		return ParseFormat(string(told))
	}
	base := strings.TrimSuffix(strings.ToLower(filepath.Base(name)), ".gz")
	switch filepath.Ext(base) {
	case ".csv":
		return CSV, nil
	case ".tsv", ".tab":
		return TSV, nil
	case ".json":
		return orElse(jsonKind(head), JSON), nil
	case ".jsonl", ".ndjson":
		return JSONL, nil
	case ".txt", ".text", ".md":
		return orElse(markedKind(head), Text), nil
	}
	if f := markedKind(head); f != "" {
		return f, nil
	}
	if looksTabular(head) {
		return CSV, nil
	}
	return Text, nil
}

func orElse(f, otherwise Format) Format {
	if f == "" {
		return otherwise
	}
	return f
}

// debianStart matches the first lines of a control file.
var debianStart = regexp.MustCompile(`^\s*Package: \S+\n([A-Z][A-Za-z0-9-]*: .*\n| .*\n)*(Version|Description(-en)?): `)

// markedKind recognises the formats that cannot be mistaken for prose.
func markedKind(head []byte) Format {
	if f := jsonKind(head); f != "" {
		return f
	}
	if debianStart.Match(head) {
		return Debian
	}
	return ""
}

// jsonKind tells JSON from JSON lines and both from anything else.
func jsonKind(head []byte) Format {
	head = bytes.TrimLeft(head, " \t\r\n")
	if len(head) == 0 || head[0] != '{' && head[0] != '[' {
		return ""
	}
	first, rest, whole := bytes.Cut(head, []byte("\n"))
	switch {
	case head[0] == '[':
		if startsJSON(head) {
			return JSON
		}
	case json.Valid(first) && len(bytes.TrimSpace(rest)) > 0:
		return JSONL
	case whole && bytes.HasPrefix(bytes.TrimLeft(rest, " \t\r\n"), []byte("{\"")) && bytes.HasPrefix(head, []byte("{\"")):
		return JSONL // the first line is broken
	case startsJSON(head):
		return JSON
	}
	return ""
}

// startsJSON tells whether head is the beginning of a JSON value.
func startsJSON(head []byte) bool {
	dec := json.NewDecoder(bytes.NewReader(head))
	for n := 0; ; n++ {
		_, err := dec.Token()
		if err != nil {
			return n > 1 && (errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF))
		}
	}
}

// looksTabular tells whether the beginning is a table: three records or more,
// all with the same two or more cells below names of columns.
func looksTabular(head []byte) bool {
	delimiter, cells, agree, total := guessDelimiter(head)
	if cells < 2 || total < 3 || agree < total {
		return false
	}
	first := firstRecord(head, delimiter)
	if !looksHeader(first) {
		return false
	}
	if cells > 2 {
		return true
	}
	for _, name := range first {
		if knownName(name) {
			return true
		}
	}
	return false
}
