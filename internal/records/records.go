// Package records reads documents out of the files that people have: CSV, TSV,
// JSON, JSON lines, plain text and the control files of Debian packages,
// gzipped or not, in UTF-8, UTF-16 or a Chinese encoding. It guesses the
// format, the encoding and which columns hold the text and the id from the
// beginning of the input, says what it chose, and takes orders instead. It
// streams: memory is bounded whatever the size of the input.
package records

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/vecdb/vecdb/internal/core"
)

// Limits of the reader.
const (
	// MaxRecordBytes is the largest record that is read; a larger one is
	// reported and skipped. It leaves room for the largest text and its fields.
	MaxRecordBytes = core.MaxTextBytes + 1<<20

	sampleRecords = 200     // how many records the guesses are made from
	sampleBytes   = 8 << 20 // at most, together
	peekBytes     = 64 << 10
)

// NoID as Options.ID leaves ids to the hash of the content.
const NoID = "-"

// Options say how an input is to be read. The zero value guesses everything.
type Options struct {
	// Format is the file format; "" guesses it by the name, then by content.
	Format Format
	// Encoding is the character encoding under its WHATWG name, for instance
	// "utf-8", "gb18030" or "windows-1252"; "" or "auto" takes a byte order
	// mark's word, else UTF-8 unless the beginning is clearly GB18030.
	Encoding string
	// Text names the columns whose values make the text, in this order; empty
	// guesses them.
	Text []string
	// Vectors says that the vectors of the documents come from elsewhere, so that
	// no column has to be text.
	Vectors bool
	// Plain leaves every column a field: no column makes text or ids.
	Plain bool
	// ID names the column of ids. "" guesses it; NoID has none.
	ID string
}

// Plan tells how an input is being read: what Options said, and what was
// guessed where they said nothing.
type Plan struct {
	Name      string // of the input
	Format    Format
	Gzip      bool
	Encoding  string // WHATWG name
	Delimiter rune   // between cells, CSV and TSV only
	Header    bool   // the first record named the columns, CSV and TSV only
	Columns   []Column
	// Text names the columns that make the text. Several are joined; all but
	// the longest of them stay fields too.
	Text []string
	// ID is the column of ids. When it is "", ids are left empty, and the
	// database makes them from the content, so that reading the same input
	// again replaces its documents.
	ID string
	// Language is "zh" or "en", by the rule of package language.
	Language string
	// Dimension is the length of the vector that the first record with one has,
	// 0 when there is none at the beginning.
	Dimension int
	// Notes are things that a person should know, one sentence each.
	Notes []string
}

// Column is a column of a table or a member of JSON objects.
type Column struct {
	Name string
	Type Type // of the field that it becomes
}

// Record is one document with the line that it begins on, from 1.
type Record struct {
	Document core.Document
	Line     int
}

// LineError reports a record that could not be read. Reading goes on behind
// it.
type LineError struct {
	Line int // where the record begins, from 1
	Err  error
}

// Error puts the line before the cause.
func (e *LineError) Error() string { return fmt.Sprintf("line %d: %v", e.Line, e.Err) }

// Unwrap returns the cause.
func (e *LineError) Unwrap() error { return e.Err }

// row is a record before its columns have got their roles. Values are strings
// in tables; in JSON whatever core.PlainJSON makes.
type row struct {
	line   int
	values map[string]any
	size   int // bytes, roughly
}

// rows is what each format implements.
type rows interface {
	// next returns the next row, io.EOF behind the last, a *LineError for a
	// row that is skipped, and any other error when reading cannot go on.
	next() (row, error)
	// columns names the columns in their order, nil when only the rows know.
	columns() []string
}

// Reader reads the documents of one input. It is used by one goroutine at a
// time, except for BytesRead.
type Reader struct {
	input   *input
	rows    rows
	plan    Plan
	builder builder
	sample  []sampled
	failed  error // what ended the sample early, io.EOF included
}

// sampled is a row of the sample or the error in its place.
type sampled struct {
	row row
	err error
}

// Open opens the file at path. It reads the beginning to make its plan. The
// error says what the file is when it is of a kind that cannot be read.
func Open(path string, o Options) (*Reader, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err // names the operation and the path already
	}
	r, err := New(f, path, o)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return r, nil
}

// New reads from src, whose name is used in messages and for its extension.
// The Reader closes src when it is an io.Closer.
func New(src io.Reader, name string, o Options) (*Reader, error) {
	r, err := open(src, name, o)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	return r, nil
}

func open(src io.Reader, name string, o Options) (*Reader, error) {
	in, err := openInput(src, o.Encoding)
	if err != nil {
		return nil, err
	}
	r := &Reader{input: in, plan: Plan{Name: name, Gzip: in.gzip, Encoding: in.encoding}}
	if in.note != "" {
		r.plan.Notes = append(r.plan.Notes, in.note)
	}
	if r.plan.Format, err = chooseFormat(o.Format, name, in.peek()); err != nil {
		return nil, err
	}
	r.rows = r.newRows()
	if err := r.readSample(); err != nil {
		return nil, err
	}
	return r, r.choose(o)
}

func (r *Reader) newRows() rows {
	switch r.plan.Format {
	case CSV, TSV:
		t := newTable(r.input, r.plan.Format, r.input.peek())
		r.plan.Delimiter, r.plan.Header = rune(t.delimiter), t.header
		return t
	case JSON:
		return newJSONValues(r.input)
	case JSONL:
		return newJSONLines(r.input)
	case Debian:
		return newParagraphs(r.input)
	}
	return newTextLines(r.input)
}

// readSample reads the rows that the guesses are made from. Broken rows are
// kept in their places; what stops reading is kept in r.failed, so that the
// good rows before it are not lost.
func (r *Reader) readSample() error {
	good, size := 0, 0
	for good < sampleRecords && len(r.sample) < 2*sampleRecords && size < sampleBytes {
		row, err := r.rows.next()
		var bad *LineError
		if err != nil && !errors.As(err, &bad) {
			r.failed = err
			break
		}
		if err == nil {
			good++
		}
		size += row.size
		r.sample = append(r.sample, sampled{row, err})
	}
	if len(r.sample) > 0 || errors.Is(r.failed, io.EOF) {
		return nil
	}
	return r.failed
}

// Plan returns how the input is being read.
func (r *Reader) Plan() Plan { return r.plan }

// Next returns the next document. It returns io.EOF behind the last, a
// *LineError for a record that is skipped, and any other error when the input
// cannot be read any further.
func (r *Reader) Next() (Record, error) {
	row, err := r.nextRow()
	if err != nil {
		return Record{}, err
	}
	doc, err := r.builder.document(row)
	if err != nil {
		return Record{}, &LineError{Line: row.line, Err: err}
	}
	return Record{Document: doc, Line: row.line}, nil
}

func (r *Reader) nextRow() (row, error) {
	if len(r.sample) > 0 {
		s := r.sample[0]
		r.sample = r.sample[1:]
		return s.row, s.err
	}
	r.sample = nil
	if r.failed != nil {
		return row{}, r.failure(r.failed)
	}
	row, err := r.rows.next()
	var bad *LineError
	if err != nil && !errors.As(err, &bad) {
		r.failed = err
		return row, r.failure(err)
	}
	return row, err
}

func (r *Reader) failure(err error) error {
	if errors.Is(err, io.EOF) {
		return io.EOF
	}
	return fmt.Errorf("read %s: %w", r.plan.Name, err)
}

// BytesRead returns how many bytes of the source have been read, before
// unpacking. It may be called from another goroutine.
func (r *Reader) BytesRead() int64 { return r.input.count.Load() }

// Size returns the length of the source in bytes, -1 when it is not known.
func (r *Reader) Size() int64 { return r.input.size }

// Close closes the source.
func (r *Reader) Close() error { return r.input.close() }

// Estimate guesses how many records the input has, 0 where its size is not
// known. Before the first Next it is exact for an input that is hardly longer
// than the sample.
func (r *Reader) Estimate() int {
	switch read := r.BytesRead(); {
	case errors.Is(r.failed, io.EOF):
		return len(r.sample)
	case r.Size() <= 0 || read <= 0:
		return 0
	default:
		return int(float64(len(r.sample)) * float64(r.Size()) / float64(min(read, r.Size())))
	}
}
