package client_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/vecdb/vecdb"
	"github.com/vecdb/vecdb/client"
	"github.com/vecdb/vecdb/embedder"
	"github.com/vecdb/vecdb/embedder/hash"
	"github.com/vecdb/vecdb/internal/core"
	"github.com/vecdb/vecdb/query"
	"github.com/vecdb/vecdb/server"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// dial returns a client of a real server over a database in memory.
func dial(t *testing.T, key string, o server.Options) *client.Client {
	t.Helper()
	db, err := vecdb.Open("", vecdb.Options{InMemory: true, OpenModel: func(context.Context, string, string) (embedder.Embedder, error) {
		return hash.New(384), nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(server.New(db, o).Handler())
	t.Cleanup(func() {
		http.DefaultClient.CloseIdleConnections()
		web.Close()
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	c, err := client.New(web.URL+"/", client.Options{Key: key})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// must returns v, or fails the test with err.
func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

var films = []core.Document{
	{ID: "a/1", Text: "a sad film about a father and his son", Fields: map[string]any{"label": "drama", "year": int64(1999)}},
	{ID: "b", Text: "how to cook rice and beans", Fields: map[string]any{"label": "food"}},
	{ID: "c", Text: "rice for a father and his son", Fields: map[string]any{"label": "food", "year": int64(2004)}},
}

func TestEveryCall(t *testing.T) {
	c, ctx := dial(t, "k", server.Options{Keys: []string{"k"}}), t.Context()
	if _, created, err := c.CreateCollection(ctx, "films", client.CreateCollection{}); err != nil || !created {
		t.Fatalf("created %v, %v", created, err)
	}
	if got := must(c.Collection(ctx, "films"))(t); got.Dimension != 384 {
		t.Errorf("collection %+v", got)
	}
	if got := must(c.Collections(ctx))(t); len(got) != 1 {
		t.Errorf("collections %+v", got)
	}
	if got := must(c.Add(ctx, "films", films, "indexed"))(t); got.Accepted != 3 {
		t.Errorf("added %+v", got)
	}
	if got := must(c.Get(ctx, "films", "a/1"))(t); got.Text != films[0].Text || got.Fields["year"] != int64(1999) || len(got.Vector) != 384 {
		t.Errorf("got %+v", got)
	}
	page := must(c.List(ctx, "films", "", 2))(t)
	rest := must(c.List(ctx, "films", page.Cursor, 2))(t)
	if len(page.Documents) != 2 || len(rest.Documents) != 1 || rest.Documents[0].ID != "c" {
		t.Errorf("pages %+v, %+v", page, rest)
	}
	if got := must(c.Search(ctx, "films", query.Request{Text: "cook rice", Limit: 1}))(t); got.Hits[0].ID != "b" {
		t.Errorf("search %+v", got)
	}
	if got := must(c.Recommend(ctx, "films", query.Request{Like: []query.Example{{ID: "b"}}, Limit: 1}))(t); got.Hits[0].ID != "c" {
		t.Errorf("recommend %+v", got)
	}
	if got := must(c.Classify(ctx, "films", query.ClassifyRequest{Texts: []string{"beans"}}))(t); *got.Results[0].Label != "food" {
		t.Errorf("classify %+v", got)
	}
	if got := must(c.Stats(ctx, "films"))(t); got.Documents != 3 {
		t.Errorf("stats %+v", got)
	}
	if got := must(c.Embeddings(ctx, client.EmbeddingRequest{Input: []byte(`"rice"`)}))(t); len(got.Data) != 1 {
		t.Errorf("embeddings %+v", got)
	}
	if got := must(c.Models(ctx))(t); len(got) < 2 {
		t.Errorf("models %+v", got)
	}
	if got := must(c.Version(ctx))(t); got.Version != vecdb.Version {
		t.Errorf("version %+v", got)
	}
	if n := must(c.Delete(ctx, "films", []string{"b", "nobody"}))(t); n != 1 {
		t.Errorf("deleted %d", n)
	}
	if n := must(c.DeleteWhere(ctx, "films", &query.Filter{Field: "year", Gte: int64(2000)}))(t); n != 1 {
		t.Errorf("deleted %d by filter", n)
	}
	if err := c.DropCollection(ctx, "films"); err != nil {
		t.Error(err)
	}
}

func TestAddStream(t *testing.T) {
	c, ctx := dial(t, "", server.Options{}), t.Context()
	if _, _, err := c.CreateCollection(ctx, "films", client.CreateCollection{}); err != nil {
		t.Fatal(err)
	}
	var told []string
	err := c.AddStream(ctx, "films", strings.NewReader(`{"id":"a","text":"one"}`+"\nbroken\n"), "", func(r client.ItemResult) error {
		told = append(told, r.Status)
		return nil
	})
	if err != nil || !slices.Equal(told, []string{client.StatusCreated, client.StatusError}) {
		t.Errorf("told %v, %v", told, err)
	}
	enough := errors.New("enough")
	if err := c.AddStream(ctx, "films", strings.NewReader(`{"text":"one"}`), "", func(client.ItemResult) error { return enough }); !errors.Is(err, enough) {
		t.Errorf("the caller's error became %v", err)
	}
}

func TestErrorsMatchTheSentinels(t *testing.T) {
	c, ctx := dial(t, "", server.Options{}), t.Context()
	if _, _, err := c.CreateCollection(ctx, "films", client.CreateCollection{}); err != nil {
		t.Fatal(err)
	}
	_, _, exists := c.CreateCollection(ctx, "films", client.CreateCollection{Language: "zh"})
	_, noCollection := c.Stats(ctx, "nobody")
	_, noDocument := c.Get(ctx, "films", "nobody")
	_, noText := c.Search(ctx, "films", query.Request{})
	_, dimension := c.Search(ctx, "films", query.Request{Vector: []float32{1}})
	for want, got := range map[error]error{core.ErrExists: exists, core.ErrInvalid: noText, core.ErrDimension: dimension} {
		if !errors.Is(got, want) {
			t.Errorf("%v does not match %v", got, want)
		}
	}
	for _, err := range []error{noCollection, noDocument} {
		if !errors.Is(err, core.ErrNotFound) || errors.Is(err, core.ErrInvalid) {
			t.Errorf("%v is not only ErrNotFound", err)
		}
	}
	var e *client.Error
	if !errors.As(dimension, &e) || e.Problem.Code != client.CodeDimension || !strings.Contains(dimension.Error(), "384") {
		t.Errorf("error %v", dimension)
	}
}

func TestNoServerAndNoAddress(t *testing.T) {
	web := httptest.NewServer(http.NotFoundHandler())
	c := must(client.New(web.URL, client.Options{}))(t)
	if _, err := c.Version(t.Context()); err == nil || !strings.Contains(err.Error(), "404 page not found") {
		t.Errorf("of a server that is none of ours: %v", err)
	}
	http.DefaultClient.CloseIdleConnections()
	web.Close()
	if _, err := c.Version(t.Context()); err == nil || !strings.Contains(err.Error(), "vecdb serve") {
		t.Errorf("without a server: %v", err)
	}
	for _, base := range []string{"", "nonsense", "ftp://host", "http://", "http://a b"} {
		if _, err := client.New(base, client.Options{}); !errors.Is(err, core.ErrInvalid) {
			t.Errorf("address %q: %v", base, err)
		}
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Version(gone); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}
