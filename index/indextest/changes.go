package indextest

import (
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/vecdb/vecdb/index"
	"github.com/vecdb/vecdb/internal/core"
)

func testDeletes(t *testing.T, s Suite) {
	const queries = 20
	rng := rand.New(rand.NewPCG(s.Seed, 2))
	vectors := Vectors(rng, 1500+queries, 24)
	f := build(t, s, index.Config{Dim: 24, Metric: index.L2}, vectors[queries:])
	for _, ord := range f.ords() {
		if rng.IntN(2) == 0 {
			f.x.Delete(ord, ord) // twice is no error
			f.delete(ord)
		}
	}
	f.x.Delete(9_999_999)
	f.checkLen(t)
	meets(t, s, "half deleted", f.recall(t, s, vectors[:queries], nil))
	for _, ord := range f.ords() {
		f.delete(ord)
	}
	f.checkLen(t)
	if got := f.search(t, vectors[0], index.Options{K: 10}); len(got) != 0 {
		t.Errorf("an emptied index returns %d neighbors", len(got))
	}
	f.insert(t, 3, vectors[5])
	if got := f.search(t, vectors[5], index.Options{K: 10}); len(got) != 1 {
		t.Errorf("an index emptied and filled with one vector returns %d neighbors", len(got))
	}
}

func testChurn(t *testing.T, s Suite) {
	rng := rand.New(rand.NewPCG(s.Seed, 3))
	f := build(t, s, index.Config{Dim: 16, Metric: index.Cosine}, Vectors(rng, 300, 16))
	const rounds = 10
	next, sum := core.Ord(10_000), 0.0
	for range rounds {
		for _, ord := range f.ords() {
			if rng.IntN(2) == 0 {
				f.delete(ord)
			}
		}
		for _, v := range Vectors(rng, 150, 16) {
			f.insert(t, next, v)
			next++
		}
		f.checkLen(t)
		sum += f.recall(t, s, Vectors(rng, 20, 16), nil)
	}
	meets(t, s, "during churn", sum/rounds)
}

func testReplace(t *testing.T, s Suite) {
	rng := rand.New(rand.NewPCG(s.Seed, 4))
	f := build(t, s, index.Config{Dim: 12, Metric: index.Cosine}, Vectors(rng, 50, 12))
	for range 3 {
		for _, ord := range f.ords() {
			f.insert(t, ord, gaussian(rng, 12, nil, 1))
		}
		f.checkLen(t)
		f.search(t, gaussian(rng, 12, nil, 1), index.Options{K: 50}) // checks every score against the new vectors
	}
	a, b := []float32{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, gaussian(rng, 12, nil, 1)
	if err := f.x.Insert(t.Context(), []index.Item{{Ord: 0, Vector: a}, {Ord: 0, Vector: b}}); err != nil {
		t.Fatal(err)
	}
	f.vectors[0] = b // the later one of a batch stays
	f.checkLen(t)
	f.search(t, a, index.Options{K: 50})
}

// testConcurrent inserts, deletes and searches at once. The ordinals in gone
// are deleted before the searches that must not return them begin.
func testConcurrent(t *testing.T, s Suite) {
	const workers, perWorker, first = 4, 60, 10_000
	rng := rand.New(rand.NewPCG(s.Seed, 7))
	vectors := Vectors(rng, 200+workers*perWorker, 16)
	f := build(t, s, index.Config{Dim: 16, Metric: index.Cosine}, vectors[:200])
	gone := core.NewSet()
	for _, ord := range f.ords() {
		if ord%2 == 0 {
			gone.Add(ord)
			f.delete(ord)
		}
	}
	var wg sync.WaitGroup
	for w := range workers {
		mine := vectors[200+w*perWorker:][:perWorker]
		wg.Go(func() {
			for i, v := range mine {
				ord := core.Ord(first + w*perWorker + i)
				if err := f.x.Insert(t.Context(), []index.Item{{Ord: ord, Vector: v}}); err != nil {
					t.Error(err)
				}
				if i%3 == 0 {
					f.x.Delete(ord)
					avoids(t, f.x, v, core.NewSet(ord))
				}
			}
		})
		wg.Go(func() {
			for _, v := range mine {
				avoids(t, f.x, v, gone)
			}
		})
	}
	wg.Wait()
	for i, v := range vectors[200:] {
		if i%perWorker%3 != 0 {
			f.vectors[core.Ord(first+i)] = v
		}
	}
	f.checkLen(t)
	meets(t, s, "after concurrent changes", f.recall(t, s, vectors[200:][:40], nil))
}

// avoids fails the test when a search near v returns an ordinal of gone.
func avoids(t *testing.T, x index.Index, v []float32, gone *core.Set) {
	got, err := x.Search(t.Context(), v, index.Options{K: 10})
	if err != nil {
		t.Error(err)
	}
	for _, n := range got {
		if gone.Contains(n.Ord) {
			t.Errorf("deleted ordinal %d was returned", n.Ord)
		}
	}
	x.Len()
	x.SizeBytes()
}
