package vecdb_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vecdb/vecdb"
)

// journal is a log that tests read.
type journal struct {
	mu   sync.Mutex
	text strings.Builder
}

func (j *journal) Write(b []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(b)
}

func (j *journal) has(text string) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return strings.Contains(j.text.String(), text)
}

const (
	restored = `opened from its snapshot" collection=v of=vectors`
	refused  = "cannot be used"
)

// saved is a closed database of one collection that is large enough for a graph.
type saved struct {
	dir, file string
	rng       *rand.Rand
}

func vectorDoc(rng *rand.Rand, id int) vecdb.Document {
	v := make([]float32, 16)
	for i := range v {
		v[i] = float32(rng.NormFloat64())
	}
	return vecdb.Document{ID: fmt.Sprint(id), Vector: v, Fields: map[string]any{"n": int64(id % 10)}}
}

func save(t *testing.T) saved {
	t.Helper()
	s := saved{dir: t.TempDir(), rng: rand.New(rand.NewPCG(11, 1))}
	s.file = filepath.Join(s.dir, "index", "0.hnsw")
	db := open(t, s.dir, vecdb.Options{})
	s.upsert(t, collection(t, db, "v", vecdb.CollectionOptions{Model: vecdb.NoModel, Dim: 16}), 0, 1200)
	s.close(t, db)
	if _, err := os.Stat(s.file); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s saved) upsert(t *testing.T, c *vecdb.Collection, from, to int) {
	t.Helper()
	var docs []vecdb.Document
	for id := from; id < to; id++ {
		docs = append(docs, vectorDoc(s.rng, id))
	}
	upsert(t, c, docs...)
}

func (s saved) close(t *testing.T, db *vecdb.DB) {
	t.Helper()
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

// open opens the database again, and reports what it has logged.
func (s saved) open(t *testing.T, o vecdb.Options) (*vecdb.DB, *vecdb.Collection, *journal) {
	t.Helper()
	j := new(journal)
	o.Logger = slog.New(slog.NewTextHandler(j, nil))
	db := open(t, s.dir, o)
	c, err := db.Collection("v")
	if err != nil {
		t.Fatal(err)
	}
	return db, c, j
}

// check compares answers with the exact ones and the index with the store.
func (s saved) check(t *testing.T, db *vecdb.DB, c *vecdb.Collection) {
	t.Helper()
	rng := rand.New(rand.NewPCG(3, 3))
	same, all := 0, 0
	for i := range 30 {
		r := vecdb.Request{Vector: vectorDoc(rng, 0).Vector, Limit: 10}
		if i%2 == 1 {
			r.Filter = &vecdb.Filter{Field: "n", Eq: int64(3)}
		}
		got, err := c.Search(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		r.Params.Exact = true
		want, err := c.Search(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		for _, h := range want.Hits {
			all++
			for _, g := range got.Hits {
				if g.ID == h.ID {
					same++
				}
			}
		}
	}
	if all == 0 || same < all*90/100 { // graphs of the same vectors find 97 % to 99 %
		t.Errorf("found %d of %d", same, all)
	}
	if err := db.Verify(t.Context(), func(p string) { t.Error(p) }); err != nil {
		t.Error(err)
	}
}

func TestTheIndexComesFromItsSnapshot(t *testing.T) {
	s := save(t)
	for round := range 3 {
		db, c, j := s.open(t, vecdb.Options{})
		if !j.has(restored) {
			t.Errorf("round %d: the snapshot is not used", round)
		}
		s.check(t, db, c)
		s.upsert(t, c, 100*round, 100*round+300) // most of them are replaced
		s.check(t, db, c)
		s.close(t, db)
	}
}

func TestChangesSinceTheSnapshotAreTakenFromTheLog(t *testing.T) {
	s := save(t)
	old, err := os.ReadFile(s.file)
	if err != nil {
		t.Fatal(err)
	}
	db, c, _ := s.open(t, vecdb.Options{})
	s.upsert(t, c, 1000, 2000)
	var gone []string
	for id := range 400 {
		gone = append(gone, fmt.Sprint(id))
	}
	if _, err := c.Delete(t.Context(), gone, vecdb.WaitDurable); err != nil {
		t.Fatal(err)
	}
	s.upsert(t, c, 300, 350)
	s.close(t, db)
	// As after a crash: the snapshot is the one before, another was begun.
	if err := os.WriteFile(s.file, old, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(s.file+".tmp", old[:1000], 0o644); err != nil {
		t.Fatal(err)
	}
	db, c, j := s.open(t, vecdb.Options{})
	if !j.has(restored) || c.Len() != 1650 || c.Stats().Index.Vectors != 1650 {
		t.Errorf("%+v; %s", c.Stats(), j.text.String())
	}
	if _, err := os.Stat(s.file + ".tmp"); !os.IsNotExist(err) {
		t.Errorf("the rest of an interrupted save is still there: %v", err)
	}
	s.check(t, db, c)
}

func TestASnapshotThatCannotBeUsedCostsTimeOnly(t *testing.T) {
	s := save(t)
	good, err := os.ReadFile(s.file)
	if err != nil {
		t.Fatal(err)
	}
	other := save(t)
	for name, data := range map[string][]byte{
		"empty": {}, "cut": good[:len(good)-100], "header": append([]byte("x"), good[1:]...),
	} {
		if err := os.WriteFile(s.file, data, 0o644); err != nil {
			t.Fatal(err)
		}
		db, c, j := s.open(t, vecdb.Options{ReadOnly: true})
		if !j.has(refused) || j.has(restored) {
			t.Errorf("%s: %s", name, j.text.String())
		}
		s.check(t, db, c)
		s.close(t, db)
	}
	if err := os.WriteFile(s.file, good, 0o644); err != nil {
		t.Fatal(err)
	}
	db, c, _ := s.open(t, vecdb.Options{})
	s.upsert(t, c, 10, 20) // the histories part
	s.close(t, db)
	db, c, _ = other.open(t, vecdb.Options{})
	other.upsert(t, c, 30, 40)
	other.close(t, db)
	foreign, err := os.ReadFile(other.file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(s.file, foreign, 0o644); err != nil {
		t.Fatal(err)
	}
	db, c, j := s.open(t, vecdb.Options{})
	if !j.has("another history") {
		t.Errorf("a foreign snapshot: %s", j.text.String())
	}
	s.check(t, db, c)
	s.close(t, db)
	_, _, j = s.open(t, vecdb.Options{})
	if !j.has(restored) {
		t.Errorf("after the repair: %s", j.text.String())
	}
}

func TestADamagedGraphIsMadeAnewWhileItServes(t *testing.T) {
	s := save(t)
	data, err := os.ReadFile(s.file)
	if err != nil {
		t.Fatal(err)
	}
	const blocks = 64 << 10 // where the first section begins
	if binary.LittleEndian.Uint64(data[blocks:]) == 0 {
		t.Fatal("there is nothing to damage")
	}
	copy(data[blocks:], bytes.Repeat([]byte{0x55}, 100_000))
	if err := os.WriteFile(s.file, data, 0o644); err != nil {
		t.Fatal(err)
	}
	db, c, j := s.open(t, vecdb.Options{})
	if !j.has(restored) {
		t.Fatal("the damage is not where it should be")
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for damaged := true; damaged; {
		damaged = false
		if err := db.Verify(ctx, func(string) { damaged = true }); err != nil {
			t.Fatal(err)
		}
	}
	s.check(t, db, c)
	s.upsert(t, c, 0, 10)
	s.close(t, db)
	db, c, j = s.open(t, vecdb.Options{})
	if !j.has(restored) {
		t.Error("there is no new snapshot")
	}
	s.check(t, db, c)
}

func TestSnapshotsGoWithTheirCollections(t *testing.T) {
	s := save(t)
	before, err := os.Stat(s.file)
	if err != nil {
		t.Fatal(err)
	}
	db, _, j := s.open(t, vecdb.Options{ReadOnly: true})
	if !j.has(restored) {
		t.Error("the snapshot is not used for reading only")
	}
	s.close(t, db)
	db, _, _ = s.open(t, vecdb.Options{Index: vecdb.IndexFlat})
	s.close(t, db)
	after, err := os.Stat(s.file)
	if err != nil || !after.ModTime().Equal(before.ModTime()) {
		t.Errorf("the snapshot was written again: %v", err)
	}
	db, _, _ = s.open(t, vecdb.Options{})
	if err := db.DropCollection(t.Context(), "v"); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(s.file); !os.IsNotExist(err) {
		t.Errorf("the snapshot of a dropped collection is there: %v", err)
	}
	s.close(t, db)
	if err := os.WriteFile(s.file, []byte("left"), 0o644); err != nil {
		t.Fatal(err)
	}
	db = open(t, s.dir, vecdb.Options{})
	if _, err := os.Stat(s.file); !os.IsNotExist(err) {
		t.Errorf("a left snapshot is there: %v", err)
	}
	s.close(t, db)
}

func TestARunningCollectionIsSavedNowAndThen(t *testing.T) {
	dir := t.TempDir()
	s := saved{dir: dir, file: filepath.Join(dir, "index", "0.hnsw"), rng: rand.New(rand.NewPCG(2, 2))}
	c := collection(t, open(t, dir, vecdb.Options{}), "v", vecdb.CollectionOptions{Model: vecdb.NoModel, Dim: 16})
	s.upsert(t, c, 0, 1100)
	if _, err := os.Stat(s.file); !os.IsNotExist(err) {
		t.Errorf("it is saved after few changes: %v", err)
	}
	for range 9 { // the same documents again and again
		s.upsert(t, c, 0, 1100)
	}
	s.upsert(t, c, 0, 200)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for {
		if _, err := os.Stat(s.file); err == nil {
			return
		}
		select {
		case <-tick.C:
		case <-t.Context().Done():
			t.Fatal("it is not saved")
		}
	}
}
