package vecdb_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/vecdb/vecdb"
	"github.com/vecdb/vecdb/index"
	"github.com/vecdb/vecdb/internal/core"
)

func TestMemoryIsPredicted(t *testing.T) {
	for _, kind := range vecdb.IndexKinds() {
		for _, cfg := range []index.Config{{Dim: 3, Metric: index.L2}, {Dim: 100, Metric: index.Cosine}, {Dim: 384, Metric: index.Dot}} {
			for _, n := range []int{500, 3000} {
				if kind == vecdb.IndexCoder && n > 500 {
					continue // it is slow, and grows evenly
				}
				x, err := vecdb.NewIndex(kind, cfg)
				if err != nil {
					t.Fatal(err)
				}
				fill(t, x, cfg.Dim, n)
				want, err := vecdb.IndexBytes(kind, cfg, n)
				disk, diskErr := vecdb.IndexDiskBytes(kind, cfg, n)
				lies, ok := x.(interface{ DiskBytes() int64 })
				if diskErr != nil || ok && lies.DiskBytes() != disk || disk > 0 != (kind == vecdb.IndexHNSWDisk && cfg.Dim > 64 && n >= 1000) {
					t.Errorf("%s, %d numbers, %d vectors: %d bytes in a file are predicted, %v", kind, cfg.Dim, n, disk, diskErr)
				}
				if got := x.SizeBytes(); err != nil || float64(got) < 0.9*float64(want) || float64(got) > 1.1*float64(want) {
					t.Errorf("%s, %d numbers, %d vectors: %d bytes, predicted %d, %v", kind, cfg.Dim, n, got, want, err)
				}
			}
		}
	}
	if _, err := vecdb.IndexBytes("none", index.Config{Dim: 3}, 1); !errors.Is(err, vecdb.ErrInvalid) {
		t.Errorf("of an unknown index: %v", err)
	}
	if _, err := vecdb.IndexBytes("", index.Config{}, 1); !errors.Is(err, vecdb.ErrInvalid) {
		t.Errorf("without a dimension: %v", err)
	}
}

func fill(t *testing.T, x index.Index, dim, n int) {
	t.Helper()
	rng := rand.New(rand.NewPCG(8, uint64(dim)))
	items := make([]index.Item, n)
	for i := range items {
		v := make([]float32, dim)
		for j := range v {
			v[j] = float32(rng.NormFloat64())
		}
		items[i] = index.Item{Ord: core.Ord(i), Vector: v}
	}
	if err := x.Insert(t.Context(), items); err != nil {
		t.Fatal(err)
	}
}

func TestWhatDoesNotFitIntoMemoryIsRefused(t *testing.T) {
	var left atomic.Int64
	known := atomic.Bool{}
	known.Store(true)
	o := vecdb.Options{InMemory: true, MemoryAvailable: func() (int64, bool) { return left.Load(), known.Load() }}
	db := open(t, "", o)
	c := collection(t, db, "v", vecdb.CollectionOptions{Model: vecdb.NoModel, Dim: 4096})
	rng := rand.New(rand.NewPCG(8, 8))
	docs := make([]vecdb.Document, 20)
	for i := range docs {
		docs[i] = vectorOf(rng, 4096)
	}
	per := c.Stats().Index.BytesPerVector
	if per < 4*4096 || per > 8*4096 {
		t.Errorf("%d bytes are predicted for 4,096 numbers", per)
	}
	results, err := c.Upsert(t.Context(), docs, vecdb.WaitDurable)
	if !errors.Is(err, vecdb.ErrMemory) || len(results) != 0 || c.Len() != 0 {
		t.Fatalf("%d results, %v", len(results), err)
	}
	for _, want := range []string{"20 documents", "hnsw-compact", "IgnoreMemory"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error %q lacks %q", err, want)
		}
	}
	left.Store(1 << 30) // memory was freed, and writing goes on
	if _, err := c.Upsert(t.Context(), docs[:10], vecdb.WaitIndexed); err != nil {
		t.Fatal(err)
	}
	known.Store(false) // a system that does not tell refuses nothing
	left.Store(0)
	if _, err := c.Upsert(t.Context(), docs[10:], vecdb.WaitIndexed); err != nil || c.Len() != 20 {
		t.Fatalf("%d documents, %v", c.Len(), err)
	}
	o.IgnoreMemory = true
	known.Store(true)
	forced := collection(t, open(t, "", o), "v", vecdb.CollectionOptions{Model: vecdb.NoModel, Dim: 4096})
	if _, err := forced.Upsert(context.Background(), docs, vecdb.WaitIndexed); err != nil {
		t.Errorf("with IgnoreMemory: %v", err)
	}
}

func vectorOf(rng *rand.Rand, dim int) vecdb.Document {
	v := make([]float32, dim)
	for i := range v {
		v[i] = float32(rng.NormFloat64())
	}
	return vecdb.Document{Vector: v}
}
