package vecdb_test

import (
	"fmt"
	"os"
	"slices"
	"testing"

	"github.com/vecdb/vecdb"
)

// openForCache opens dir with the real models, or skips the test where they are not
// on this machine.
func openForCache(t *testing.T, dir string, o vecdb.Options) *vecdb.DB {
	t.Helper()
	o.Threads, o.MinFreeBytes = 1, -1
	db, err := vecdb.Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(db.Models(), func(m vecdb.ModelStatus) bool { return m.Name == "all-MiniLM-L6-v2" && m.Ready }) {
		if err := db.Close(); err != nil || os.Getenv("VECDB_REQUIRE_MODELS") != "" {
			t.Fatal("the model is missing", err)
		}
		t.Skip("the model is missing")
	}
	return db
}

// wantCache closes db and compares what its cache has counted.
func wantCache(t *testing.T, db *vecdb.DB, what string, hits, misses int64) {
	t.Helper()
	if st, on := db.EmbeddingCache(); !on || st.Hits != hits || st.Misses != misses {
		t.Errorf("%s: %v %+v, want %d hits and %d misses", what, on, st, hits, misses)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestUnchangedTextsAreNotEmbeddedAgain(t *testing.T) {
	dir := t.TempDir()
	docs := make([]vecdb.Document, 40)
	for i := range docs {
		docs[i] = vecdb.Document{ID: fmt.Sprint(i), Text: fmt.Sprintf("a film about %d dogs and a cat", i), Fields: map[string]any{"n": int64(i)}}
	}
	first := openForCache(t, dir, vecdb.Options{})
	c := collection(t, first, "a", vecdb.CollectionOptions{})
	upsert(t, c, docs...)
	before, err := c.Get(t.Context(), "7")
	if err != nil {
		t.Fatal(err)
	}
	docs[7].Fields = map[string]any{"n": int64(1000)}
	docs[8].Text = "another text"
	results := upsert(t, c, docs...) // not written by then, but known
	if results[7].TokensTotal < 9 || results[7].TokensUsed != results[7].TokensTotal {
		t.Errorf("the tokens of a known text are %+v", results[7])
	}
	wantCache(t, first, "in one run", 39, 41)

	db := openForCache(t, dir, vecdb.Options{})
	c = collection(t, db, "b", vecdb.CollectionOptions{Dim: 100}) // cut from the same vectors
	upsert(t, c, docs...)
	c, err = db.Collection("a")
	if err != nil {
		t.Fatal(err)
	}
	upsert(t, c, docs...)
	after, err := c.Get(t.Context(), "7")
	if err != nil || !slices.Equal(before.Vector, after.Vector) || fmt.Sprint(after.Fields["n"]) != "1000" {
		t.Errorf("the document has become %v, %v", after, err)
	}
	wantCache(t, db, "in another run", 80, 0)

	for _, o := range []struct{ precision, runtime string }{{"int8", vecdb.RuntimeONNX}, {"bf16", vecdb.RuntimeNative}, {"fp32", vecdb.RuntimeONNX}, {"int8", vecdb.RuntimeNative}} {
		db := openForCache(t, dir, vecdb.Options{ModelRuntime: o.runtime})
		if _, _, err := db.Embed(t.Context(), "", o.precision, 0, []string{"a text for every runtime"}); err != nil {
			t.Logf("%v is not here: %v", o, err)
			_ = db.Close()
			continue
		}
		wantCache(t, db, fmt.Sprint(o), 0, 1)
	}

	db = openForCache(t, dir, vecdb.Options{EmbeddingCacheBytes: -1})
	if _, on := db.EmbeddingCache(); on {
		t.Error("a cache that is off is there")
	}
	if c, err = db.Collection("a"); err != nil {
		t.Fatal(err)
	}
	upsert(t, c, docs...)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	db = openForCache(t, dir, vecdb.Options{})
	if st, _ := db.EmbeddingCache(); st.Bytes != 0 {
		t.Errorf("%d bytes are left of a cache that was off", st.Bytes)
	}
	wantCache(t, db, "after it was off", 0, 0)
}
