package vecdb_test

import (
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/vecdb/vecdb"
)

func TestRecallIsMeasuredAndKept(t *testing.T) {
	vecdb.MeasureClosingFor(t, patience)
	vecdb.MeasureAfter(t, time.Hour, time.Hour) // but by what follows
	s := save(t)
	file := filepath.Join(s.dir, "index", "0.recall.json")
	if _, err := os.Stat(file); err != nil {
		t.Fatalf("closing has not measured the collection: %v", err)
	}
	db, c, _ := s.open(t, vecdb.Options{})
	st := c.Stats().Index.Recall
	if st == nil || st.Vectors != 1200 || st.Stored == 0 || len(st.Targets) != 3 {
		t.Fatalf("the figures of the first run are %+v", st)
	}
	for _, target := range st.Targets {
		if target.Ef < 10 || target.Measured < target.Recall-0.01 {
			t.Errorf("for recall %v the breadth is %d with %v", target.Recall, target.Ef, target.Measured)
		}
	}
	for i := range 80 {
		r := vecdb.Request{Vector: vectorDoc(s.rng, i).Vector, Params: vecdb.Params{Recall: 0.95}}
		if got, err := c.Search(t.Context(), r); err != nil || len(got.Hits) != 10 {
			t.Fatalf("%d hits, %v", len(got.Hits), err)
		}
	}
	s.upsert(t, c, 1200, 2400)
	if err := c.Tune(t.Context()); err != nil {
		t.Fatal(err)
	}
	if st := c.Stats().Index.Recall; st.Vectors != 2400 || st.Asked != 80 {
		t.Errorf("after 80 queries and at 2,400 vectors: %+v", st)
	}
	s.close(t, db)

	if err := os.WriteFile(file, []byte(`{"version":2,"index":"hnsw","plan":{"vectors":2400,"curves":[{"k":10,"points":[{"ef":-5}]}]}}`), 0o644); err != nil {
		t.Fatal(err)
	}
	db, c, log := s.open(t, vecdb.Options{ReadOnly: true})
	if st := c.Stats().Index.Recall; st.Vectors != 0 || !log.has("measured anew") {
		t.Errorf("of a damaged file: %+v", st)
	}
	if _, err := c.Search(t.Context(), vecdb.Request{Vector: vectorDoc(s.rng, 0).Vector, Params: vecdb.Params{Recall: 0.99}}); err != nil {
		t.Error(err)
	}
	s.close(t, db)

	db, _, _ = s.open(t, vecdb.Options{})
	if err := db.DropCollection(t.Context(), "v"); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(file); !os.IsNotExist(err) {
		t.Errorf("dropping the collection leaves %v", err)
	}
	s.close(t, db)
}

func TestMeasuringWaitsForAnImport(t *testing.T) {
	vecdb.MeasureAfter(t, time.Millisecond, time.Hour)
	db := open(t, t.TempDir(), vecdb.Options{})
	defer db.Close()
	c := collection(t, db, "v", vecdb.CollectionOptions{Model: vecdb.NoModel, Dim: 16})
	done := vecdb.Importing(c)
	saved{rng: rand.New(rand.NewPCG(6, 1))}.upsert(t, c, 0, 1200)
	time.Sleep(100 * time.Millisecond)
	if st := c.Stats().Index.Recall; st == nil || st.Vectors != 0 {
		t.Errorf("during the import the recall is %+v", st)
	}
	done()
	eventually(t, func() bool { return c.Stats().Index.Recall.Vectors == 1200 })
}

// An import without end, and changes that never pause, do not keep a collection
// from being measured.
func TestACollectionThatDoesNotRestIsMeasured(t *testing.T) {
	for name, importing := range map[string]bool{"an import": true, "changes": false} {
		t.Run(name, func(t *testing.T) {
			vecdb.MeasureAfter(t, time.Hour, time.Millisecond) // it never rests
			db := open(t, t.TempDir(), vecdb.Options{})
			defer db.Close()
			c := collection(t, db, "v", vecdb.CollectionOptions{Model: vecdb.NoModel, Dim: 16})
			if importing {
				defer vecdb.Importing(c)()
			}
			saved{rng: rand.New(rand.NewPCG(7, 1))}.upsert(t, c, 0, 1200)
			eventually(t, func() bool { r := c.Stats().Index.Recall; return r.Vectors > 1000 && r.Stored == 64 })
		})
	}
}

func TestAMeasurementThatWaitsForAnImportEndsWhereThatChangesTheCollection(t *testing.T) {
	vecdb.MeasureAfter(t, time.Hour, time.Hour)
	db := open(t, t.TempDir(), vecdb.Options{})
	defer db.Close()
	c := collection(t, db, "v", vecdb.CollectionOptions{Model: vecdb.NoModel, Dim: 16})
	s := saved{rng: rand.New(rand.NewPCG(8, 1))}
	s.upsert(t, c, 0, 1200)
	rest := vecdb.MeasureRests(c, time.Now().Add(time.Hour))
	for _, tc := range []struct {
		to   int
		want error
	}{{1220, nil}, {1600, vecdb.ErrOutgrown}} {
		done := vecdb.Importing(c)
		rested := make(chan error)
		go func() { rested <- rest(t.Context(), 0) }()
		s.upsert(t, c, 1200, tc.to)
		done()
		if err := <-rested; !errors.Is(err, tc.want) {
			t.Errorf("with %d vectors: %v", tc.to, err)
		}
	}
}

func TestExactCollectionsAreNotMeasured(t *testing.T) {
	db := open(t, t.TempDir(), vecdb.Options{})
	defer db.Close()
	c := collection(t, db, "few", vecdb.CollectionOptions{Model: vecdb.NoModel, Dim: 16})
	saved{rng: rand.New(rand.NewPCG(5, 1))}.upsert(t, c, 0, 20)
	if err := c.Tune(t.Context()); err != nil {
		t.Fatal(err)
	}
	if st := c.Stats().Index.Recall; st != nil {
		t.Errorf("20 documents have %+v", st)
	}
}
