//go:build unix

package vecdb_test

import (
	"errors"
	"os"
	"testing"
	"time"

	"github.com/vecdb/vecdb"
)

// TestAnIndexWhoseFileIsCutIsMadeAnewWhileItServes cuts the snapshot that an
// index is mapped from. Searches answer or tell of it until there is another.
func TestAnIndexWhoseFileIsCutIsMadeAnewWhileItServes(t *testing.T) {
	s := save(t)
	db, c, j := s.open(t, vecdb.Options{})
	if !j.has(restored) {
		t.Fatal("the index does not come from the snapshot")
	}
	if err := os.Truncate(s.file, 64<<10); err != nil { // the header is left
		t.Fatal(err)
	}
	const remade = "the index is made from the vectors"
	until := time.Now().Add(patience)
	for well := 0; well < 20 || !j.has(remade); {
		if time.Now().After(until) {
			t.Fatalf("the index is not made anew: %s", j.text.String())
		}
		_, err := c.Search(t.Context(), vecdb.Request{Vector: vectorDoc(s.rng, 0).Vector, Limit: 10})
		switch {
		case err == nil:
			well++
		case errors.Is(err, vecdb.ErrCorrupt):
			well = 0
		default:
			t.Fatal(err)
		}
	}
	// What is under way when the journal tells is done before Verify is.
	for end := time.Now().Add(patience); db.Verify(t.Context(), func(string) {}) != nil; {
		if time.Now().After(end) {
			t.Fatal("the index is still damaged")
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
