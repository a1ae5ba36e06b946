package indextest

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/vecdb/vecdb/index"
	"github.com/vecdb/vecdb/internal/core"
)

func testRecall(t *testing.T, s Suite) {
	const queries = 40
	for _, m := range []index.Metric{index.Cosine, index.Dot, index.L2} {
		for _, dim := range []int{2, 3, 15, 16, 17, 64, 100, 384} {
			t.Run(fmt.Sprintf("%s/%d", m, dim), func(t *testing.T) {
				rng := rand.New(rand.NewPCG(s.Seed, uint64(dim)))
				vectors := Vectors(rng, 2000+queries, dim)
				f := build(t, s, index.Config{Dim: dim, Metric: m}, vectors[queries:])
				meets(t, s, "all vectors", f.recall(t, s, vectors[:queries], nil))
			})
		}
	}
}

func testFilters(t *testing.T, s Suite) {
	const queries = 20
	rng := rand.New(rand.NewPCG(s.Seed, 1))
	vectors := Vectors(rng, 2000+queries, 32)
	f := build(t, s, index.Config{Dim: 32, Metric: index.Cosine}, vectors[queries:])
	for _, share := range []float64{1, 0.5, 0.1, 0.01, 0.001, 0} {
		allow := core.NewSet(7_000_001) // an ordinal that does not exist
		for _, ord := range f.ords() {
			if rng.Float64() < share {
				allow.Add(ord)
			}
		}
		before := allow.Clone()
		meets(t, s, fmt.Sprintf("%g of the vectors allowed", share), f.recall(t, s, vectors[:queries], allow))
		before.AndNot(allow)
		if before.Len() > 0 {
			t.Errorf("a search has taken %d ordinals out of the allowed set", before.Len())
		}
	}
	if got := f.search(t, vectors[0], index.Options{K: 5, Allow: core.NewSet()}); len(got) != 0 {
		t.Errorf("with nothing allowed, %d neighbors are returned", len(got))
	}
}

// testTies inserts equal vectors in no order. An exact index returns those of
// the smallest ordinals.
func testTies(t *testing.T, s Suite) {
	x, err := s.New(index.Config{Dim: 3})
	if err != nil {
		t.Fatal(err)
	}
	for _, ord := range []core.Ord{9, 4, 6, 1} {
		if err := x.Insert(t.Context(), []index.Item{{Ord: ord, Vector: []float32{0, 1, 0}}}); err != nil {
			t.Fatal(err)
		}
	}
	for k, want := range map[int][]core.Ord{4: {1, 4, 6, 9}, 2: {1, 4}} {
		got, err := x.Search(t.Context(), []float32{0, 2, 0}, index.Options{K: k})
		if err != nil || len(got) == 0 || !slices.IsSortedFunc(got, index.Compare) {
			t.Errorf("k %d: equal vectors come as %v, %v; want rising ordinals", k, got, err)
		}
		if s.exact() && !slices.Equal(ordsOf(got), want) {
			t.Errorf("k %d: equal vectors come as %v, want the ordinals %v", k, got, want)
		}
	}
}

func ordsOf(list []index.Neighbor) []core.Ord {
	var ords []core.Ord
	for _, n := range list {
		ords = append(ords, n.Ord)
	}
	return ords
}

func testSmall(t *testing.T, s Suite) {
	x, err := s.New(index.Config{Dim: 2})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := x.Search(t.Context(), []float32{1, 0}, index.Options{K: 5}); err != nil || len(got) != 0 {
		t.Errorf("an empty index returns %v, %v", got, err)
	}
	x.Delete()
	x.Delete(3)
	if err := x.Insert(t.Context(), nil); err != nil {
		t.Errorf("inserting nothing: %v", err)
	}
	if err := x.Insert(t.Context(), []index.Item{{Ord: 7, Vector: []float32{3, 4}}}); err != nil {
		t.Fatal(err)
	}
	got, err := x.Search(t.Context(), []float32{6, 8}, index.Options{K: 5})
	if err != nil || len(got) != 1 || got[0].Ord != 7 || math.Abs(float64(got[0].Score)-1) > max(1e-6, s.Tolerance) {
		t.Errorf("the only vector is not found: %v, %v", got, err)
	}
	if size := x.SizeBytes(); size < 8 {
		t.Errorf("an index with a vector of 8 bytes takes %d bytes", size)
	}
}

// testScores asks an index.Scorer for what is there, what is deleted and what never
// was, in no order and twice.
func testScores(t *testing.T, s Suite) {
	for _, m := range []index.Metric{index.Cosine, index.Dot, index.L2} {
		for _, dim := range []int{3, 100} {
			rng := rand.New(rand.NewPCG(s.Seed, uint64(dim)))
			f := build(t, s, index.Config{Dim: dim, Metric: m}, Vectors(rng, 2000, dim))
			x, ok := f.x.(index.Scorer)
			if !ok {
				t.Skip("this index only searches")
			}
			all := append(f.ords(), 7_000_001)
			for _, ord := range f.ords() {
				if rng.IntN(3) == 0 {
					f.delete(ord)
				}
			}
			rng.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
			for _, ords := range [][]core.Ord{append(all, all[:50]...), all[:3], nil} {
				f.checkScores(t, x, Vectors(rng, 1, dim)[0], ords)
			}
			if _, err := x.Scores(t.Context(), make([]float32, dim+1), all); err == nil {
				t.Error("a query of another dimension is taken")
			}
		}
	}
}

// checkScores compares the scores for q, and the vectors, with the true ones.
func (f fixture) checkScores(t *testing.T, x index.Scorer, q []float32, ords []core.Ord) {
	t.Helper()
	scores, err := x.Scores(t.Context(), q, ords)
	vectors, wrong := x.Vectors(ords)
	if err != nil || wrong != nil || len(scores) != len(ords) || len(vectors) != len(ords) {
		t.Fatalf("%d scores and %d vectors for %d ordinals, %v, %v", len(scores), len(vectors), len(ords), err, wrong)
	}
	for i, ord := range ords {
		v, there := f.vectors[ord]
		if !there {
			if vectors[i] != nil || !math.IsNaN(float64(scores[i])) {
				t.Fatalf("ordinal %d is not there and has the score %v", ord, scores[i])
			}
			continue
		}
		want := score(f.metric, q, v)
		allowed := f.allowance(q, v, want)
		if got := score(f.metric, q, vectors[i]); math.Abs(got-want) > 2*allowed || !(math.Abs(float64(scores[i])-want) <= allowed) {
			t.Fatalf("%s: ordinal %d has the score %v and a vector of %v, want %v", f.metric, ord, scores[i], got, want)
		}
	}
}

// testSame builds an index twice from the same vectors, in opposite orders and
// through detours. Only exact ones promise to answer the same.
func testSame(t *testing.T, s Suite) {
	rng := rand.New(rand.NewPCG(s.Seed, 8))
	vectors := Vectors(rng, 500, 20)
	f := build(t, s, index.Config{Dim: 20, Metric: index.L2}, vectors)
	g := build(t, s, index.Config{Dim: 20, Metric: index.L2}, nil)
	for _, ord := range slices.Backward(f.ords()) {
		g.insert(t, ord+1, f.vectors[ord])
		g.insert(t, ord, vectors[rng.IntN(len(vectors))])
		g.delete(ord + 1)
		g.insert(t, ord, f.vectors[ord])
	}
	for _, q := range Vectors(rng, 20, 20) {
		a, b := f.search(t, q, index.Options{K: 30}), g.search(t, q, index.Options{K: 30})
		if !slices.Equal(a, b) {
			t.Errorf("two indexes of the same vectors return\n%v and\n%v", a, b)
		}
	}
}
