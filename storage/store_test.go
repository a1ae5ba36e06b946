package storage_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/vecdb/vecdb/internal/core"
	"github.com/vecdb/vecdb/storage"
	"github.com/vecdb/vecdb/storage/badger"
	"github.com/vecdb/vecdb/storage/faulty"
	"github.com/vecdb/vecdb/storage/mem"
)

const dim = 4

func openStore(t testing.TB, e storage.Engine) *storage.Store {
	t.Helper()
	s, err := storage.Open(e, storage.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func create(t testing.TB, s *storage.Store, name string) *storage.Collection {
	t.Helper()
	c, err := s.Create(storage.Config{Name: name, Dim: dim, Metric: "cosine"})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func doc(id, text string) *core.Document {
	return &core.Document{ID: id, Text: text, Vector: []float32{1, 2, 3, float32(len(text))},
		Fields: map[string]any{"n": int64(len(text)), "big": int64(1<<53 + 1), "f": 0.5, "list": []any{"a", true, nil}}}
}

func put(docs ...*core.Document) (out []storage.Mutation) {
	for _, d := range docs {
		out = append(out, storage.Mutation{Op: core.OpPut, Doc: d})
	}
	return out
}

func del(ids ...string) (out []storage.Mutation) {
	for _, id := range ids {
		out = append(out, storage.Mutation{Op: core.OpDelete, ID: id})
	}
	return out
}

func commit(t testing.TB, c *storage.Collection, m []storage.Mutation) []storage.Outcome {
	t.Helper()
	out, seq, err := c.Commit(context.Background(), m)
	if err != nil {
		t.Fatal(err)
	}
	if seq > c.LastSeq() {
		t.Errorf("Commit returned number %d, the collection is at %d", seq, c.LastSeq())
	}
	return out
}

// sound fails the test when a scrub finds anything.
func sound(t testing.TB, s *storage.Store) {
	t.Helper()
	if err := s.Verify(context.Background(), func(p string) { t.Errorf("scrub: %s", p) }); err != nil {
		t.Error(err)
	}
}

// engines are the engines that the tests of the store run on.
func engines(t *testing.T, test func(t *testing.T, e storage.Engine)) {
	t.Run("mem", func(t *testing.T) { test(t, mem.New()) })
	t.Run("badger", func(t *testing.T) {
		e, err := badger.Open(t.TempDir(), badger.Options{})
		if err != nil {
			t.Fatal(err)
		}
		test(t, e)
	})
}

func TestDocumentsComeBackAsTheyWere(t *testing.T) {
	engines(t, func(t *testing.T, e storage.Engine) {
		s := openStore(t, e)
		c := create(t, s, "films")
		out := commit(t, c, put(doc("a", "first"), doc("b/2", "second"), doc("a", "third"), doc("\x00ключ", "")))
		for i, want := range []storage.Outcome{{storage.Created, 0, 1}, {storage.Created, 1, 2}, {storage.Updated, 2, 3}, {storage.Created, 3, 4}} {
			if out[i] != want {
				t.Errorf("outcome %d is %+v, want %+v", i, out[i], want)
			}
		}
		got, ord, err := c.Get("a")
		want := doc("a", "third")
		if err != nil || ord != 2 || got.Text != want.Text || !slices.Equal(got.Vector, want.Vector) || fmt.Sprint(got.Fields) != fmt.Sprint(want.Fields) {
			t.Errorf("a is %+v at %d, %v; want %+v", got, ord, err, want)
		}
		if got.Fields["big"] != int64(1<<53+1) {
			t.Errorf("a large whole number came back as %T %v", got.Fields["big"], got.Fields["big"])
		}
		docs, err := c.Documents([]core.Ord{1, 0, 99}, false)
		if err != nil || docs[0].ID != "b/2" || docs[0].Vector != nil || docs[1] != nil || docs[2] != nil {
			t.Errorf("documents at 1, 0 and 99: %v, %v", docs, err)
		}
		vectors, err := c.VectorsAt([]core.Ord{1, 0, 2})
		if err != nil || !slices.Equal(vectors[0], doc("b/2", "second").Vector) || vectors[1] != nil || !slices.Equal(vectors[2], want.Vector) {
			t.Errorf("vectors at 1, 0 and 2: %v, %v", vectors, err)
		}
		if _, _, err := c.Get("none"); !errors.Is(err, core.ErrNotFound) {
			t.Errorf("an absent document gives %v", err)
		}
		if c.Len() != 3 || c.LastSeq() != 4 {
			t.Errorf("%d documents, %d changes", c.Len(), c.LastSeq())
		}
		sound(t, s)
	})
}

func TestTheLogTellsEveryChange(t *testing.T) {
	engines(t, func(t *testing.T, e storage.Engine) {
		s := openStore(t, e)
		c := create(t, s, "c")
		commit(t, c, put(doc("a", "1"), doc("b", "2")))
		changed := c.Notify()
		out := commit(t, c, append(del("a", "none", "a"), put(doc("b", "3"), doc("a", "4"))...))
		select {
		case <-changed:
		default:
			t.Error("a commit did not notify")
		}
		if out[0].Status != storage.Deleted || out[1].Status != storage.Missing || out[2].Status != storage.Missing || out[4].Status != storage.Created {
			t.Errorf("outcomes %+v", out)
		}
		want := []core.Change{
			{Seq: 1, Op: core.OpPut, ID: "a", Ord: 0, Old: core.NoOrd}, {Seq: 2, Op: core.OpPut, ID: "b", Ord: 1, Old: core.NoOrd},
			{Seq: 3, Op: core.OpDelete, ID: "a", Ord: core.NoOrd, Old: 0}, {Seq: 4, Op: core.OpPut, ID: "b", Ord: 2, Old: 1},
			{Seq: 5, Op: core.OpPut, ID: "a", Ord: 3, Old: core.NoOrd},
		}
		got, err := c.Changes(1, 100)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("the log is %+v, %v; want %+v", got, err, want)
		}
		if got, err := c.Changes(3, 2); err != nil || !slices.Equal(got, want[2:4]) {
			t.Errorf("two changes from 3 are %+v, %v", got, err)
		}
		if got, err := c.Changes(6, 2); err != nil || len(got) != 0 {
			t.Errorf("behind the end: %+v, %v", got, err)
		}
		sound(t, s)
	})
}

func TestListGoesThroughAllIDs(t *testing.T) {
	s := openStore(t, mem.New())
	c := create(t, s, "c")
	var want []string
	for i := range 25 {
		id := fmt.Sprintf("id%02d\x00/é", i)
		want = append(want, id)
		commit(t, c, put(doc(id, "t")))
	}
	var got []string
	for after, pages := "", 0; ; pages++ {
		docs, next, err := c.List(after, 10)
		if err != nil || pages > 3 {
			t.Fatal(pages, err)
		}
		for _, d := range docs {
			got = append(got, d.ID)
		}
		if after = next; next == "" {
			break
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("listed %q, want %q", got, want)
	}
}

func TestCollectionsAreKeptApartAndDropped(t *testing.T) {
	dir := t.TempDir()
	open := func() *storage.Store {
		e, err := badger.Open(dir, badger.Options{})
		if err != nil {
			t.Fatal(err)
		}
		return openStore(t, e)
	}
	s := open()
	a, b := create(t, s, "a"), create(t, s, "b")
	if _, err := s.Create(storage.Config{Name: "a"}); !errors.Is(err, core.ErrExists) {
		t.Errorf("a second a gives %v", err)
	}
	var many []storage.Mutation
	for i := range 3000 { // more keys than one batch of the erasure
		many = append(many, put(doc(fmt.Sprint(i), "t"))...)
	}
	commit(t, a, many)
	commit(t, b, put(doc("x", "kept")))
	if err := s.Drop("a"); err != nil {
		t.Fatal(err)
	}
	if _, _, err := a.Commit(context.Background(), put(doc("y", "late"))); !errors.Is(err, core.ErrNotFound) {
		t.Errorf("writing to a dropped collection gives %v", err)
	}
	if _, err := a.Changes(1, 1); !errors.Is(err, core.ErrNotFound) {
		t.Errorf("the log of a dropped collection gives %v", err)
	}
	if err := s.Erase(a); err != nil {
		t.Fatal(err)
	}
	a = create(t, s, "a")
	if _, _, err := a.Get("1"); !errors.Is(err, core.ErrNotFound) || a.Len() != 0 {
		t.Errorf("a new collection of the old name has %d documents, %v", a.Len(), err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open()
	if names := s.Collections(); len(names) != 2 || names[0].Name != "a" || names[1].Dim != dim {
		t.Errorf("after reopening: %+v", names)
	}
	b, err := s.Collection("b")
	if err != nil {
		t.Fatal(err)
	}
	if got, _, err := b.Get("x"); err != nil || got.Text != "kept" || b.LastSeq() != 1 {
		t.Errorf("after reopening: %v, %v", got, err)
	}
	sound(t, s)
}

func TestADroppedCollectionIsErasedLater(t *testing.T) {
	e := lasting{mem.New()}
	s := openStore(t, e)
	empty := e.SizeBytes()
	c := create(t, s, "c")
	commit(t, c, put(doc("x", "text")))
	if err := s.Drop("c"); err != nil {
		t.Fatal(err)
	}
	if left := e.SizeBytes(); left <= empty {
		t.Errorf("%d bytes are left of it, %d were there before", left, empty)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = openStore(t, e)
	if left := e.SizeBytes(); left != empty || len(s.Collections()) != 0 {
		t.Errorf("%d bytes are left of it, %d were there before", left, empty)
	}
	sound(t, s)
}

func TestAPendingCollectionIsSettledForGood(t *testing.T) {
	e := mem.New()
	s := openStore(t, e)
	pending := storage.Config{Name: "c", Auto: true, Metric: "cosine"}
	c, err := s.Create(pending)
	if err != nil || !c.Config().Pending() {
		t.Fatalf("made %v, %v", c, err)
	}
	err = e.View(func(r storage.Reader) error {
		record, err := r.Get([]byte("m"))
		if !strings.Contains(string(record), `{"format":2,`) {
			t.Errorf("programs that know format 1 alone would not refuse %q", record)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if again := openStore(t, lasting{e}); !again.Collections()[0].Pending() {
		t.Error("it is not pending after it was opened again")
	}
	settled := pending
	settled.Model, settled.Dim = "m", dim
	if err := c.Settle(settled); err != nil {
		t.Fatal(err)
	}
	if _, _, err := c.Commit(t.Context(), put(doc("a", "one"))); err != nil {
		t.Fatal(err)
	}
	for _, have := range []storage.Config{c.Config(), openStore(t, lasting{e}).Collections()[0]} {
		if have.Pending() || have.Model != "m" || have.Dim != dim {
			t.Errorf("settled, it is %+v", have)
		}
	}
	if got, _, err := c.Get("a"); err != nil || len(got.Vector) != dim {
		t.Errorf("read back %+v, %v", got, err)
	}
	if err := s.Drop("c"); err != nil {
		t.Fatal(err)
	}
	if err := c.Settle(settled); !errors.Is(err, core.ErrNotFound) {
		t.Errorf("settling a dropped one gives %v", err)
	}
}

func TestAChoiceThatCannotBeStoredIsNotMade(t *testing.T) {
	e := faulty.New(mem.New())
	s := openStore(t, e)
	c, err := s.Create(storage.Config{Name: "c", Auto: true, Metric: "cosine"})
	if err != nil {
		t.Fatal(err)
	}
	e.FailApply(&faulty.Rule{Nth: 1})
	if err := c.Settle(storage.Config{Name: "c", Auto: true, Model: "m", Dim: dim}); err == nil || !c.Config().Pending() {
		t.Errorf("settling gives %v and %+v", err, c.Config())
	}
}

func TestConcurrentCommitsShareBatches(t *testing.T) {
	counted := faulty.New(mem.New())
	s := openStore(t, counted)
	c := create(t, s, "c")
	counted.FailApply(&faulty.Rule{Nth: -1}) // fails none, counts
	const writers, each = 16, 50
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				if _, _, err := c.Commit(context.Background(), put(doc(fmt.Sprintf("%d-%d", w, i%40), "t"))); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if c.Len() != writers*40 || c.LastSeq() != writers*each {
		t.Errorf("%d documents and %d changes, want %d and %d", c.Len(), c.LastSeq(), writers*40, writers*each)
	}
	t.Logf("%d commits took %d batches", writers*each, counted.Applies())
	if counted.Applies() > writers*each {
		t.Errorf("%d batches for %d commits", counted.Applies(), writers*each)
	}
	sound(t, s)
}

func TestAFailedBatchLeavesNothingAndTheNextSucceeds(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 5))
	f := faulty.New(mem.New())
	s := openStore(t, f)
	c := create(t, s, "c")
	have := make(map[string]string)
	for round := range 300 {
		fail := rng.IntN(4) == 0
		if fail {
			f.FailApply(&faulty.Rule{Nth: 1})
		} else {
			f.FailApply(nil)
		}
		id, text := fmt.Sprint(rng.IntN(20)), fmt.Sprint("text ", round)
		m := put(doc(id, text))
		if rng.IntN(3) == 0 {
			m = del(id)
			if _, there := have[id]; !there {
				fail = false // nothing to write, so nothing fails
				f.FailApply(nil)
			}
		}
		_, _, err := c.Commit(context.Background(), m)
		switch {
		case fail != (err != nil):
			t.Fatalf("round %d: failing is %v, the error %v", round, fail, err)
		case err == nil && m[0].Op == core.OpPut:
			have[id] = text
		case err == nil:
			delete(have, id)
		}
	}
	if c.Len() != len(have) {
		t.Errorf("%d documents, want %d", c.Len(), len(have))
	}
	for id, text := range have {
		if d, _, err := c.Get(id); err != nil || d.Text != text {
			t.Errorf("%s is %v, %v; want %q", id, d, err, text)
		}
	}
	sound(t, s)
}

func TestFlippedBitsAreFound(t *testing.T) {
	f := faulty.New(mem.New())
	s := openStore(t, f)
	c := create(t, s, "c")
	commit(t, c, put(doc("a", "some text to damage")))
	for bit := range 40 * 8 {
		f.FailRead(&faulty.Rule{Flip: true, FlipBit: bit})
		if d, _, err := c.Get("a"); !errors.Is(err, core.ErrCorrupt) {
			t.Fatalf("with bit %d of each record turned over: %v, %v; want ErrCorrupt", bit, d, err)
		}
		found := 0
		if err := s.Verify(context.Background(), func(string) { found++ }); err == nil && found == 0 {
			t.Fatalf("a scrub does not see bit %d", bit)
		}
	}
}

func TestACancelledCommitWritesNothing(t *testing.T) {
	s := openStore(t, mem.New())
	c := create(t, s, "c")
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, _, err := c.Commit(ctx, put(doc("a", "t"))); !errors.Is(err, context.Canceled) || c.Len() != 0 {
		t.Errorf("error %v, %d documents", err, c.Len())
	}
}

func TestARecordOfANewerVersionIsRefused(t *testing.T) {
	e := mem.New()
	openStore(t, e)
	// A record of this format cannot be made from outside; what stands there
	// instead must not be taken for one.
	b := new(storage.Batch)
	b.Put([]byte("m"), []byte("\x02m0000{\"format\":2}"))
	if err := e.Apply(b); err != nil {
		t.Fatal(err)
	}
	if _, err := storage.Open(e, storage.Options{}); err == nil || !strings.Contains(err.Error(), "version 2") {
		t.Errorf("a record of version 2 gives %v", err)
	}
}

func TestMain(m *testing.M) {
	if child() {
		return
	}
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/golang/glog.(*fileSink).flushDaemon"),
		goleak.IgnoreTopFunction("go.opencensus.io/stats/view.(*worker).start"))
}

func BenchmarkCommit(b *testing.B) {
	for _, n := range []int{1, 100, 1000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			e, err := badger.Open(b.TempDir(), badger.Options{})
			if err != nil {
				b.Fatal(err)
			}
			s := openStore(b, e)
			c, err := s.Create(storage.Config{Name: "c", Dim: 384, Metric: "cosine"})
			if err != nil {
				b.Fatal(err)
			}
			next := 0
			for b.Loop() {
				var m []storage.Mutation
				for range n {
					m = append(m, storage.Mutation{Op: core.OpPut, Doc: &core.Document{ID: fmt.Sprint(next), Text: strings.Repeat("text ", 40), Vector: make([]float32, 384)}})
					next++
				}
				commit(b, c, m)
			}
			b.ReportMetric(float64(next)/b.Elapsed().Seconds(), "docs/s")
		})
	}
}
