package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/vecdb/vecdb/bench/vectors"
	"github.com/vecdb/vecdb/internal/core"
	"github.com/vecdb/vecdb/internal/records"
)

// holdsVectors reports whether the name of a file is that of vectors.
func holdsVectors(path string) bool {
	return slices.Contains([]string{".npy", ".fvecs", ".bvecs"}, strings.ToLower(filepath.Ext(path)))
}

// vectorSupply gives the vectors of a file with the documents of another, the
// first with the first, or with the numbers of their rows as ids.
type vectorSupply struct {
	*vectors.Rows
	documents *records.Reader // nil for none
	row       int             // that comes next
}

// Next implements supply. A record or a vector that is broken is left out with
// the one that belongs to it.
func (s *vectorSupply) Next() (records.Record, error) {
	v, err := s.Rows.Next()
	if err != nil {
		return records.Record{}, s.end(err)
	}
	row := s.row
	s.row++
	rec := records.Record{Document: core.Document{ID: strconv.Itoa(row)}, Line: row}
	if s.documents != nil {
		switch rec, err = s.documents.Next(); {
		case errors.Is(err, io.EOF):
			return rec, core.Invalid("", "give a document for each vector, in their order", "there are %d documents for %d vectors", row, s.Len())
		case err != nil:
			return rec, err
		case rec.Document.Vector != nil:
			return rec, &records.LineError{Line: rec.Line, Err: errors.New("the document has a vector of its own")}
		}
	}
	if err := core.CheckVector("/vector", v, 0); err != nil {
		return rec, &records.LineError{Line: rec.Line, Err: fmt.Errorf("row %d: %w", row, err)}
	}
	rec.Document.Vector = v
	return rec, nil
}

// end is what comes behind the last vector.
func (s *vectorSupply) end(err error) error {
	if !errors.Is(err, io.EOF) || s.documents == nil {
		return err
	}
	if _, err := s.documents.Next(); !errors.Is(err, io.EOF) {
		return core.Invalid("", "give a vector for each document, in their order", "there are more documents than the %d vectors; those with vectors are stored", s.Len())
	}
	return io.EOF
}

// documentsBeside returns the file of the documents that vectors belong to: the
// one that was named, else one of the same name but for the extension, else "".
func documentsBeside(path, named string) string {
	if named != "" {
		return named
	}
	base := strings.TrimSuffix(path, filepath.Ext(path))
	for _, extension := range []string{".jsonl", ".jsonl.gz", ".json", ".csv", ".tsv"} {
		if info, err := os.Stat(base + extension); err == nil && info.Mode().IsRegular() {
			return base + extension
		}
	}
	return ""
}

// addVectors adds the vectors of a file.
func (a *app) addVectors(ctx context.Context, s *session, path string, o *addFlags) (sum summary, err error) {
	rows, err := vectors.OpenRows(path)
	if err != nil {
		return summary{}, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	from := &vectorSupply{Rows: rows}
	a.note("%s: %s vectors of %d numbers", path, count(rows.Len()), rows.Dim())
	if beside := documentsBeside(path, o.documents); beside != "" {
		input := o.input
		input.vectors = true
		if from.documents, err = a.openInput(ctx, beside, input); err != nil {
			return summary{}, err
		}
		defer func() { err = errors.Join(err, from.documents.Close()) }()
		for _, line := range describe(from.documents.Plan()) {
			a.note("%s", line)
		}
	} else {
		a.note("  ids: the numbers of the rows   (ids and fields: --documents FILE, or a .jsonl of the same name beside)")
	}
	plan := records.Plan{Name: path, Dimension: rows.Dim()}
	return a.addSupply(ctx, s, from, plan, rows.Len(), o)
}
