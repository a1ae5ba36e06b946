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
	b.want(exitUsage, "stats", "--index", "hnws")
}
