package bench_test

import (
	"bytes"
	"os"
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
