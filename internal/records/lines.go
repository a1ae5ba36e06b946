package records

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"slices"

	"github.com/vecdb/vecdb/internal/core"
)

// lineReader reads lines of bounded length and counts them.
type lineReader struct {
	in     *input
	line   int      // number of the line that next returned last, from 1
	unread [][]byte // lines given back, next first
}

// next returns the next line without its end, io.EOF behind the last, and a
// *LineError for one that is too long, which is skipped. The line belongs to
// the caller.
func (l *lineReader) next() ([]byte, error) {
	l.line++
	if len(l.unread) > 0 {
		line := l.unread[0]
		l.unread = l.unread[1:]
		return line, nil
	}
	line, err := l.read()
	if err != nil {
		return nil, err
	}
	return trimEnd(line), nil
}

// back gives lines back, to be read again.
func (l *lineReader) back(lines [][]byte) {
	l.unread = append(slices.Clone(lines), l.unread...)
	l.line -= len(lines)
}

func (l *lineReader) read() ([]byte, error) {
	var line []byte
	for {
		part, err := l.in.ReadSlice('\n')
		line = append(line, part...)
		switch {
		case err == nil:
			return line, nil
		case errors.Is(err, io.EOF):
			if len(line) == 0 {
				return nil, io.EOF
			}
			return line, nil
		case !errors.Is(err, bufio.ErrBufferFull):
			return nil, err
		case len(line) > MaxRecordBytes:
			return nil, l.skip()
		}
	}
}

// skip reads to the end of a line that is too long.
func (l *lineReader) skip() error {
	for {
		_, err := l.in.ReadSlice('\n')
		if err == nil || errors.Is(err, io.EOF) {
			return &LineError{Line: l.line, Err: errRecordTooLong()}
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return err
		}
	}
}

func errRecordTooLong() error {
	return &core.InputError{Cause: core.ErrTooLarge, Hint: "cut it into several documents",
		Detail: "the record is longer than 17 MiB"}
}

// trimEnd cuts the line end off.
func trimEnd(line []byte) []byte {
	line = bytes.TrimSuffix(line, []byte("\n"))
	return bytes.TrimSuffix(line, []byte("\r"))
}

// textLines makes a row of every line that is not blank.
type textLines struct{ lines lineReader }

func newTextLines(in *input) *textLines { return &textLines{lineReader{in: in}} }

func (t *textLines) columns() []string { return []string{textColumn} }

func (t *textLines) next() (row, error) {
	for {
		line, err := t.lines.next()
		if err != nil {
			return row{}, err
		}
		text := bytes.TrimSpace(line)
		if len(text) == 0 {
			continue
		}
		if err := t.lines.in.checkText(text); err != nil {
			return row{}, &LineError{Line: t.lines.line, Err: err}
		}
		return row{line: t.lines.line, size: len(text), values: map[string]any{textColumn: string(text)}}, nil
	}
}
