package vecdb_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"strconv"
	"testing"

	"github.com/vecdb/vecdb"
	"github.com/vecdb/vecdb/index"
)

// twins are databases that get the same operations under different options.
type twins struct {
	options []vecdb.Options
	dirs    []string
	dbs     []*vecdb.DB
	cols    []*vecdb.Collection
	stored  map[string]vecdb.Document // what each of them should hold
	found   []int                     // of the neighbors that the first found, those that each has
	wanted  int
}

func newTwins(t *testing.T, dim int, metric index.Metric, options ...vecdb.Options) *twins {
	w := &twins{options: options, stored: make(map[string]vecdb.Document), found: make([]int, len(options))}
	for _, o := range options {
		dir := t.TempDir()
		db := open(t, dir, o)
		w.dirs, w.dbs = append(w.dirs, dir), append(w.dbs, db)
		w.cols = append(w.cols, collection(t, db, "v", vecdb.CollectionOptions{Model: vecdb.NoModel, Dim: dim, Metric: string(metric)}))
	}
	return w
}

func (w *twins) name(i int) string { return fmt.Sprintf("%s (%d)", w.options[i].Index, i) }

func (w *twins) upsert(t *testing.T, docs []vecdb.Document) {
	t.Helper()
	for i, c := range w.cols {
		for _, r := range upsert(t, c, slices.Clone(docs)...) {
			if r.Err != nil {
				t.Fatalf("%s: %v", w.name(i), r.Err)
			}
		}
	}
	for _, d := range docs {
		w.stored[d.ID] = d
	}
}

func (w *twins) delete(t *testing.T, ids []string) {
	t.Helper()
	for i, c := range w.cols {
		if _, err := c.Delete(t.Context(), ids, vecdb.WaitIndexed); err != nil {
			t.Fatalf("%s: %v", w.name(i), err)
		}
	}
	for _, id := range ids {
		delete(w.stored, id)
	}
}

// reopen closes the i-th database, which saves its index, and opens it again.
func (w *twins) reopen(t *testing.T, i int) {
	t.Helper()
	if err := w.dbs[i].Close(); err != nil {
		t.Fatalf("%s: %v", w.name(i), err)
	}
	w.dbs[i] = open(t, w.dirs[i], w.options[i])
	c, err := w.dbs[i].Collection("v")
	if err != nil {
		t.Fatalf("%s: %v", w.name(i), err)
	}
	w.cols[i] = c
}

// search asks all of them. The first is exact; of the others each hit is stored,
// allowed and scored as there, and what they miss is counted.
func (w *twins) search(t *testing.T, r vecdb.Request, allowed func(vecdb.Document) bool) {
	t.Helper()
	truth := make(map[string]float32)
	for i, c := range w.cols {
		found, err := c.Search(t.Context(), r)
		if err != nil {
			t.Fatalf("%s: %v", w.name(i), err)
		}
		seen := make(map[string]bool)
		for _, h := range found.Hits {
			doc, ok := w.stored[h.ID]
			if !ok || !allowed(doc) || seen[h.ID] {
				t.Fatalf("%s: %s is found; stored %v, seen before %v", w.name(i), h.ID, ok, seen[h.ID])
			}
			seen[h.ID] = true
			if i == 0 {
				truth[h.ID] = h.Score
			} else if want, ok := truth[h.ID]; ok && !near(h.Score, want) {
				t.Errorf("%s: %s has the score %v, by all numbers %v", w.name(i), h.ID, h.Score, want)
			}
			if _, ok := truth[h.ID]; ok {
				w.found[i]++
			}
		}
	}
	w.wanted += len(truth)
}

// near reports whether two scores are the same but for the codes of a vector.
func near(a, b float32) bool {
	d := a - b
	return d*d <= 4e-4*max(1, b*b)
}

// sameDocuments compares all that is stored, and has each index look for
// contradictions.
func (w *twins) sameDocuments(t *testing.T) {
	t.Helper()
	for i, c := range w.cols {
		n := 0
		err := c.Each(t.Context(), func(d *vecdb.Document) error {
			n++
			want := w.stored[d.ID]
			if !slices.Equal(d.Vector, want.Vector) || !reflect.DeepEqual(d.Fields, want.Fields) {
				return fmt.Errorf("document %s is %v, not %v", d.ID, d, want)
			}
			return nil
		})
		if err != nil || n != len(w.stored) || c.Len() != n {
			t.Errorf("%s: %d documents of %d: %v", w.name(i), n, len(w.stored), err)
		}
		if err := w.dbs[i].Verify(t.Context(), func(problem string) { t.Errorf("%s: %s", w.name(i), problem) }); err != nil {
			t.Errorf("%s: %v", w.name(i), err)
		}
	}
}

// TestTheSameUnderAllOptions does the same random operations with every index
// back end, in memory only and in databases that are opened again now and then.
// VECDB_TEST_SEED sets the seed.
func TestTheSameUnderAllOptions(t *testing.T) {
	seed := uint64(20_261_126)
	if text := os.Getenv("VECDB_TEST_SEED"); text != "" {
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("VECDB_TEST_SEED=%d", seed)
	rng := rand.New(rand.NewPCG(seed, 9))
	metric := []index.Metric{index.Cosine, index.Dot, index.L2}[rng.IntN(3)]
	dim := 65 + rng.IntN(40) // above what the graph keeps in floats
	options := []vecdb.Options{{Index: vecdb.IndexFlat}}
	for _, kind := range vecdb.IndexKinds() {
		if kind != vecdb.IndexFlat && kind != vecdb.IndexCoder { // of which no recall is promised
			options = append(options, vecdb.Options{Index: kind})
		}
	}
	options = append(options, vecdb.Options{Index: vecdb.IndexHNSWDisk, InMemory: true})
	w := newTwins(t, dim, metric, options...)
	centers := make([][]float32, 40)
	for i := range centers {
		centers[i] = gauss(rng, make([]float32, dim), 1)
	}
	draw := func() []float32 { return gauss(rng, centers[rng.IntN(len(centers))], 0.7) }
	next := 0
	insert := func(n int) {
		var docs []vecdb.Document
		for range n {
			docs = append(docs, vecdb.Document{ID: strconv.Itoa(next), Vector: draw(), Fields: map[string]any{"n": int64(next % 7)}})
			next++
		}
		w.upsert(t, docs)
	}
	some := func(n int) []string {
		ids := slices.Sorted(maps.Keys(w.stored))
		rng.Shuffle(len(ids), func(i, j int) { ids[i], ids[j] = ids[j], ids[i] })
		return ids[:min(n, len(ids))]
	}
	insert(1100) // enough for a graph
	for range 16 {
		switch rng.IntN(6) {
		case 0, 1:
			insert(1 + rng.IntN(120))
		case 2: // vectors change, and documents that are as others
			var docs []vecdb.Document
			for _, id := range some(1 + rng.IntN(80)) {
				docs = append(docs, vecdb.Document{ID: id, Vector: draw(), Fields: map[string]any{"n": int64(rng.IntN(7))}})
			}
			docs[0].Vector = w.stored[some(1)[0]].Vector
			w.upsert(t, docs)
		case 3:
			w.delete(t, some(1+rng.IntN(150)))
		case 4:
			if i := rng.IntN(len(w.options)); !w.options[i].InMemory {
				w.reopen(t, i)
			}
		case 5:
			n := int64(rng.IntN(7))
			for range 5 {
				w.search(t, vecdb.Request{Vector: draw(), Limit: 1 + rng.IntN(30), Filter: &vecdb.Filter{Field: "n", Lte: n}},
					func(d vecdb.Document) bool { return d.Fields["n"].(int64) <= n })
			}
		}
		for range 8 {
			w.search(t, vecdb.Request{Vector: draw(), Limit: 1 + rng.IntN(20)}, func(vecdb.Document) bool { return true })
		}
	}
	for i := range w.options {
		if !w.options[i].InMemory {
			w.reopen(t, i)
		}
	}
	w.sameDocuments(t)
	for i, n := range w.found {
		recall := float64(n) / float64(w.wanted)
		t.Logf("%s, %d numbers, %s, %d documents: recall %.4f of %d", w.name(i), dim, metric, len(w.stored), recall, w.wanted)
		if recall < 0.93 {
			t.Errorf("%s: recall %.4f", w.name(i), recall)
		}
	}
}

// gauss returns v with a random number of that size added to each of its own.
func gauss(rng *rand.Rand, v []float32, size float64) []float32 {
	out := slices.Clone(v)
	for i := range out {
		out[i] += float32(size * rng.NormFloat64())
	}
	return out
}
