package bench_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vecdb/vecdb/bench"
)

func TestTheEngineIsMeasured(t *testing.T) {
	dir := t.TempDir()
	r, err := bench.RunEngine(t.Context(), bench.EngineConfig{Documents: 1_200, Events: 2_000, Queries: 3, Seed: 1, Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"dense", "hybrid", "dense, filter 0.01 %", "dense, group by a field", "recommend to a user", "classify", "facet, a value a document"} {
		found := false
		for _, p := range r.Points {
			if p.Operation != name {
				continue
			}
			found = true
			if p.P50 <= 0 || p.P95 < p.P50 || p.Max < p.P95 || p.Against != "" && p.RatioP50 <= 0 {
				t.Errorf("%s: %+v", name, p)
			}
		}
		if !found {
			t.Errorf("%s is not measured", name)
		}
	}
	var page bytes.Buffer
	if err := r.WriteHTML(&page); err != nil || !strings.Contains(page.String(), "<svg") || strings.Contains(page.String(), "NaN") {
		t.Errorf("the page: %v, %d bytes", err, page.Len())
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("%d files are left, %v", len(left), err)
	}
}

func TestAKeptDatabaseIsUsedAgain(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "kept")
	c := bench.EngineConfig{Documents: 1_000, Events: 1_000, Queries: 1, Seed: 1, Keep: dir}
	first, err := bench.RunEngine(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	stored := false
	c.Advance = func(name string, _, _ int) { stored = stored || name == "store documents" }
	again, err := bench.RunEngine(t.Context(), c)
	if err != nil || stored || again.IngestSeconds != first.IngestSeconds {
		t.Errorf("stored again %v, in %v and %v s, %v", stored, first.IngestSeconds, again.IngestSeconds, err)
	}
	c.Seed = 2
	if _, err := bench.RunEngine(t.Context(), c); err == nil || !strings.Contains(err.Error(), "seed 1") {
		t.Errorf("another seed: %v", err)
	}
	c.Keep = t.TempDir()
	if err := os.WriteFile(filepath.Join(c.Keep, "other"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := bench.RunEngine(t.Context(), c); err == nil || !strings.Contains(err.Error(), c.Keep) {
		t.Errorf("a directory of others: %v", err)
	}
}
