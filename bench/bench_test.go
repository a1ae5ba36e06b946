package bench_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/vecdb/vecdb"
	"github.com/vecdb/vecdb/bench"
	"github.com/vecdb/vecdb/embedder"
	"github.com/vecdb/vecdb/embedder/hash"
)

func collection(t *testing.T, n int) *vecdb.Collection {
	t.Helper()
	db, err := vecdb.Open("", vecdb.Options{InMemory: true, OpenModel: func(context.Context, string, string) (embedder.Embedder, error) {
		return hash.New(384), nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	c, _, err := db.CreateCollection(t.Context(), "c", vecdb.CollectionOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var docs []vecdb.Document
	for i := range n {
		docs = append(docs, vecdb.Document{ID: fmt.Sprint(i), Text: fmt.Sprintf("word%d word%d word%d", i%7, i%31, i)})
	}
	if _, err := c.Upsert(t.Context(), docs, vecdb.WaitIndexed); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestRun(t *testing.T) {
	var told []string
	r, err := bench.Run(t.Context(), collection(t, 600), bench.Config{Threads: []int{2}, Repeat: 1, Seconds: 0.001, Progress: func(s string) { told = append(told, s) }})
	if err != nil {
		t.Fatal(err)
	}
	if r.Queries != 120 || r.Vectors != 480 || r.Dim != 384 || len(r.Stages) != 5 {
		t.Errorf("the report counts %d queries, %d vectors, %d dimensions, %d stages", r.Queries, r.Vectors, r.Dim, len(r.Stages))
	}
	coder := 0
	for _, p := range r.Points {
		switch p.Index {
		case "flat":
			if p.Recall != 1 {
				t.Errorf("exact search has recall %v", p.Recall)
			}
		case "coder":
			coder++
			if p.Recall < 0 || p.Recall > 1 {
				t.Errorf("coder has recall %v", p.Recall)
			}
		}
		if p.QPS <= 0 || p.P50 <= 0 || p.P95 < p.P50 || p.P99 < p.P95 || p.BytesPerVector < 4*384 || p.Threads != 2 {
			t.Errorf("implausible point %+v", p)
		}
	}
	if coder < 2 || len(told) < 4 {
		t.Errorf("%d points of coder, %d messages", coder, len(told))
	}
	var page bytes.Buffer
	if err := r.WriteHTML(&page); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"<svg", "recall@10", "coder", "ef=64", "tokenize", "</html>"} {
		if !strings.Contains(page.String(), want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if strings.Contains(page.String(), "src=\"http") || strings.Contains(page.String(), "href=\"http") {
		t.Error("the page fetches something")
	}
}

func TestGivenQueries(t *testing.T) {
	r, err := bench.Run(t.Context(), collection(t, 200), bench.Config{Indexes: []string{"flat"}, Texts: []string{"word1 word2", "word3"}, Seconds: 0.001})
	if err != nil || r.Queries != 2 || r.Vectors != 200 || len(r.Points) != 1 {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestWhatCannotBeMeasured(t *testing.T) {
	if _, err := bench.Run(t.Context(), collection(t, 20), bench.Config{}); !errors.Is(err, vecdb.ErrInvalid) {
		t.Errorf("20 documents give %v", err)
	}
	if _, err := bench.Run(t.Context(), collection(t, 200), bench.Config{Indexes: []string{"faiss"}}); !errors.Is(err, vecdb.ErrInvalid) {
		t.Errorf("an unknown index gives %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := bench.Run(ctx, collection(t, 200), bench.Config{}); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled context gives %v", err)
	}
}
