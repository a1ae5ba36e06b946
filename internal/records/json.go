package records

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/vecdb/vecdb/internal/core"
)

// listMember is the member of an object that may hold the documents.
const listMember = "documents"

// jsonLines makes a row of every line that is a JSON object. Blank lines are
// skipped.
type jsonLines struct{ lines lineReader }

func newJSONLines(in *input) *jsonLines { return &jsonLines{lineReader{in: in}} }

func (j *jsonLines) columns() []string { return nil }

func (j *jsonLines) next() (row, error) {
	for {
		line, err := j.lines.next()
		if err != nil {
			return row{}, err
		}
		if line = bytes.TrimSpace(line); len(line) == 0 {
			continue
		}
		values, err := j.object(line)
		if err != nil {
			return row{}, &LineError{Line: j.lines.line, Err: err}
		}
		return row{line: j.lines.line, values: values, size: len(line)}, nil
	}
}

func (j *jsonLines) object(line []byte) (map[string]any, error) {
	if err := j.lines.in.checkText(line); err != nil {
		return nil, err
	}
	if !json.Valid(line) {
		return nil, core.Invalid("", "each line must be one JSON object", "not JSON: %s", excerpt(line))
	}
	return toObject(line)
}

// toObject decodes a JSON object.
func toObject(data []byte) (map[string]any, error) {
	if err := core.CheckSurrogates(data); err != nil {
		return nil, err
	}
	v, err := core.PlainJSON(data)
	if err != nil {
		return nil, core.Invalid("", "check the syntax", "not JSON: %v", err)
	}
	object, ok := v.(map[string]any)
	if !ok {
		return nil, core.Invalid("", `a document is an object such as {"id":"a1","text":"…"}`, "not a JSON object: %s", excerpt(data))
	}
	return object, nil
}

func excerpt(b []byte) string {
	const longest = 40
	r := []rune(string(b[:min(len(b), 4*longest)]))
	if len(r) > longest {
		return string(r[:longest]) + "…"
	}
	return string(r)
}

// jsonValues makes rows of the JSON values of an input: objects, arrays of
// objects, and objects with a member "documents" that holds such an array. A
// syntax error ends the reading, since nothing tells where the next value
// begins.
type jsonValues struct {
	in      *input
	dec     *json.Decoder
	source  *lineCounter
	inArray bool
	inList  bool // within the member "documents"; the object's rest follows
}

func newJSONValues(in *input) *jsonValues {
	source := &lineCounter{r: in, line: 1}
	return &jsonValues{in: in, dec: json.NewDecoder(source), source: source}
}

func (j *jsonValues) columns() []string { return nil }

func (j *jsonValues) next() (row, error) {
	for {
		if !j.inArray {
			object, line, err := j.value()
			if err != nil || object != nil {
				return row{line: line, values: object, size: int(j.source.used())}, err
			}
			continue
		}
		if j.dec.More() {
			return j.element()
		}
		if err := j.leaveArray(); err != nil {
			return row{}, err
		}
	}
}

// leaveArray reads the closing bracket and, behind a list of documents, the
// rest of the object that held it.
func (j *jsonValues) leaveArray() error {
	if _, err := j.inner(); err != nil {
		return err
	}
	j.inArray = false
	if !j.inList {
		return nil
	}
	j.inList = false
	_, err := j.members()
	return err
}

// value begins a value at the top: it enters an array, or reads an object
// that is no list of documents.
func (j *jsonValues) value() (map[string]any, int, error) {
	t, err := j.token()
	if err != nil {
		return nil, 0, err
	}
	line := j.source.lineAt(j.dec.InputOffset() - 1)
	switch t {
	case json.Delim('['):
		j.inArray = true
		return nil, line, nil
	case json.Delim('{'):
		object, err := j.members()
		return object, line, err
	}
	return nil, line, &LineError{Line: line, Err: core.Invalid("", `give objects such as {"id":"a1","text":"…"}`, "neither an object nor an array: %v", t)}
}

// members reads the members of an object up to its end. When it meets a list
// of documents it stops in it, with nil.
func (j *jsonValues) members() (map[string]any, error) {
	object := make(map[string]any)
	for j.dec.More() {
		name, err := j.inner()
		if err != nil {
			return nil, err
		}
		if name == listMember {
			entered, err := j.list(object)
			if err != nil || entered {
				return nil, err
			}
			continue
		}
		raw, err := j.raw()
		if err != nil {
			return nil, err
		}
		if err = core.CheckSurrogates(raw); err == nil {
			object[fmt.Sprint(name)], err = core.PlainJSON(raw)
		}
		if err != nil {
			return nil, fmt.Errorf("member %v: %w", name, err)
		}
	}
	_, err := j.inner() // the closing brace
	return object, err
}

// list reads the value of the member "documents" and tells whether it is an
// array, which it enters. A plain value is like any other member's.
func (j *jsonValues) list(object map[string]any) (entered bool, err error) {
	t, err := j.inner()
	if err != nil {
		return false, err
	}
	if t == json.Delim('[') {
		j.inArray, j.inList = true, true
		return true, nil
	}
	if t == json.Delim('{') {
		return false, fmt.Errorf("line %d: %w", j.source.lineAt(j.dec.InputOffset()),
			core.Invalid("/"+listMember, "give an array of objects", "the documents are not in an array"))
	}
	object[listMember] = t
	return false, nil
}

// element reads one element of an array.
func (j *jsonValues) element() (row, error) {
	raw, err := j.raw()
	if err != nil {
		return row{}, err
	}
	line := j.source.lineAt(j.dec.InputOffset() - int64(len(raw)))
	if err := j.in.checkText(raw); err != nil {
		return row{}, &LineError{Line: line, Err: err}
	}
	object, err := toObject(raw)
	if err != nil {
		return row{}, &LineError{Line: line, Err: err}
	}
	return row{line: line, values: object, size: len(raw)}, nil
}

func (j *jsonValues) token() (json.Token, error) {
	j.source.allow(MaxRecordBytes)
	t, err := j.dec.Token()
	return t, j.explain(err)
}

// inner returns a token within a value, where the input must not end.
func (j *jsonValues) inner() (json.Token, error) {
	t, err := j.token()
	if errors.Is(err, io.EOF) {
		err = j.explain(io.ErrUnexpectedEOF)
	}
	return t, err
}

func (j *jsonValues) raw() (json.RawMessage, error) {
	j.source.allow(MaxRecordBytes)
	var raw json.RawMessage
	err := j.dec.Decode(&raw)
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return raw, j.explain(err)
}

// explain adds the line to what ends the reading.
func (j *jsonValues) explain(err error) error {
	var syntax *json.SyntaxError
	switch {
	case err == nil, errors.Is(err, io.EOF):
		return err
	case errors.As(err, &syntax):
		err = core.Invalid("", "repair it there, or write one object a line (JSON lines), where a bad line stops nothing", "not JSON: %v", err)
	case errors.Is(err, io.ErrUnexpectedEOF):
		err = core.Invalid("", "the file was cut off", "the JSON ends in the middle")
	}
	return fmt.Errorf("line %d: %w", j.source.lineAt(j.dec.InputOffset()), err)
}

// lineCounter turns offsets of the decoder into line numbers, and stops a
// value that never ends. It keeps the line ends that have been read and not
// been asked about, which are those of the decoder's buffer.
type lineCounter struct {
	r       io.Reader
	offset  int64
	ends    []int64 // offsets of line ends from the last asked offset on
	line    int     // of the last asked offset
	left    int64   // how much may be read for the current value
	granted int64
}

func (l *lineCounter) Read(p []byte) (int, error) {
	if l.left <= 0 {
		return 0, errRecordTooLong()
	}
	n, err := l.r.Read(p[:min(int64(len(p)), l.left)])
	for i, c := range p[:n] {
		if c == '\n' {
			l.ends = append(l.ends, l.offset+int64(i))
		}
	}
	l.offset += int64(n)
	l.left -= int64(n)
	return n, err
}

// allow sets how many bytes may be read for what comes next.
func (l *lineCounter) allow(n int64) { l.left, l.granted = n, n }

// used returns how many bytes were read since allow.
func (l *lineCounter) used() int64 { return l.granted - l.left }

// lineAt returns the line of an offset; offsets are asked for in rising order.
func (l *lineCounter) lineAt(offset int64) int {
	n := 0
	for n < len(l.ends) && l.ends[n] < offset {
		n++
	}
	l.ends = l.ends[n:]
	l.line += n
	return l.line
}
