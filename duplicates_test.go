package vecdb_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/vecdb/vecdb"
)

// outcome lists what became of documents: id, status, duplicate of.
func outcome(t *testing.T, c *vecdb.Collection, d *vecdb.Duplicates, docs ...vecdb.Document) string {
	t.Helper()
	results, err := c.UpsertWith(t.Context(), docs, vecdb.UpsertOptions{Duplicates: d, Wait: vecdb.WaitIndexed})
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, r := range results {
		if r.Err != nil {
			t.Errorf("%s: %v", r.ID, r.Err)
		}
		out = append(out, strings.TrimSpace(r.ID+" "+r.Status+" "+r.DuplicateOf))
	}
	return strings.Join(out, ", ")
}

func TestDuplicatesOfTexts(t *testing.T) {
	films := []vecdb.Document{{ID: "a", Text: "a father looks for his son"}, {ID: "b", Text: "a shark by the sea"}}
	again := []vecdb.Document{
		{ID: "a", Text: films[0].Text},                 // the document itself
		{ID: "c", Text: films[0].Text},                 // one that was stored
		{ID: "d", Text: "new"}, {ID: "e", Text: "new"}, // one of the same call
		{ID: "b", Text: "the shark has another text by now"},    // frees its old text
		{ID: "f", Text: films[1].Text}, {ID: "g", Text: " new"}, // so this is none
	}
	for policy, want := range map[string]string{
		"keep":    "a updated, c created, d created, e created, b updated, f created, g created",
		"skip":    "a updated, c skipped a, d created, e skipped d, b updated, f created, g created",
		"replace": "a updated, c created a, d created, e created d, b updated, f created, g created",
		"link":    "a updated, c created a, d created, e created d, b updated, f created, g created",
	} {
		t.Run(policy, func(t *testing.T) {
			db := open(t, t.TempDir(), vecdb.Options{})
			c := collection(t, db, "films", vecdb.CollectionOptions{})
			upsert(t, c, films...)
			if got := outcome(t, c, &vecdb.Duplicates{Policy: policy}, again...); got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
			if n, want := c.Len(), map[string]int{"keep": 7, "skip": 5, "replace": 5, "link": 7}[policy]; n != want {
				t.Errorf("%d documents, want %d", n, want)
			}
			_, err := c.Get(t.Context(), "a")
			if gone := errors.Is(err, vecdb.ErrNotFound); gone != (policy == "replace") {
				t.Errorf("the first: %v", err)
			}
			if policy == "link" {
				outcome(t, c, &vecdb.Duplicates{Policy: policy}, vecdb.Document{ID: "h", Text: films[0].Text})
				if h, err := c.Get(t.Context(), "h"); err != nil || h.Fields[vecdb.DuplicateField] != "a" {
					t.Errorf("the link is %v, %v", h, err)
				}
			}
		})
	}
}

func TestNearDuplicatesByThreshold(t *testing.T) {
	db := open(t, t.TempDir(), vecdb.Options{})
	c := collection(t, db, "v", vecdb.CollectionOptions{Model: vecdb.NoModel, Dim: 2, Duplicates: vecdb.Duplicates{Policy: "skip", Threshold: 0.99}})
	docs := []vecdb.Document{{ID: "x", Vector: []float32{1, 0}}, {ID: "near", Vector: []float32{2, 0.1}}, {ID: "y", Vector: []float32{0, 1}}}
	if got, want := outcome(t, c, nil, docs...), "x created, near skipped x, y created"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := outcome(t, c, nil, vecdb.Document{ID: "z", Vector: []float32{0.05, 1}}, vecdb.Document{ID: "y", Vector: []float32{0, 2}}), "z skipped y, y updated"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := outcome(t, c, &vecdb.Duplicates{Policy: "replace", Threshold: 0.99}, docs[1]), "near created x"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if _, err := c.Get(t.Context(), "x"); !errors.Is(err, vecdb.ErrNotFound) {
		t.Errorf("the replaced one: %v", err)
	}
	for _, d := range []vecdb.Duplicates{{Policy: "drop"}, {Policy: "skip", Threshold: 1.5}, {Threshold: 0.9}} {
		if _, err := c.UpsertWith(t.Context(), docs, vecdb.UpsertOptions{Duplicates: &d}); !errors.Is(err, vecdb.ErrInvalid) {
			t.Errorf("%+v gives %v", d, err)
		}
	}
	if _, _, err := db.CreateCollection(t.Context(), "l2", vecdb.CollectionOptions{Model: vecdb.NoModel, Dim: 2, Metric: "l2", Duplicates: vecdb.Duplicates{Policy: "skip", Threshold: 0.9}}); !errors.Is(err, vecdb.ErrInvalid) {
		t.Errorf("a threshold of the cosine for l2 gives %v", err)
	}
}

func TestOneOfManyAtOnceStays(t *testing.T) {
	dir := t.TempDir()
	db := open(t, dir, vecdb.Options{})
	c := collection(t, db, "films", vecdb.CollectionOptions{Duplicates: vecdb.Duplicates{Policy: "skip"}})
	var g errgroup.Group
	for w := range 4 {
		g.Go(func() error {
			var docs []vecdb.Document
			for i := range 30 {
				docs = append(docs, vecdb.Document{ID: fmt.Sprint(w, "-", i), Text: fmt.Sprint("text ", i)})
			}
			_, err := c.Upsert(t.Context(), docs, vecdb.WaitDurable)
			return err
		})
	}
	if err := g.Wait(); err != nil || c.Len() != 30 {
		t.Errorf("%d documents, %v; want 30", c.Len(), err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	db = open(t, dir, vecdb.Options{})
	again, err := db.Collection("films")
	if err != nil {
		t.Fatal(err)
	}
	results, err := again.Upsert(t.Context(), []vecdb.Document{{ID: "bad", Text: " "}, {ID: "good", Text: "text 1"}}, vecdb.WaitDurable)
	if err != nil || results[0].Status != vecdb.StatusError || results[1].Status != vecdb.StatusSkipped || results[1].DuplicateOf == "" {
		t.Errorf("beside a bad one: %+v, %v", results, err)
	}
	if got := outcome(t, again, nil, vecdb.Document{ID: "later", Text: "text 7"}); !strings.HasPrefix(got, "later skipped ") {
		t.Errorf("after a restart: %s", got)
	}
}
