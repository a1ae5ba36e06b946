package hnsw

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/vecdb/vecdb/index"
	"github.com/vecdb/vecdb/index/indextest"
	"github.com/vecdb/vecdb/index/tune"
	"github.com/vecdb/vecdb/internal/core"
)

// textLike returns vectors whose variance falls over the directions as that of
// sentence vectors does, around topics that are themselves so spread.
func textLike(rng *rand.Rand, n, dim int) [][]float32 {
	draw := func() []float32 {
		v := make([]float32, dim)
		for i := range v {
			v[i] = float32(rng.NormFloat64() * math.Pow(1+float64(i), -0.4))
		}
		return v
	}
	topics := make([][]float32, max(1, n/40))
	for i := range topics {
		topics[i] = draw()
	}
	out := make([][]float32, n)
	for i := range out {
		out[i] = draw()
		for j, x := range topics[rng.IntN(len(topics))] {
			out[i][j] += x
		}
	}
	return out
}

// lookUp returns the vectors under ordinals.
func (p *pair) lookUp(ords []core.Ord) ([][]float32, error) {
	out := make([][]float32, len(ords))
	for i, ord := range ords {
		out[i] = p.vectors[ord]
	}
	return out, nil
}

// tuned measures the graph and uses what came out.
func (p *pair) tuned(t *testing.T, asked [][]float32) *tune.Plan {
	t.Helper()
	plan, err := tune.Measure(t.Context(), p.x, tune.Options{Metric: p.metric, Vectors: p.lookUp, Asked: asked, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	if err := plan.Check(); err != nil {
		t.Fatal(err)
	}
	p.x.SetPlan(plan)
	return plan
}

func TestRecallTargetsAreMet(t *testing.T) {
	aboutRecall(t)
	const small, large, queries = 1500, 3500, 300
	for name, c := range map[string]struct {
		make    func(*rand.Rand, int, int) [][]float32
		metric  index.Metric
		dim     int
		options Options
	}{
		"clusters":            {indextest.Vectors, index.L2, 64, Options{}},
		"like texts":          {textLike, index.Cosine, 64, Options{}},
		"inner products":      {textLike, index.Dot, 64, Options{}},
		"like texts, compact": {textLike, index.Cosine, 64, Options{Compact: true}},
		"like texts, on disk": {textLike, index.Cosine, 128, Options{Disk: true}},
	} {
		t.Run(name, func(t *testing.T) {
			rng := newRand(t)
			vectors := c.make(rng, large+queries, c.dim)
			asked := vectors[large:]
			p := newPair(t, index.Config{Dim: c.dim, Metric: c.metric}, c.options)
			p.insert(t, numbered(0, vectors[:small])...)
			p.tuned(t, nil)
			p.meetsTargets(t, asked)
			p.insert(t, numbered(small, vectors[small:small+small/3])...)
			p.meetsTargets(t, asked) // with the breadths of fewer vectors
			p.insert(t, numbered(small+small/3, vectors[small+small/3:large])...)
			if plan := p.x.Plan(); !plan.Due(p.x.Len(), 0, 0) {
				t.Errorf("a plan of %d vectors is held for fit for %d", plan.Vectors, p.x.Len())
			}
			p.tuned(t, nil)
			p.meetsTargets(t, asked)
		})
	}
}

// numbered gives vectors ordinals from first on.
func numbered(first int, vectors [][]float32) []index.Item {
	out := make([]index.Item, len(vectors))
	for i, v := range vectors {
		out[i] = index.Item{Ord: core.Ord(first + i), Vector: v}
	}
	return out
}

// meetsTargets fails the test unless the queries reach each recall within a
// hundredth and four standard errors of the difference between their mean and that
// of the samples, by which the breadth was chosen. Where several goroutines insert,
// no graph is as the one before, so that this has to hold for any.
func (p *pair) meetsTargets(t *testing.T, queries [][]float32) {
	t.Helper()
	plan := p.x.Plan()
	samples := plan.Stored
	if plan.Asked > 0 {
		samples = min(samples, plan.Asked)
	}
	both := math.Sqrt(1 + float64(len(queries))/float64(samples)) // standard errors of the queries' mean
	for _, k := range []int{1, 10, 20} {
		for _, target := range []float64{0.9, 0.95, 0.99} {
			got, stderr := p.recalls(t, queries, index.Options{K: k, Recall: target})
			ef := p.x.breadth(index.Options{K: k, Recall: target})
			t.Logf("%d vectors, recall@%d for %.2f: %.4f, standard error %.4f, at breadth %d", p.x.Len(), k, target, got, stderr, ef)
			if got < target-0.01-4*both*stderr {
				t.Errorf("%d vectors: recall@%d is %.4f, wanted are %.2f", p.x.Len(), k, got, target)
			}
		}
	}
}

func TestRecallTargetsFollowTheQueries(t *testing.T) {
	aboutRecall(t)
	const n, dim = 4000, 64
	rng := newRand(t)
	vectors := textLike(rng, n, dim+16)
	cut := func(list [][]float32) (out [][]float32) {
		for _, v := range list {
			out = append(out, v[16:]) // what is left lies much less in clusters
		}
		return out
	}
	p := newPair(t, index.Config{Dim: dim + 16}, Options{})
	p.insert(t, numbered(0, vectors)...)
	asked := cut(textLike(rng, 600, dim+32))
	own := p.tuned(t, nil)
	plan := p.tuned(t, asked[:200])
	if plan.Asked != 200 || own.Asked != 0 {
		t.Errorf("%d and %d queries counted, want 200 and 0", plan.Asked, own.Asked)
	}
	if a, b := plan.Ef(0.95, 10, n), own.Ef(0.95, 10, n); a <= b {
		t.Errorf("breadth %d for queries far from the vectors, %d for the vectors", a, b)
	}
	p.meetsTargets(t, asked[200:])
}

func TestProbesDoNotSeeThemselves(t *testing.T) {
	rng := newRand(t)
	p := newPair(t, index.Config{Dim: 32, Metric: index.L2}, Options{})
	vectors := indextest.Vectors(rng, 2000, 32)
	p.insert(t, numbered(0, vectors)...)
	p.insert(t, numbered(5000, vectors[:100])...) // equal vectors share a vertex
	probes := p.x.Probes(200, 1)
	if len(probes) != 200 {
		t.Fatalf("%d probes", len(probes))
	}
	for _, probe := range probes {
		found, err := p.x.Ask(t.Context(), probe, index.Options{K: 10, Ef: 64})
		if err != nil || len(found) != 10 {
			t.Fatalf("%d neighbors, %v", len(found), err)
		}
		for _, n := range found {
			if n.Ord == probe.Without || n.Score > -1e-3 {
				t.Fatalf("the probe without %d found %d with score %v", probe.Without, n.Ord, n.Score)
			}
		}
	}
	if got, err := p.x.Search(t.Context(), probes[0].Vector, index.Options{K: 1}); err != nil || got[0].Score < -1e-3 {
		t.Errorf("a search afterwards finds %v, %v", got, err)
	}
}

func TestTuningStops(t *testing.T) {
	p := newPair(t, index.Config{Dim: 16}, Options{})
	p.insert(t, numbered(0, indextest.Vectors(newRand(t), 2000, 16))...)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if plan, err := tune.Measure(ctx, p.x, tune.Options{}); plan != nil || err == nil {
		t.Errorf("a cancelled measurement gives %v, %v", plan, err)
	}
	small := newPair(t, index.Config{Dim: 16}, Options{})
	if plan, err := tune.Measure(t.Context(), small.x, tune.Options{}); plan != nil || err != nil {
		t.Errorf("measuring nothing gives %v, %v", plan, err)
	}
	for _, recall := range []float64{-0.1, 1, math.NaN()} {
		if _, err := small.x.Search(t.Context(), make([]float32, 16), index.Options{K: 1, Recall: recall}); err == nil {
			t.Errorf("a recall of %v is taken", recall)
		}
	}
}
