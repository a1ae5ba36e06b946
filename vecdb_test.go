package vecdb_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/vecdb/vecdb"
	"github.com/vecdb/vecdb/embedder"
	"github.com/vecdb/vecdb/embedder/hash"
	"github.com/vecdb/vecdb/internal/simd/matrix"
)

// withHash are options with an embedder that needs no files.
func withHash(o vecdb.Options) vecdb.Options {
	o.OpenModel = func(_ context.Context, model, _ string) (embedder.Embedder, error) {
		if strings.Contains(model, "zh") {
			return hash.New(512), nil
		}
		return hash.New(384), nil
	}
	return o
}

func open(t testing.TB, dir string, o vecdb.Options) *vecdb.DB {
	t.Helper()
	db, err := vecdb.Open(dir, withHash(o))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

func collection(t testing.TB, db *vecdb.DB, name string, o vecdb.CollectionOptions) *vecdb.Collection {
	t.Helper()
	c, _, err := db.CreateCollection(context.Background(), name, o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func upsert(t testing.TB, c *vecdb.Collection, docs ...vecdb.Document) []vecdb.ItemResult {
	t.Helper()
	out, err := c.Upsert(context.Background(), docs, vecdb.WaitIndexed)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func ids(hits []vecdb.Hit) (out []string) {
	for _, h := range hits {
		out = append(out, h.ID)
	}
	return out
}

func search(t testing.TB, c *vecdb.Collection, r vecdb.Request) []string {
	t.Helper()
	found, err := c.Search(context.Background(), r)
	if err != nil {
		t.Fatal(err)
	}
	return ids(found.Hits)
}

var films = []vecdb.Document{
	{ID: "a", Text: "a sad film about a father and his son", Fields: map[string]any{"label": "drama", "year": int64(1999)}},
	{ID: "b", Text: "a father cooks rice for his son", Fields: map[string]any{"label": "food", "year": int64(2004)}},
	{ID: "c", Text: "how to cook rice and beans", Fields: map[string]any{"label": "food"}},
	{ID: "d", Text: "football match ends in a draw", Fields: map[string]any{"label": "sport", "year": int64(2004)}},
}

func TestTextInMeaningOut(t *testing.T) {
	for _, back := range []string{vecdb.IndexFlat, vecdb.IndexHNSW, vecdb.IndexCoder} {
		t.Run(back, func(t *testing.T) {
			c := collection(t, open(t, "", vecdb.Options{InMemory: true, Index: back}), "films", vecdb.CollectionOptions{})
			for _, r := range upsert(t, c, films...) {
				if r.Status != vecdb.StatusCreated || r.Err != nil || r.TokensUsed == 0 || r.Passages != 1 {
					t.Errorf("result %+v", r)
				}
			}
			if got := search(t, c, vecdb.Request{Text: "cook rice", Limit: 2, Params: params(back)}); !slices.Equal(got, []string{"c", "b"}) {
				t.Errorf("cook rice finds %v", got)
			}
			year := &vecdb.Filter{Field: "year", Gte: int64(2000)}
			if got := search(t, c, vecdb.Request{Text: "cook rice", Filter: year}); !slices.Equal(got, []string{"b", "d"}) {
				t.Errorf("with a filter: %v", got)
			}
			if got := search(t, c, vecdb.Request{ID: "c", Limit: 1, Params: params(back)}); !slices.Equal(got, []string{"b"}) {
				t.Errorf("similar to c: %v", got)
			}
			liked, err := c.Recommend(t.Context(), vecdb.Request{Like: []vecdb.Example{{ID: "a"}}, Dislike: []vecdb.Example{{Text: "rice"}}, Explain: true})
			if err != nil || len(liked.Hits) == 0 || slices.Contains(ids(liked.Hits), "a") {
				t.Errorf("recommended: %v, %v", ids(liked.Hits), err)
			}
			labels, err := c.Classify(t.Context(), vecdb.ClassifyRequest{Texts: []string{"rice with beans", "the football draw"}})
			if err != nil || *labels.Results[0].Label != "food" || *labels.Results[1].Label != "sport" {
				t.Errorf("classified: %+v, %v", labels, err)
			}
		})
	}
}

// params asks for exact answers where the back end has none of its own.
func params(back string) vecdb.Params { return vecdb.Params{Exact: back == vecdb.IndexCoder} }

func TestUpdatesAndDeletes(t *testing.T) {
	c := collection(t, open(t, t.TempDir(), vecdb.Options{}), "c", vecdb.CollectionOptions{})
	upsert(t, c, films...)
	if r := upsert(t, c, vecdb.Document{ID: "d", Text: "rice rice rice"}); r[0].Status != vecdb.StatusUpdated {
		t.Errorf("an update gives %+v", r[0])
	}
	if got := search(t, c, vecdb.Request{Text: "rice", Limit: 1}); !slices.Equal(got, []string{"d"}) {
		t.Errorf("the updated text is not found: %v", got)
	}
	if got := search(t, c, vecdb.Request{Text: "football match", Limit: 10}); len(got) != 4 {
		t.Errorf("after an update there are %d hits for 4 documents", len(got))
	}
	if n, err := c.Delete(t.Context(), []string{"d", "none", "d"}, vecdb.WaitIndexed); n != 1 || err != nil {
		t.Errorf("deleted %d, %v", n, err)
	}
	if n, err := c.DeleteWhere(t.Context(), &vecdb.Filter{Field: "label", Eq: "food"}, vecdb.WaitIndexed); n != 2 || err != nil {
		t.Errorf("deleted %d by filter, %v", n, err)
	}
	if _, err := c.DeleteWhere(t.Context(), nil, vecdb.WaitIndexed); !errors.Is(err, vecdb.ErrInvalid) {
		t.Errorf("deleting without a filter gives %v", err)
	}
	if got := search(t, c, vecdb.Request{Text: "rice", Limit: 10}); !slices.Equal(got, []string{"a"}) {
		t.Errorf("left: %v", got)
	}
	if _, err := c.Get(t.Context(), "d"); !errors.Is(err, vecdb.ErrNotFound) {
		t.Errorf("a deleted document gives %v", err)
	}
	if s := c.Stats(); s.Documents != 1 || s.Index.Vectors != 1 || s.Index.Pending != 0 {
		t.Errorf("stats %+v", s)
	}
}

// What was stored or deleted counts at once where an id is asked for, whether the
// indexes know of it or not.
func TestIDsAreThoseOfTheStore(t *testing.T) {
	c := collection(t, open(t, t.TempDir(), vecdb.Options{}), "c", vecdb.CollectionOptions{})
	upsert(t, c, films...)
	for i := range 30 {
		id := fmt.Sprint("new", i)
		if _, err := c.Upsert(t.Context(), []vecdb.Document{{ID: id, Text: "a football match"}}, vecdb.WaitDurable); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Search(t.Context(), vecdb.Request{ID: id}); err != nil {
			t.Errorf("%s was stored: %v", id, err)
		}
		if n, err := c.Delete(t.Context(), []string{id}, vecdb.WaitDurable); n != 1 || err != nil {
			t.Fatalf("deleted %d, %v", n, err)
		}
		if _, err := c.Search(t.Context(), vecdb.Request{ID: id}); !errors.Is(err, vecdb.ErrNotFound) {
			t.Errorf("%s was deleted: %v", id, err)
		}
		if _, err := c.Search(t.Context(), vecdb.Request{ID: films[i%len(films)].ID}); err != nil {
			t.Errorf("%s is there: %v", films[i%len(films)].ID, err)
		}
	}
}

func TestEverythingIsThereAfterReopening(t *testing.T) {
	dir := t.TempDir()
	db := open(t, dir, vecdb.Options{})
	upsert(t, collection(t, db, "films", vecdb.CollectionOptions{Fields: map[string]string{"year": "integer"}}), films...)
	collection(t, db, "zh", vecdb.CollectionOptions{Language: "zh"})
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		db = open(t, dir, vecdb.Options{OpenModel: nil})
		c, err := db.Collection("films")
		if err != nil {
			t.Fatal(err)
		}
		if got := search(t, c, vecdb.Request{Text: "cook rice", Limit: 2}); !slices.Equal(got, []string{"c", "b"}) {
			t.Errorf("after reopening: %v", got)
		}
		if info := c.Info(); info.Model != "all-MiniLM-L6-v2" || info.Dim != 384 || info.Fields["year"] != "integer" {
			t.Errorf("settings %+v", info)
		}
		problems := 0
		if err := db.Verify(t.Context(), func(p string) { problems++; t.Error(p) }); err != nil {
			t.Error(err)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
	db = open(t, dir, vecdb.Options{})
	if n := len(db.Collections()); n != 2 {
		t.Errorf("%d collections", n)
	}
	if err := db.DropCollection(t.Context(), "films"); err != nil {
		t.Error(err)
	}
	if _, err := db.Collection("films"); !errors.Is(err, vecdb.ErrNotFound) {
		t.Errorf("a dropped collection gives %v", err)
	}
}

func TestSettingsOfCollections(t *testing.T) {
	db := open(t, "", vecdb.Options{InMemory: true})
	c := collection(t, db, "c", vecdb.CollectionOptions{})
	again, created, err := db.CreateCollection(t.Context(), "c", vecdb.CollectionOptions{Language: "en", Model: "all-minilm-l6-v2", Precision: "int8"})
	if again != c || created || err != nil {
		t.Errorf("the same settings give %v, %v", created, err)
	}
	for name, o := range map[string]vecdb.CollectionOptions{
		"c": {Language: "zh"}, "": {}, "a b": {}, strings.Repeat("x", 65): {}, "../x": {}, "lang": {Language: "fr"}, "model": {Model: "gpt"},
		"prec": {Precision: "int4"}, "dim": {Dim: 385}, "negative": {Dim: -1}, "none": {Model: vecdb.NoModel}, "metric": {Metric: "hamming"},
		"type": {Fields: map[string]string{"year": "date"}}, "reserved": {Fields: map[string]string{"text": "text"}},
	} {
		if _, _, err := db.CreateCollection(t.Context(), name, o); !errors.Is(err, vecdb.ErrInvalid) {
			t.Errorf("%q %+v gives %v, want ErrInvalid", name, o, err)
		}
	}
	if n := len(db.Collections()); n != 1 {
		t.Errorf("%d collections after refused ones", n)
	}
}

func TestBadDocumentsAreRefusedAloneAndTold(t *testing.T) {
	c := collection(t, open(t, "", vecdb.Options{InMemory: true}), "c", vecdb.CollectionOptions{Fields: map[string]string{"year": "integer", "ok": "bool"}})
	good := []float32{1}
	good = append(good, make([]float32, 383)...)
	nan := slices.Clone(good)
	nan[7] = float32(math.NaN())
	deep := any("x")
	for range 40 {
		deep = []any{deep}
	}
	bad := map[string]vecdb.Document{
		"/text":     {ID: "x"},
		"/vector":   {ID: "x", Vector: []float32{1, 2}},
		"/vector/7": {ID: "x", Vector: nan},
		"/id":       {ID: strings.Repeat("i", 5000), Text: "t"},
		"/year":     {ID: "x", Text: "t", Fields: map[string]any{"year": "nineteen"}},
		"/ok":       {ID: "x", Text: "t", Fields: map[string]any{"ok": []any{true, "no"}}},
		"/f":        {ID: "x", Text: "t", Fields: map[string]any{"f": math.Inf(1)}},
	}
	docs := []vecdb.Document{{ID: "good", Text: "good"}, {ID: "x", Text: " \n"}, {ID: "x", Text: "\xff"}, {ID: "x", Vector: make([]float32, 384)},
		{ID: "x", Text: "t", Fields: map[string]any{"g": deep}}, {ID: "x", Text: "t", Fields: map[string]any{"c": complex(1, 2)}}, {ID: "vector", Vector: good}}
	for _, d := range bad {
		docs = append(docs, d)
	}
	results := upsert(t, c, docs...)
	created := 0
	for i, r := range results {
		switch {
		case r.ID == "good" || r.ID == "vector":
			created++
			if r.Status != vecdb.StatusCreated {
				t.Errorf("%s: %+v", r.ID, r)
			}
		case r.Status != vecdb.StatusError || !errors.Is(r.Err, vecdb.ErrInvalid):
			t.Errorf("document %d (%.60q) gives %+v, want an error", i, docs[i].Text, r)
		}
	}
	for pointer, d := range bad {
		var in *vecdb.InputError
		if r := upsert(t, c, d)[0]; !errors.As(r.Err, &in) || !strings.HasPrefix(in.Pointer, pointer) || in.Detail == "" {
			t.Errorf("%s: the error is %v", pointer, r.Err)
		}
	}
	if created != 2 || c.Len() != 2 {
		t.Errorf("%d stored, want 2", c.Len())
	}
}

func TestDocumentsWithoutIDsAreStoredOnce(t *testing.T) {
	c := collection(t, open(t, "", vecdb.Options{InMemory: true}), "c", vecdb.CollectionOptions{})
	first := upsert(t, c, vecdb.Document{Text: "one"}, vecdb.Document{Text: "two"}, vecdb.Document{Text: "one", Fields: map[string]any{"n": int64(1)}})
	again := upsert(t, c, vecdb.Document{Text: "one"})
	if c.Len() != 3 || first[0].ID != again[0].ID || again[0].Status != vecdb.StatusUpdated {
		t.Errorf("%d documents, ids %s and %s", c.Len(), first[0].ID, again[0].ID)
	}
}

func TestDuplicateIDsInOneCallKeepTheLast(t *testing.T) {
	c := collection(t, open(t, "", vecdb.Options{InMemory: true}), "c", vecdb.CollectionOptions{})
	r := upsert(t, c, vecdb.Document{ID: "x", Text: "first"}, vecdb.Document{ID: "x", Text: "second"})
	doc, err := c.Get(t.Context(), "x")
	if r[0].Status != vecdb.StatusCreated || r[1].Status != vecdb.StatusUpdated || err != nil || doc.Text != "second" || c.Len() != 1 {
		t.Errorf("%+v, %v, %v", r, doc, err)
	}
}

func TestVectorsOnly(t *testing.T) {
	c := collection(t, open(t, "", vecdb.Options{InMemory: true}), "v", vecdb.CollectionOptions{Model: vecdb.NoModel, Dim: 2, Metric: "l2"})
	upsert(t, c, vecdb.Document{ID: "near", Vector: []float32{1, 1}}, vecdb.Document{ID: "far", Vector: []float32{9, 9}})
	if r := upsert(t, c, vecdb.Document{ID: "text", Text: "t"})[0]; !errors.Is(r.Err, vecdb.ErrInvalid) {
		t.Errorf("a text gives %+v", r)
	}
	found, err := c.Search(t.Context(), vecdb.Request{Vector: []float32{1, 2}})
	if err != nil || !slices.Equal(ids(found.Hits), []string{"near", "far"}) || found.Hits[0].Score != -1 {
		t.Errorf("%+v, %v", found, err)
	}
	if _, err := c.Search(t.Context(), vecdb.Request{Text: "t"}); !errors.Is(err, vecdb.ErrInvalid) {
		t.Errorf("searching by text gives %v", err)
	}
}

func TestAMissingModelIsTold(t *testing.T) {
	db, err := vecdb.Open("", vecdb.Options{InMemory: true, Home: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	c := collection(t, db, "c", vecdb.CollectionOptions{})
	_, err = c.Upsert(t.Context(), []vecdb.Document{{ID: "a", Text: "t"}}, vecdb.WaitDurable)
	if !errors.Is(err, vecdb.ErrNoModel) || !strings.Contains(err.Error(), "vecdb model pull all-MiniLM-L6-v2") {
		t.Errorf("a missing model gives %v", err)
	}
	if c.Len() != 0 {
		t.Errorf("%d documents were stored", c.Len())
	}
	for _, m := range db.Models() {
		if m.Ready {
			t.Errorf("%s is said to be ready", m.Name)
		}
	}
	if r := db.Runtime(); os.Getenv("VECDB_ONNXRUNTIME") == "" && r != "native ("+matrix.Kernels()+")" {
		t.Errorf("the runtime is said to be %s", r)
	}
}

func TestConcurrentUse(t *testing.T) {
	c := collection(t, open(t, t.TempDir(), vecdb.Options{}), "c", vecdb.CollectionOptions{})
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for i := range 25 {
				id := fmt.Sprintf("%d-%d", w, i)
				if _, err := c.Upsert(t.Context(), []vecdb.Document{{ID: id, Text: "text about number " + id}}, vecdb.WaitIndexed); err != nil {
					t.Error(err)
				}
				if found, err := c.Search(t.Context(), vecdb.Request{Text: "text about number " + id, Limit: 200}); err != nil || !slices.Contains(ids(found.Hits), id) {
					t.Errorf("%s is not found after it was indexed: %v", id, err)
				}
				if i%5 == 0 {
					if n, err := c.Delete(t.Context(), []string{id}, vecdb.WaitIndexed); n != 1 || err != nil {
						t.Errorf("deleted %d, %v", n, err)
					}
				}
			}
		})
	}
	wg.Wait()
	if c.Len() != 80 || c.Stats().Index.Vectors != 80 {
		t.Errorf("%d documents, %d vectors, want 80", c.Len(), c.Stats().Index.Vectors)
	}
}

// TestCollectionsComeAndGoAtOnce makes, fills, asks and drops collections of a few
// names in several goroutines, so that each is dropped under what others do with it.
func TestCollectionsComeAndGoAtOnce(t *testing.T) {
	dir := t.TempDir()
	db := open(t, dir, vecdb.Options{})
	gone := func(err error) bool { return err == nil || errors.Is(err, vecdb.ErrNotFound) }
	var wg sync.WaitGroup
	for w := range 6 {
		wg.Go(func() {
			for round := range 12 {
				name := fmt.Sprint("c", (w+round)%3)
				c, _, err := db.CreateCollection(t.Context(), name, vecdb.CollectionOptions{})
				if err != nil {
					t.Errorf("create %s: %v", name, err)
					return
				}
				wait := []vecdb.Wait{vecdb.WaitDurable, vecdb.WaitIndexed, vecdb.WaitTrained}[round%3]
				_, stored := c.Upsert(t.Context(), reviews(20*w, 20), wait)
				_, found := c.Search(t.Context(), vecdb.Request{Text: "dreadful music"})
				_, told := c.AddEvents(t.Context(), []vecdb.Event{{User: "u", Item: fmt.Sprint("r", 20*w), Action: "like"}}, wait)
				_, deleted := c.Delete(t.Context(), []string{fmt.Sprint("r", 20*w)}, vecdb.WaitIndexed)
				_ = c.Stats()
				if !gone(stored) || !gone(found) || !gone(told) || !gone(deleted) {
					t.Errorf("round %d with %s: %v, %v, %v, %v", round, name, stored, found, told, deleted)
				}
				if w%2 == 0 {
					if err := db.DropCollection(t.Context(), name); !gone(err) {
						t.Errorf("drop %s: %v", name, err)
					}
				}
			}
		})
	}
	wg.Wait()
	left := make(map[string]int)
	for _, c := range db.Collections() {
		left[c.Name()] = c.Len()
	}
	for range 2 {
		if err := db.Verify(t.Context(), func(p string) { t.Error(p) }); err != nil {
			t.Error(err)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		db = open(t, dir, vecdb.Options{})
		have := make(map[string]int)
		for _, c := range db.Collections() {
			have[c.Name()] = c.Len()
		}
		if !maps.Equal(have, left) {
			t.Errorf("after a start there are %v, before %v", have, left)
		}
	}
}

func TestClosed(t *testing.T) {
	db := open(t, t.TempDir(), vecdb.Options{})
	c := collection(t, db, "c", vecdb.CollectionOptions{})
	upsert(t, c, films...)
	for range 2 {
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
	_, upErr := c.Upsert(t.Context(), films, vecdb.WaitIndexed)
	_, seErr := c.Search(t.Context(), vecdb.Request{Text: "rice"})
	_, geErr := c.Get(t.Context(), "a")
	_, coErr := db.Collection("c")
	for name, err := range map[string]error{"upsert": upErr, "search": seErr, "get": geErr, "collection": coErr} {
		if !errors.Is(err, vecdb.ErrClosed) {
			t.Errorf("%s on a closed database gives %v", name, err)
		}
	}
}

// lockEnv makes the test binary a second process that opens a directory.
const lockEnv = "VECDB_TEST_OPEN"

func TestASecondProcessIsLockedOut(t *testing.T) {
	dir := t.TempDir()
	open(t, dir, vecdb.Options{})
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), lockEnv+"="+dir)
	out, err := cmd.CombinedOutput()
	if err != nil || strings.TrimSpace(string(out)) != "locked" {
		t.Errorf("a second process says %q, %v; want locked", out, err)
	}
}

func TestADirectoryThatIsNone(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := vecdb.Open(file, vecdb.Options{}); err == nil {
		t.Error("a file is opened as a database")
	}
	if _, err := vecdb.Open(filepath.Join(file, "below"), vecdb.Options{}); err == nil {
		t.Error("a directory below a file is opened")
	}
	if _, err := vecdb.Open(t.TempDir(), vecdb.Options{Index: "faiss"}); !errors.Is(err, vecdb.ErrInvalid) {
		t.Errorf("an unknown back end gives %v", err)
	}
}

func TestMain(m *testing.M) {
	if dir := os.Getenv(chooserEnv); dir != "" {
		choose(dir)
		return
	}
	if dir := os.Getenv(lockEnv); dir != "" {
		db, err := vecdb.Open(dir, vecdb.Options{})
		switch {
		case errors.Is(err, vecdb.ErrLocked):
			fmt.Println("locked")
		case err != nil:
			fmt.Println(err)
		default:
			fmt.Println("opened", db.Close())
		}
		return
	}
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/golang/glog.(*fileSink).flushDaemon"))
}
