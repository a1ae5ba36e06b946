package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"github.com/vecdb/vecdb/bench/vectors"
	"github.com/vecdb/vecdb/internal/core"
)

// openLines opens a file, or standard input for "-", with its size in bytes, 0
// where it is not known.
func (a *app) openLines(ctx context.Context, path string) (io.ReadCloser, int64, error) {
	if path == "-" {
		return io.NopCloser(a.stdin(ctx)), 0, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, 0, errors.Join(err, f.Close())
	}
	return f, info.Size(), nil
}

// lineReader reads texts, one a line.
type lineReader struct {
	lines *bufio.Scanner
	line  int
	read  int64 // bytes
}

func newLineReader(in io.Reader) *lineReader {
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, core.MaxTextBytes+2)
	return &lineReader{lines: lines}
}

// next returns up to n texts, and no more once they have so many bytes; none at
// the end.
func (r *lineReader) next(n int, bytes int64) (texts []string, err error) {
	for start := r.read; len(texts) < n && r.read-start < bytes && r.lines.Scan(); {
		text := r.lines.Text()
		r.line++
		r.read += int64(len(text)) + 1
		switch {
		case !utf8.ValidString(text):
			return nil, core.Invalid("", "convert the file to UTF-8, for instance by iconv", "line %d is not UTF-8", r.line)
		case strings.TrimSpace(text) == "":
			return nil, core.Invalid("", "take empty lines out; each line makes a row", "line %d is empty", r.line)
		}
		texts = append(texts, text)
	}
	if err := r.lines.Err(); errors.Is(err, bufio.ErrTooLong) {
		return nil, core.Invalid("", "cut it", "line %d has more than %d bytes", r.line+1, core.MaxTextBytes)
	} else if err != nil {
		return nil, err
	}
	return texts, nil
}

// vectorSink takes vectors with their texts.
type vectorSink struct {
	write   func(texts []string, vecs [][]float32) error
	close   func() error
	abandon func()
}

// vectorSink returns a sink of the kind that the file's name asks for, standard
// output for "".
func (a *app) vectorSink(path string) (vectorSink, error) {
	switch extension := strings.ToLower(filepath.Ext(path)); {
	case path == "":
		out := bufio.NewWriter(a.out)
		return vectorSink{jsonLines(out), out.Flush, func() { _ = out.Flush() }}, nil // an error is told already
	case extension == ".npy":
		w, err := vectors.Create(path)
		if err != nil {
			return vectorSink{}, err
		}
		return vectorSink{func(_ []string, vecs [][]float32) error { return w.Write(vecs) }, w.Close, w.Abandon}, nil
	case extension == ".jsonl":
		partial := path + ".partial"
		f, err := os.Create(partial)
		if err != nil {
			return vectorSink{}, err
		}
		out := bufio.NewWriter(f)
		finish := func() error {
			if err := errors.Join(out.Flush(), f.Close()); err != nil {
				return err
			}
			return os.Rename(partial, path)
		}
		// After finish neither is there any more.
		return vectorSink{jsonLines(out), finish, func() { _, _ = f.Close(), os.Remove(partial) }}, nil
	}
	return vectorSink{}, usage("--out %s: the name ends in .npy or .jsonl", path)
}

// embedded is a line of the output.
type embedded struct {
	Text      string    `json:"text"`
	Embedding []float32 `json:"embedding"`
}

func jsonLines(w io.Writer) func(texts []string, vecs [][]float32) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	return func(texts []string, vecs [][]float32) error {
		for i, v := range vecs {
			if err := encoder.Encode(embedded{texts[i], v}); err != nil {
				return err
			}
		}
		return nil
	}
}
