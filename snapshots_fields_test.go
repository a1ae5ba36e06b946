package vecdb_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/vecdb/vecdb"
	"github.com/vecdb/vecdb/query"
)

func TestFieldsComeFromTheirSnapshotAndTheLog(t *testing.T) {
	s := save(t)
	file := filepath.Join(s.dir, "index", "0.fields")
	threes := func(c *vecdb.Collection, want int) {
		t.Helper()
		got, err := c.Count(t.Context(), query.CountRequest{Filter: &vecdb.Filter{Field: "n", Eq: 3}})
		if err != nil || got.Count != want {
			t.Errorf("%d documents, %v, want %d", got.Count, err, want)
		}
	}
	const fromSnapshot = `opened from its snapshot" collection=v of=documents`
	db, c, j := s.open(t, vecdb.Options{})
	if !j.has(fromSnapshot) {
		t.Error("the fields are not from their snapshot")
	}
	threes(c, 120)
	if _, err := c.Delete(t.Context(), []string{"3", "13", "4"}, vecdb.WaitIndexed); err != nil {
		t.Fatal(err)
	}
	threes(c, 118)
	s.close(t, db)

	// A snapshot of before, and what the log tells since.
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	db, c, _ = s.open(t, vecdb.Options{})
	s.upsert(t, c, 1300, 1340)
	s.close(t, db)
	if err := os.WriteFile(file, whole, 0o600); err != nil {
		t.Fatal(err)
	}
	db, c, j = s.open(t, vecdb.Options{})
	if !j.has(fromSnapshot) {
		t.Error("the fields are not from the older snapshot")
	}
	threes(c, 122)
	s.close(t, db)

	for name, damage := range map[string]func([]byte) []byte{
		"cut": func(b []byte) []byte { return b[:len(b)/2] }, "changed": func(b []byte) []byte { b[len(b)/2] ^= 1; return b },
		"of another history": func([]byte) []byte { return whole[:0] },
	} {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, damage(data), 0o600); err != nil {
			t.Fatal(err)
		}
		db, c, j = s.open(t, vecdb.Options{})
		if j.has(fromSnapshot) || !j.has(refused) {
			t.Errorf("%s: the damaged snapshot is used", name)
		}
		threes(c, 122)
		s.upsert(t, c, 1400, 1402) // so that it is written anew
		s.close(t, db)
	}
}
