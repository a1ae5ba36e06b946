package main

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vecdb/vecdb/bench"
)

// vectorFile writes random vectors as .fvecs and returns the path.
func vectorFile(t *testing.T, name string, rows, dim int) string {
	t.Helper()
	rng := rand.New(rand.NewPCG(uint64(rows), uint64(dim)))
	var b bytes.Buffer
	for range rows {
		row := make([]float32, dim)
		for i := range row {
			row[i] = float32(rng.NormFloat64())
		}
		for _, v := range []any{int32(dim), row} {
			if err := binary.Write(&b, binary.LittleEndian, v); err != nil {
				t.Fatal(err)
			}
		}
	}
	path := filepath.Join(t.TempDir(), name+".fvecs")
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestBenchOnGivenVectors(t *testing.T) {
	b := newRig(t)
	base, queries := vectorFile(t, "base", 300, 8), vectorFile(t, "queries", 12, 8)
	given := []string{"bench", "--base", base, "--queries", queries, "--repeat", "1"}
	for _, form := range []string{"--json", "--jsonl"} {
		var points []bench.Point
		in := json.NewDecoder(strings.NewReader(b.ok(append(given, form, "--index", "flat,coder", "--ef", "16,32", "--threads", "1,2", "--filter", "0.1")...)))
		for in.More() {
			var p bench.Point
			if err := in.Decode(&p); err != nil {
				t.Fatal(err)
			}
			points = append(points, p)
		}
		// (1 setting of flat, 2 of coder) with 2 numbers of threads, without a
		// filter and with two.
		if len(points) != 18 || points[0].CPU == "" || points[0].Dim != 8 || *points[0].RecallAt10 != 1 {
			t.Errorf("%s prints %d points, %+v", form, len(points), points)
		}
	}
	page := filepath.Join(t.TempDir(), "report.html")
	table := b.ok(append(given, "--ef", "16", "--filter", "0.5", "--mixed", "--deletes", "--html", page)...)
	for _, want := range []string{"base.fvecs: 300 vectors of 8 numbers (cosine), 12 queries", "recall@10", "clustered 0.5", "search during inserts", "half reinserted", "ef=16"} {
		if !strings.Contains(table, want) {
			t.Errorf("the tables lack %q:\n%s", want, table)
		}
	}
	if html, err := os.ReadFile(page); err != nil || !bytes.Contains(html, []byte("<svg")) {
		t.Errorf("the report: %v", err)
	}
	if code, _, errs := b.run(t.Context(), append(given, "--index", "flat")...); code != exitOK || !strings.Contains(errs, "flat: built") {
		t.Errorf("exit code %d, standard error %q", code, errs)
	}
}

func TestBenchOnACollection(t *testing.T) {
	b := newRig(t)
	var csv strings.Builder
	csv.WriteString("id,text\n")
	for i := range 150 {
		fmt.Fprintf(&csv, "%d,word%d and word%d of %d\n", i, i%7, i%31, i)
	}
	b.ok("add", b.file("words.csv", csv.String()))
	r := decode[bench.Report](t, b.ok("bench", "--json", "--repeat", "1", "--count", "20", "--index", "flat"))
	if r.Collection != "default" || r.Queries != 20 || r.Vectors != 130 || len(r.Points) != 1 || len(r.Stages) != 5 || r.Serving != "hnsw" {
		t.Errorf("%+v", r)
	}
	table := b.ok("bench", "--repeat", "1", "--queries", b.file("q.txt", "word1\n\nword2 and word3\n"))
	for _, want := range []string{"default: 150 vectors", "2 queries", "hnsw (serving)", "whole queries", "best recall"} {
		if !strings.Contains(table, want) {
			t.Errorf("the tables lack %q:\n%s", want, table)
		}
	}
}

func TestBenchSaysWhatIsWrong(t *testing.T) {
	b := newRig(t)
	base, queries := vectorFile(t, "base", 300, 8), vectorFile(t, "queries", 12, 8)
	for _, c := range []struct {
		args string
		code int
		want string
	}{
		{"--base " + base, exitUsage, "--queries"},
		{"--truth x.ivecs", exitUsage, "--base"},
		{"--dim 8", exitUsage, "--base"},
		{"--filter-kind near", exitUsage, "--filter"},
		{"--base none.npy --queries " + queries, exitNotFound, "none.npy: no such file (check the path)"},
		{"--base " + base + " --queries " + vectorFile(t, "other", 3, 7), exitUsage, "have 7 numbers"},
		{"--base " + base + " --queries " + queries + " --k 301", exitUsage, "300 vectors"},
		{"--base " + base + " --queries " + queries + " --index faiss", exitUsage, "flat, hnsw, hnsw-compact, hnsw-disk, coder"},
		{"--base " + base + " --queries " + queries + " --ef wide", exitUsage, "--ef"},
		{"--base " + base + " --queries " + queries + " --html " + filepath.Join(t.TempDir(), "none", "x.html"), exitNotFound, "write the report"},
	} {
		code, out, errs := b.run(t.Context(), append([]string{"bench"}, strings.Fields(c.args)...)...)
		if code != c.code || !strings.Contains(errs, c.want) || out != "" {
			t.Errorf("bench %s: exit code %d, want %d; %q, want %q", c.args, code, c.code, errs, c.want)
		}
	}
}
