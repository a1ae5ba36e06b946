package bench_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/vecdb/vecdb"
	"github.com/vecdb/vecdb/bench"
	"github.com/vecdb/vecdb/index"
)

// quick measures each setting once.
var quick = bench.Config{Indexes: []string{"flat"}, Repeat: 1, Seconds: 0.001}

func TestEverythingIsMeasured(t *testing.T) {
	var told []bench.Point
	ended := make(map[string]bool)
	cfg := bench.Config{
		Indexes: []string{"flat", "coder"}, K: 5, Efs: []int{8, 32}, Threads: []int{1, 2}, Repeat: 2, Seconds: 0.001,
		Filters: []float64{0.5, 0.01}, FilterKinds: bench.FilterKinds(), Mixed: true, Deletes: true,
		Measured: func(p bench.Point) error { told = append(told, p); return nil },
		Advance:  func(name string, done, total int) { ended[name] = ended[name] || done == total },
	}
	r, err := bench.RunGiven(t.Context(), bench.Given{Base: file(t, gaussian(1, 600, 8)), Queries: file(t, gaussian(2, 30, 8))}, cfg)
	if err != nil {
		t.Fatal(err)
	}
	counts := make(map[string]int)
	for _, p := range r.Points {
		counts[p.Index+" "+p.Mode]++
		if p.Index == "flat" && p.Recall != 1 {
			t.Errorf("exact search has recall %v (%s %s)", p.Recall, p.Mode, p.Conditions())
		}
		checkPoint(t, p)
	}
	// Two numbers of threads; four kinds of two filters; three cycles of two.
	for what, want := range map[string]int{
		"flat search": 2, "flat filtered": 16, "flat mixed": 1, "flat deletes": 6,
		"coder search": 4, "coder filtered": 32, "coder mixed": 1, "coder deletes": 6,
	} {
		if counts[what] != want {
			t.Errorf("%d points of %s, want %d", counts[what], what, want)
		}
	}
	if len(told) != len(r.Points) {
		t.Errorf("%d points were told, the report has %d", len(told), len(r.Points))
	}
	for _, name := range []string{"exact neighbours", "flat: insert", "coder: insert", "filter near 0.5"} {
		if !ended[name] {
			t.Errorf("the progress of %q did not come to its end: %v", name, ended)
		}
	}
	checkPage(t, r)
}

// checkPoint looks at what all points have and at what those of its mode have.
func checkPoint(t *testing.T, p bench.Point) {
	t.Helper()
	plausible := p.K == 5 && p.Recall >= 0 && p.Recall <= 1 && p.QPS > 0 && p.P50 > 0 && p.P95 >= p.P50 && p.P99 >= p.P95 && p.Max >= p.P99 &&
		p.BuildSeconds > 0 && p.BuildThreads == 2 && p.BytesPerVector >= 4*8 && p.CPU != "" && p.Kernels != "" && p.Go != "" && p.Date != ""
	switch p.Mode {
	case bench.ModeFiltered:
		plausible = plausible && p.Selectivity > 0 && p.Filter != ""
	case bench.ModeMixed:
		plausible = plausible && p.Inserted == 60 && p.InsertsPerSecond > 0 && p.IdleP50 > 0 && p.IdleP99 >= p.IdleP50 && p.IdleQPS > 0
	case bench.ModeDeletes:
		plausible = plausible && p.DeleteSeconds > 0 && (p.Vectors == 300 && p.Phase == "deleted" || p.Vectors == 600 && p.Phase == "reinserted" && p.ReinsertSeconds > 0)
	}
	if !plausible {
		t.Errorf("implausible point %+v", p)
	}
}

func checkPage(t *testing.T, r *bench.Report) {
	t.Helper()
	var page bytes.Buffer
	if err := r.WriteHTML(&page); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"x.fvecs", "recall@5", "coder, 2 threads", "clustered 0.01", "Searches during inserts", "reinserted", r.CPU} {
		if !strings.Contains(page.String(), want) {
			t.Errorf("the page lacks %q", want)
		}
	}
}

func TestJSONNamesTheRecallAtTen(t *testing.T) {
	g := bench.Given{Base: file(t, gaussian(1, 50, 4)), Queries: file(t, gaussian(2, 5, 4))}
	for k, there := range map[int]bool{10: true, 3: false} {
		cfg := quick
		cfg.K = k
		r, err := bench.RunGiven(t.Context(), g, cfg)
		if err != nil {
			t.Fatal(err)
		}
		line, err := json.Marshal(r.Points[0])
		if err != nil {
			t.Fatal(err)
		}
		var fields map[string]any
		if err := json.Unmarshal(line, &fields); err != nil {
			t.Fatal(err)
		}
		if _, named := fields["recall_at_10"]; named != there || fields["recall"] != 1.0 || fields["cpu"] == "" {
			t.Errorf("k = %d: %s", k, line)
		}
	}
}

func TestTiesAreNoMisses(t *testing.T) {
	base := gaussian(1, 100, 4)
	for i := range 60 {
		base[i] = base[0]
	}
	queries := [][]float32{base[0]}
	// Any ten of the sixty equal vectors are as good as those the index finds.
	var truth []int32
	for i := range int32(10) {
		truth = append(truth, 59-i)
	}
	r, err := bench.RunGiven(t.Context(), bench.Given{Base: file(t, base), Queries: file(t, queries), Truth: file(t, [][]int32{truth})}, quick)
	if err != nil || r.Points[0].Recall != 1 {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestTruthFromAFile(t *testing.T) {
	base, queries := gaussian(1, 300, 6), gaussian(2, 20, 6)
	for _, metric := range []string{"cosine", "dot", "l2"} {
		g := bench.Given{Base: file(t, base), Queries: file(t, queries), Truth: file(t, naive(metric, base, queries, 12)), Metric: index.Metric(metric)}
		if r, err := bench.RunGiven(t.Context(), g, quick); err != nil || r.Points[0].Recall != 1 {
			t.Errorf("%s: %+v, %v", metric, r, err)
		}
	}
}

func TestPartOfTheVectors(t *testing.T) {
	base, queries := gaussian(1, 300, 6), gaussian(2, 20, 6)
	cut := func(rows [][]float32) (out [][]float32) {
		for _, r := range rows {
			out = append(out, r[:3])
		}
		return out
	}
	// The truth of the part; that of the whole would be refused.
	truth := naive("cosine", cut(base)[:100], cut(queries), 10)
	g := bench.Given{Base: file(t, base), Queries: file(t, queries), Truth: file(t, truth), Limit: 100, Dim: 3}
	cfg := quick
	cfg.Queries = 7
	r, err := bench.RunGiven(t.Context(), g, cfg)
	if err != nil {
		t.Fatal(err)
	}
	if r.Dim != 3 || r.Vectors != 100 || r.Queries != 7 || r.Points[0].Recall != 1 {
		t.Errorf("%+v", r)
	}
}

func TestWhatIsWrongWithGivenVectors(t *testing.T) {
	base, queries := gaussian(1, 50, 4), gaussian(2, 5, 4)
	spoilt := func(x float32) string {
		rows := gaussian(1, 50, 4)
		for d := range rows[7] {
			rows[7][d] = x
		}
		return file(t, rows)
	}
	truth := func(row ...int32) string { return file(t, [][]int32{row, row, row, row, row}) }
	whole := file(t, base)
	halved := file(t, base)
	if err := os.Truncate(halved, 505); err != nil {
		t.Fatal(err)
	}
	good := bench.Given{Base: whole, Queries: file(t, queries)}
	for name, c := range map[string]struct {
		change func(*bench.Given, *bench.Config)
		want   string
	}{
		"a file that is cut off":     {func(g *bench.Given, _ *bench.Config) { g.Base = halved }, "get the whole file"},
		"another dimension":          {func(g *bench.Given, _ *bench.Config) { g.Queries = file(t, gaussian(2, 5, 3)) }, "have 3 numbers"},
		"not a number":               {func(g *bench.Given, _ *bench.Config) { g.Base = spoilt(float32(math.NaN())) }, "row 7"},
		"a vector of zeros":          {func(g *bench.Given, _ *bench.Config) { g.Base = spoilt(0) }, "row 7"},
		"k beyond the base":          {func(_ *bench.Given, c *bench.Config) { c.K = 51 }, "51 nearest are wanted of 50"},
		"k beyond the limit":         {func(g *bench.Given, _ *bench.Config) { g.Limit = 9 }, "10 nearest are wanted of 9"},
		"a cut beyond the dimension": {func(g *bench.Given, _ *bench.Config) { g.Dim = 5 }, "have 4 numbers"},
		"a negative limit":           {func(g *bench.Given, _ *bench.Config) { g.Limit = -1 }, "give 0 for all"},
		"an unknown index":           {func(_ *bench.Given, c *bench.Config) { c.Indexes = []string{"faiss"} }, "use flat"},
		"an unknown metric":          {func(g *bench.Given, _ *bench.Config) { g.Metric = "hamming" }, "use cosine"},
		"an unknown filter":          {func(_ *bench.Given, c *bench.Config) { c.FilterKinds = []string{"odd"} }, "use random"},
		"a share above all":          {func(_ *bench.Given, c *bench.Config) { c.Filters = []float64{1.5} }, "cannot allow 1.5"},
		"a share that is no number":  {func(_ *bench.Given, c *bench.Config) { c.Filters = []float64{math.NaN()} }, "cannot allow NaN"},
		"no threads":                 {func(_ *bench.Given, c *bench.Config) { c.Threads = []int{0} }, "at least 1"},
		"no breadth":                 {func(_ *bench.Given, c *bench.Config) { c.Efs = []int{0} }, "at least 1"},
		"no rounds":                  {func(_ *bench.Given, c *bench.Config) { c.Repeat = -1 }, "at least once"},
		"no time":                    {func(_ *bench.Given, c *bench.Config) { c.Seconds = -1 }, "seconds above 0"},
		"ids out of range":           {func(g *bench.Given, _ *bench.Config) { g.Truth = truth(0, 1, 2, 3, 4, 5, 6, 7, 8, 50) }, "the id 50"},
		"negative ids":               {func(g *bench.Given, _ *bench.Config) { g.Truth = truth(0, 1, 2, 3, 4, 5, 6, 7, 8, -1) }, "the id -1"},
		"an id that comes twice":     {func(g *bench.Given, _ *bench.Config) { g.Truth = truth(0, 1, 2, 3, 4, 5, 6, 7, 8, 8) }, "twice"},
		"too few neighbours":         {func(g *bench.Given, _ *bench.Config) { g.Truth = truth(0, 1, 2) }, "3 neighbours"},
		"too few rows of truth":      {func(g *bench.Given, _ *bench.Config) { g.Truth = file(t, naive("l2", base, queries[:4], 10)) }, "4 rows for 5"},
		"the truth of another metric": {func(g *bench.Given, _ *bench.Config) {
			g.Truth, g.Metric = file(t, naive("cosine", base, queries, 10)), index.L2
		}, "another metric"},
	} {
		g, cfg := good, quick
		c.change(&g, &cfg)
		if _, err := bench.RunGiven(t.Context(), g, cfg); !errors.Is(err, vecdb.ErrInvalid) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	for _, g := range []bench.Given{{Base: "none.npy", Queries: whole}, {Base: whole, Queries: "none.fvecs"}, {Base: whole, Queries: good.Queries, Truth: "none.ivecs"}} {
		if _, err := bench.RunGiven(t.Context(), g, quick); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "none.") {
			t.Errorf("a missing file: %v", err)
		}
	}
}

func TestWhatWasMeasuredOutlivesAnError(t *testing.T) {
	g := bench.Given{Base: file(t, gaussian(1, 200, 4)), Queries: file(t, gaussian(2, 5, 4))}
	ctx, cancel := context.WithCancel(t.Context())
	cfg := bench.Config{Repeat: 1, Seconds: 0.001, Measured: func(bench.Point) error { cancel(); return nil }}
	r, err := bench.RunGiven(ctx, g, cfg)
	if !errors.Is(err, context.Canceled) || len(r.Points) != 1 || len(r.Summary) != 1 {
		t.Errorf("%+v, %v", r, err)
	}
	full := errors.New("disk full")
	cfg.Measured = func(bench.Point) error { return full }
	if _, err := bench.RunGiven(t.Context(), g, cfg); !errors.Is(err, full) {
		t.Errorf("an error of the listener gives %v", err)
	}
}

func TestWantedRecallsAreMeasured(t *testing.T) {
	vectors := gaussian(3, 2300, 12)
	cfg := bench.Config{Indexes: []string{"flat", "hnsw"}, Recalls: []float64{0.9, 0.99}, Filters: []float64{0.5}, FilterKinds: []string{"random"}, Repeat: 1, Seconds: 0.001}
	r, err := bench.RunGiven(t.Context(), bench.Given{Base: file(t, vectors[:2000]), Queries: file(t, vectors[2000:])}, cfg)
	if err != nil {
		t.Fatal(err)
	}
	var settings []string
	for _, p := range r.Points {
		settings = append(settings, p.Index+" "+p.Mode+" "+p.Setting)
		if p.Recall < p.Target-0.02 { // graphs of the same vectors differ by 0.005
			t.Errorf("%s: recall %v", p.Setting, p.Recall)
		}
	}
	want := "flat search exact, flat filtered exact, hnsw search recall=0.9, hnsw search recall=0.99, hnsw filtered recall=0.9, hnsw filtered recall=0.99"
	if got := strings.Join(settings, ", "); got != want {
		t.Errorf("settings %s, want %s", got, want)
	}
	cfg.Recalls = []float64{1}
	if _, err := bench.RunGiven(t.Context(), bench.Given{}, cfg); !errors.Is(err, vecdb.ErrInvalid) {
		t.Errorf("a recall of 1 gives %v", err)
	}
}
