package main

import (
	"context"
	"errors"
	"io"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/vecdb/vecdb"
	"github.com/vecdb/vecdb/bench/vectors"
	"github.com/vecdb/vecdb/embedder"
	"github.com/vecdb/vecdb/embedder/hash"
	"github.com/vecdb/vecdb/internal/core"
	"github.com/vecdb/vecdb/server"
)

const twoLines = "a father looks for his son\na crew meets a monster, in space\n"

// rowsOf are the vectors of twoLines.
func rowsOf(t *testing.T, kind embedder.Kind) [][]float32 {
	t.Helper()
	r, err := hash.New(384).Embed(t.Context(), kind, strings.Split(strings.TrimSpace(twoLines), "\n"))
	if err != nil {
		t.Fatal(err)
	}
	return r.Vectors
}

func readAll(t *testing.T, path string) (out [][]float32) {
	t.Helper()
	rows, err := vectors.OpenRows(path)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for {
		v, err := rows.Next()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, slices.Clone(v))
	}
}

func same(a, b [][]float32) bool {
	return slices.EqualFunc(a, b, func(x, y []float32) bool { return slices.Equal(x, y) })
}

func TestLinesBecomeRows(t *testing.T) {
	b := newRig(t)
	in, out := b.file("lines.txt", twoLines), filepath.Join(t.TempDir(), "v.npy")
	if code, _, errs := b.run(t.Context(), "embed", in, "--out", out); code != exitOK || !strings.Contains(errs, "2 vectors") {
		t.Fatalf("exit code %d, %s", code, errs)
	}
	if want := rowsOf(t, embedder.Passage); !same(readAll(t, out), want) {
		t.Error("the rows are not the vectors of the lines")
	}
	b.in = strings.NewReader(strings.ReplaceAll(twoLines, "\n", "\r\n"))
	code, text, errs := b.run(t.Context(), "embed", "--as", "query", "--dimensions", "100")
	lines := strings.Split(strings.TrimSpace(text), "\n")
	if code != exitOK || len(lines) != 2 {
		t.Fatalf("exit code %d, %s%s", code, text, errs)
	}
	got := decode[embedded](t, lines[1])
	if want := core.Shorten(rowsOf(t, embedder.Query)[1], 100); got.Text != "a crew meets a monster, in space" || !slices.Equal(got.Embedding, want) {
		t.Errorf("%q with %d numbers", got.Text, len(got.Embedding))
	}
}

func TestLongLinesComeInParts(t *testing.T) {
	r := newLineReader(strings.NewReader(strings.Repeat(strings.Repeat("a", 99)+"\n", 10)))
	var parts []int
	for {
		texts, err := r.next(4, 250)
		if err != nil {
			t.Fatal(err)
		}
		if len(texts) == 0 {
			break
		}
		parts = append(parts, len(texts))
	}
	if !slices.Equal(parts, []int{3, 3, 3, 1}) {
		t.Errorf("lines of 100 bytes come in parts of %v", parts)
	}
}

func TestAServerEmbedsTheSame(t *testing.T) {
	db, err := vecdb.Open("", vecdb.Options{InMemory: true, OpenModel: func(context.Context, string, string) (embedder.Embedder, error) { return hash.New(384), nil }})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	s := httptest.NewServer(server.New(db, server.Options{}).Handler())
	defer s.Close()
	b := newRig(t)
	out := filepath.Join(t.TempDir(), "v.npy")
	if code, _, errs := b.run(t.Context(), "embed", b.file("lines.txt", twoLines), "--out", out, "--url", s.URL); code != exitOK {
		t.Fatal(errs)
	}
	if !same(readAll(t, out), rowsOf(t, embedder.Passage)) {
		t.Error("the server's vectors are others")
	}
	if code, _, errs := b.run(t.Context(), "embed", b.file("lines.txt", twoLines), "--precision", "fp32", "--url", s.URL); code != exitUsage || !strings.Contains(errs, "precision") {
		t.Errorf("a precision gives %d, %s", code, errs)
	}
}

func TestEmbedRefusesWhatMakesNoRow(t *testing.T) {
	b := newRig(t)
	dir := t.TempDir()
	for name, c := range map[string]struct{ text, flag, says string }{
		"empty":        {"", "", "no text"},
		"empty line":   {"one\n \nthree\n", "", "line 2 is empty"},
		"not UTF-8":    {"one\ntwo\xff\n", "", "line 2 is not UTF-8"},
		"too long":     {"one\n" + strings.Repeat("a", core.MaxTextBytes+3) + "\n", "", "line 2 has more than"},
		"no such kind": {twoLines, "--as=title", "document or query"},
		"name":         {twoLines, "--out=" + filepath.Join(dir, "v.csv"), ".npy or .jsonl"},
		"dimensions":   {twoLines, "--dimensions=385", "1 to 384"},
		"model":        {twoLines, "--model=none-such", "none-such"},
		"JSON lines":   {twoLines + "\n", "--out=" + filepath.Join(dir, "v.jsonl"), "line 3 is empty"},
	} {
		t.Run(name, func(t *testing.T) {
			out := "--out=" + filepath.Join(dir, "v.npy")
			args := []string{"embed", b.file("lines.txt", c.text), out}
			if c.flag != "" {
				args = append(args, c.flag)
			}
			code, _, errs := b.run(t.Context(), args...)
			if code == exitOK || !strings.Contains(errs, c.says) {
				t.Errorf("exit code %d, %s", code, errs)
			}
			if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
				t.Errorf("it leaves %v, %v", left, err)
			}
		})
	}
}
