package hnsw

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"

	"github.com/vecdb/vecdb/index"
	"github.com/vecdb/vecdb/index/flat"
	"github.com/vecdb/vecdb/index/indextest"
	"github.com/vecdb/vecdb/internal/core"
)

// newRand returns the random numbers of a test. VECDB_TEST_SEED changes them.
func newRand(t *testing.T) *rand.Rand {
	t.Helper()
	seed := uint64(20_240_817)
	if text := os.Getenv("VECDB_TEST_SEED"); text != "" {
		n, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			t.Fatalf("VECDB_TEST_SEED: %v", err)
		}
		seed = n
	}
	t.Logf("seed %d", seed)
	return rand.New(rand.NewPCG(seed, 3))
}

// pair is a graph index with a flat index of the same vectors.
type pair struct {
	x       *Index
	truth   *flat.Index
	metric  index.Metric
	slack   float64 // of scores, as a share of 1+|q||v|
	ties    float64 // below which scores are taken for equal, as a share of 1 and the score
	vectors map[core.Ord][]float32
}

func newPair(t *testing.T, cfg index.Config, o Options) *pair {
	t.Helper()
	x, err := New(cfg, o)
	if err != nil {
		t.Fatal(err)
	}
	f, err := flat.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	p := &pair{x: x, truth: f, metric: cfg.Metric, slack: 1e-3, ties: 1e-5, vectors: make(map[core.Ord][]float32)}
	if o.Compact {
		p.slack = 2e-2
	}
	return p
}

func (p *pair) insert(t *testing.T, items ...index.Item) {
	t.Helper()
	for _, x := range []index.Index{p.x, p.truth} {
		if err := x.Insert(t.Context(), items); err != nil {
			t.Fatal(err)
		}
	}
	for _, it := range items {
		p.vectors[it.Ord] = it.Vector
	}
}

func (p *pair) delete(ords ...core.Ord) {
	p.x.Delete(ords...)
	p.truth.Delete(ords...)
	for _, ord := range ords {
		delete(p.vectors, ord)
	}
}

func (p *pair) ords() []core.Ord {
	var out []core.Ord
	for ord := range p.vectors {
		out = append(out, ord)
	}
	slices.Sort(out)
	return out
}

// recall returns the mean share of true neighbors found. It checks that answers
// are present, allowed, there once, in order, and have their scores.
func (p *pair) recall(t *testing.T, queries [][]float32, o index.Options) float64 {
	t.Helper()
	mean, _ := p.recalls(t, queries, o)
	return mean
}

// recalls is recall with the standard error of the mean.
func (p *pair) recalls(t *testing.T, queries [][]float32, o index.Options) (mean, stderr float64) {
	t.Helper()
	sum, squares := 0.0, 0.0
	for _, q := range queries {
		got, err := p.x.Search(t.Context(), q, o)
		if err != nil {
			t.Fatal(err)
		}
		want, err := p.truth.Search(t.Context(), q, o)
		if err != nil {
			t.Fatal(err)
		}
		if len(got) > len(want) {
			t.Fatalf("%d neighbors, there are %d", len(got), len(want))
		}
		if len(want) == 0 {
			sum, squares = sum+1, squares+1
			continue
		}
		last, hits := float64(want[len(want)-1].Score), 0
		seen := make(map[core.Ord]bool)
		for i, n := range got {
			v, there := p.vectors[n.Ord]
			if !there || seen[n.Ord] || o.Allow != nil && !o.Allow.Contains(n.Ord) {
				t.Fatalf("ordinal %d: present %v, there before %v, or not allowed", n.Ord, there, seen[n.Ord])
			}
			seen[n.Ord] = true
			if i > 0 && index.Compare(got[i-1], n) > 0 {
				t.Fatalf("neighbors %d and %d are in the wrong order", i-1, i)
			}
			score := float64(p.metric.Score(q, v))
			lengths := math.Sqrt(float64(index.Dot.Score(q, q)) * float64(index.Dot.Score(v, v)))
			if p.metric == index.Cosine {
				lengths = 1
			}
			if p.metric == index.L2 {
				lengths = float64(index.Dot.Score(q, q) + index.Dot.Score(v, v))
			}
			if math.Abs(float64(n.Score)-score) > p.slack*(1+lengths) {
				t.Fatalf("ordinal %d has score %v, want %v", n.Ord, n.Score, score)
			}
			if score >= last-p.ties*(1+math.Abs(last)) {
				hits++
			}
		}
		share := float64(min(hits, len(want))) / float64(len(want))
		sum, squares = sum+share, squares+share*share
	}
	n := float64(len(queries))
	mean = sum / n
	return mean, math.Sqrt(max(0, squares/n-mean*mean) / n)
}

// aboutRecall skips a test of what is found, not of what happens together, under
// the race detector, where it takes many times as long.
func aboutRecall(t *testing.T) {
	t.Helper()
	if raceEnabled {
		t.Skip("it is about recall; others look for races")
	}
}

// atLeast fails the test when a recall is below least.
func atLeast(t *testing.T, what string, recall, least float64) {
	t.Helper()
	t.Logf("%s: recall %.4f, at least %.4f, margin %+.3f", what, recall, least, recall-least)
	if recall < least {
		t.Errorf("%s: recall is %.4f, want at least %.4f", what, recall, least)
	}
}

// clean checks the graph.
func (p *pair) clean(t *testing.T) {
	t.Helper()
	if have, want := p.x.Len(), len(p.vectors); have != want {
		t.Errorf("length %d, want %d", have, want)
	}
	if err := p.x.Check(t.Context(), func(problem string) { t.Error(problem) }); err != nil {
		t.Fatal(err)
	}
}

func itemsOf(first core.Ord, vectors [][]float32) []index.Item {
	var items []index.Item
	for i, v := range vectors {
		items = append(items, index.Item{Ord: first + core.Ord(i), Vector: v})
	}
	return items
}

// around returns n vectors at about the distance spread from center.
func around(rng *rand.Rand, n int, center []float32, spread float64) [][]float32 {
	out := make([][]float32, n)
	for i := range out {
		out[i] = slices.Clone(center)
		for j := range out[i] {
			out[i][j] += float32(rng.NormFloat64() * spread / math.Sqrt(float64(len(center))))
		}
	}
	return out
}

// modes are the ways to lay out a graph.
func modes() map[string]Options {
	return map[string]Options{"fast": {}, "compact": {Compact: true}, "disk": {Disk: true}}
}

func forAll(t *testing.T, fn func(t *testing.T, m index.Metric, o Options)) {
	for _, m := range []index.Metric{index.Cosine, index.Dot, index.L2} {
		for name, o := range modes() {
			o.ScanBelow = 100
			t.Run(fmt.Sprintf("%s/%s", m, name), func(t *testing.T) { fn(t, m, o) })
		}
	}
}

func TestRandomChanges(t *testing.T) {
	forAll(t, func(t *testing.T, m index.Metric, o Options) {
		rng := newRand(t)
		dim := 1 + rng.IntN(200)
		if o.Disk {
			dim += exactUpTo
		}
		p := newPair(t, index.Config{Dim: dim, Metric: m}, o)
		pool := indextest.Vectors(rng, 6000, dim)
		next, sum, n := core.Ord(0), 0.0, 0.0
		for range 150 {
			switch rng.IntN(4) {
			case 0, 1:
				from := rng.IntN(len(pool) - 60)
				items := itemsOf(next, pool[from:][:1+rng.IntN(60)])
				next += core.Ord(len(items))
				p.insert(t, items...)
			case 2:
				for _, ord := range p.ords() {
					if rng.IntN(20) == 0 {
						p.insert(t, index.Item{Ord: ord, Vector: pool[rng.IntN(len(pool))]})
					}
				}
			case 3:
				for _, ord := range p.ords() {
					if rng.IntN(8) == 0 {
						p.delete(ord)
					}
				}
			}
			opt := index.Options{K: 1 + rng.IntN(30), Ef: rng.IntN(200)}
			if rng.IntN(2) == 0 {
				opt.Allow = core.NewSet(next + 5)
				share := rng.Float64()
				for _, ord := range p.ords() {
					if rng.Float64() < share*share {
						opt.Allow.Add(ord)
					}
				}
			}
			sum += p.recall(t, pool[rng.IntN(len(pool)-3):][:3], opt)
			n++
		}
		p.clean(t)
		least := 0.92
		if o.Compact {
			least = 0.8
		}
		atLeast(t, fmt.Sprintf("%d dimensions, %d vectors", dim, len(p.vectors)), sum/n, least)
	})
}
