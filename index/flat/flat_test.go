package flat_test

import (
	"context"
	"errors"
	"fmt"
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
	if err := x.Insert(t.Context(), []index.Item{{Ord: ord, Vector: v}}); err != nil {
		t.Fatal(err)
	}
}

// dying is a context that is cancelled once it has been asked some times.
type dying struct {
	context.Context
	left int
}

func (d *dying) Err() error {
	if d.left--; d.left < 0 {
		return context.Canceled
	}
	return nil
}

func TestCancelledHalfway(t *testing.T) {
	x, err := flat.New(index.Config{Dim: 8})
	if err != nil {
		t.Fatal(err)
	}
	allow := core.NewSet()
	for i := range 20_000 {
		insert(t, x, core.Ord(i))
		if i%5 == 0 {
			allow.Add(core.Ord(i))
		}
	}
	q := []float32{1, 2, 3, 4, 5, 6, 7, 8}
	for _, o := range []index.Options{{K: 3}, {K: 3, Allow: allow}} {
		if _, err := x.Search(&dying{t.Context(), 2}, q, o); !errors.Is(err, context.Canceled) {
			t.Errorf("a search cancelled halfway gives error %v", err)
		}
	}
	items := make([]index.Item, 10_000)
	for i := range items {
		items[i] = index.Item{Ord: core.Ord(100_000 + i), Vector: q}
	}
	if err := x.Insert(&dying{t.Context(), 3}, items); !errors.Is(err, context.Canceled) || x.Len() == 30_000 {
		t.Errorf("an insert cancelled halfway gives error %v and leaves %d vectors", err, x.Len())
	}
}

func BenchmarkSearch(b *testing.B) {
	const n, dim = 20_000, 384
	rng := rand.New(rand.NewPCG(1, 1))
	x, err := flat.New(index.Config{Dim: dim})
	if err != nil {
		b.Fatal(err)
	}
	var q []float32
	for i := range n {
		v := make([]float32, dim)
		for j := range v {
			v[j] = float32(rng.NormFloat64())
		}
		q = v
		if err := x.Insert(b.Context(), []index.Item{{Ord: core.Ord(i), Vector: v}}); err != nil {
			b.Fatal(err)
		}
	}
	for _, step := range []int{1, 2, 10, 100} {
		var allow *core.Set
		if step > 1 {
			allow = core.NewSet()
			for i := 0; i < n; i += step {
				allow.Add(core.Ord(i))
			}
		}
		b.Run(fmt.Sprintf("1 in %d allowed", step), func(b *testing.B) {
			for b.Loop() {
				if _, err := x.Search(b.Context(), q, index.Options{K: 10, Allow: allow}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
