package flat_test

import (
	"context"
	"math/rand/v2"
	"testing"

	"github.com/vecdb/vecdb/index"
	"github.com/vecdb/vecdb/index/flat"
	"github.com/vecdb/vecdb/index/indextest"
	"github.com/vecdb/vecdb/internal/core"
)

func TestConformance(t *testing.T) {
	indextest.Run(t, indextest.Suite{
		New:    func(cfg index.Config) (index.Index, error) { return flat.New(cfg) },
		Recall: 1,
	})
}

func TestMemoryFollowsTheNumberOfVectors(t *testing.T) {
	x, err := flat.New(index.Config{Dim: 8})
	if err != nil {
		t.Fatal(err)
	}
	fill := func(from int) {
		for i := range 5000 {
			insert(t, x, core.Ord(from+i))
		}
	}
	fill(0)
	full := x.SizeBytes()
	for round := 1; round <= 5; round++ {
		for i := range 5000 {
			x.Delete(core.Ord((round-1)*5000 + i))
		}
		if got := x.SizeBytes(); got > full/4 {
			t.Errorf("round %d: an emptied index takes %d bytes, a full one %d", round, got, full)
		}
		fill(round * 5000)
		if got := x.SizeBytes(); got != full {
			t.Errorf("round %d: filled again, the index takes %d bytes, at first %d", round, got, full)
		}
	}
}

func insert(t *testing.T, x *flat.Index, ord core.Ord) {
	t.Helper()
	v := make([]float32, 8)
	for i := range v {
		v[i] = rand.Float32() + 0.1
	}
	if err := x.Insert(context.Background(), []index.Item{{Ord: ord, Vector: v}}); err != nil {
		t.Fatal(err)
	}
}

func BenchmarkSearch(b *testing.B) {
	const n, dim = 20_000, 384
	rng := rand.New(rand.NewPCG(1, 1))
	x, err := flat.New(index.Config{Dim: dim})
	if err != nil {
		b.Fatal(err)
	}
	v := make([]float32, dim)
	for i := range n {
		for j := range v {
			v[j] = float32(rng.NormFloat64())
		}
		if err := x.Insert(b.Context(), []index.Item{{Ord: core.Ord(i), Vector: v}}); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		if _, err := x.Search(b.Context(), v, index.Options{K: 10}); err != nil {
			b.Fatal(err)
		}
	}
}
