package main

import (
	"strings"
	"testing"

	"github.com/vecdb/vecdb/client"
)

func TestAnImportThatDoesNotFitIsRefusedBeforeItBegins(t *testing.T) {
	b := newRig(t)
	left := int64(1 << 30)
	b.memory = func() (int64, bool) { return left, true }
	path := b.file("films.csv", films)
	b.ok("add", path)
	left = 1000
	more := b.file("more.csv", strings.ReplaceAll(films, "\na", "\nb"))
	code, _, errs := b.run(t.Context(), "add", more, "--db", b.dir)
	if code != exitNoWrite || !strings.Contains(errs, "4 documents need about") || !strings.Contains(errs, "hnsw-compact") || !strings.Contains(errs, "--ignore-memory") {
		t.Fatalf("exit code %d: %s", code, errs)
	}
	st := decode[client.Stats](t, b.ok("stats", "--json"))
	if st.Documents != 4 || st.MemoryAvailable == nil || *st.MemoryAvailable != 1000 || st.Index.BytesPerVector < 384 {
		t.Errorf("stats %+v", st)
	}
	b.ok("add", "--ignore-memory", more)
	if out := b.ok("stats", "--index", "hnsw-compact"); !strings.Contains(out, "hnsw-compact, 8 vectors") || !strings.Contains(out, "for each further document") {
		t.Errorf("stats: %s", out)
	}
	if out := b.ok("stats", "--index", "hnsw-disk"); !strings.Contains(out, "hnsw-disk, 8 vectors") || !strings.Contains(out, "576 B and 549.3 MiB in a file") {
		t.Errorf("stats: %s", out)
	}
	code, _, errs = b.run(t.Context(), "add", more, "--index", "hnsw-disk", "--ignore-memory", "--db", b.dir)
	if code != exitOK || !strings.Contains(errs, "in the file of the index (576 B each)") {
		t.Errorf("exit code %d: %s", code, errs)
	}
	b.want(exitUsage, "stats", "--index", "hnws")
}
