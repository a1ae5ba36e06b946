package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/vecdb/vecdb/internal/records"
)

// inputFlags say how a file is to be read.
type inputFlags struct {
	format, encoding, id string
	text                 []string
	vectors              bool // the vectors are in a file of their own
}

func (o *inputFlags) add(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&o.format, "format", "", "csv, tsv, json, jsonl, text or debian (default: guessed)")
	f.StringVar(&o.encoding, "encoding", "auto", "character encoding: auto, utf-8, utf-16le, gb18030, windows-1252 …")
	f.StringSliceVar(&o.text, "text", nil, "columns that make the text, separated by commas (default: guessed)")
	f.StringVar(&o.id, "id", "", "column of ids, - for none (default: guessed; without one, ids come from the content)")
}

// openInput opens a file, or standard input for "-".
func (a *app) openInput(ctx context.Context, path string, o inputFlags) (*records.Reader, error) {
	format, err := records.ParseFormat(o.format)
	if err != nil {
		return nil, err
	}
	options := records.Options{Format: format, Encoding: o.encoding, Text: o.text, ID: o.id, Vectors: o.vectors}
	if path != "-" {
		return records.Open(path, options)
	}
	return records.New(a.stdin(ctx), "standard input", options)
}

// stdin returns standard input in a form that lets go when ctx ends. A regular
// file never blocks and is read as it is, so that its size is known.
func (a *app) stdin(ctx context.Context) io.Reader {
	f, ok := a.in.(*os.File)
	if !ok {
		return a.in
	}
	if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
		return f
	}
	return &interruptible{ctx: ctx, src: f}
}

// interruptible reads from a pipe or a terminal until ctx ends. A read that
// waits for input then stays behind, since nothing can end it, and is gone with
// the process.
type interruptible struct {
	ctx context.Context //nolint:containedctx // io.Reader has no other way to be told
	src io.Reader
}

func (r *interruptible) Read(p []byte) (int, error) {
	type result struct {
		n   int
		err error
	}
	buf := make([]byte, len(p)) // the read may outlive p
	done := make(chan result, 1)
	go func() {
		n, err := r.src.Read(buf)
		done <- result{n, err}
	}()
	select {
	case <-r.ctx.Done():
		return 0, r.ctx.Err()
	case got := <-done:
		return copy(p, buf[:got.n]), got.err
	}
}

// describe says in lines how an input is being read and how to change it.
func describe(p records.Plan) []string {
	kind := string(p.Format)
	switch p.Delimiter {
	case ',':
		kind += ", commas"
	case ';':
		kind += ", semicolons"
	case '\t':
		kind += ", tabs"
	}
	if p.Delimiter != 0 && !p.Header {
		kind += ", no header"
	}
	if p.Gzip {
		kind += ", gzipped"
	}
	lines := []string{fmt.Sprintf("%s: %s, %s", p.Name, kind, p.Encoding)}
	if p.Format == records.Text {
		lines = append(lines, "  each line is a document; ids come from the content")
	} else {
		id := p.ID
		if id == "" {
			id = "from the content"
		}
		text := cmp.Or(strings.Join(p.Text, " + "), "none")
		lines = append(lines, fmt.Sprintf("  text: %s   id: %s   (change with --text COLUMN,… --id COLUMN)", text, id))
		if fields := fieldList(p); fields != "" {
			lines = append(lines, "  fields: "+fields)
		}
	}
	for _, n := range p.Notes {
		lines = append(lines, "  note: "+n)
	}
	return lines
}

// fieldList names the columns that are fields alone.
func fieldList(p records.Plan) string {
	var parts []string
	for _, c := range p.Columns {
		if c.Name == p.ID || contains(p.Text, c.Name) {
			continue
		}
		parts = append(parts, fmt.Sprintf("%s (%s)", c.Name, c.Type))
	}
	const most = 12
	if len(parts) > most {
		parts = append(parts[:most], fmt.Sprintf("and %d more", len(parts)-most))
	}
	return strings.Join(parts, ", ")
}

func contains(list []string, s string) bool {
	for _, e := range list {
		if e == s {
			return true
		}
	}
	return false
}
