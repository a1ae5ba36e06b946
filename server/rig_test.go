package server_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/vecdb/vecdb"
	"github.com/vecdb/vecdb/embedder"
	"github.com/vecdb/vecdb/embedder/hash"
	"github.com/vecdb/vecdb/server"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// rig is a server on a real port, over a database in memory whose embedder
// needs no files.
type rig struct {
	*testing.T
	db  *vecdb.DB
	url string
	key string
}

func newRig(t *testing.T, o server.Options) *rig {
	t.Helper()
	db, err := vecdb.Open("", vecdb.Options{InMemory: true, OpenModel: func(context.Context, string, string) (embedder.Embedder, error) {
		return hash.New(384), nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	return serve(t, db, o)
}

// newRealRig is newRig with the default models, whose files are on this machine,
// or skips the test.
func newRealRig(t *testing.T, o server.Options) *rig {
	t.Helper()
	db, err := vecdb.Open("", vecdb.Options{InMemory: true, Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	ready := make(map[string]bool)
	for _, m := range db.Models() {
		ready[m.Name] = m.Ready
	}
	if !ready["all-MiniLM-L6-v2"] || !ready["bge-small-zh-v1.5"] {
		if err := db.Close(); err != nil || os.Getenv("VECDB_REQUIRE_MODELS") != "" {
			t.Fatal("a default model is missing", err)
		}
		t.Skip("a default model is missing")
	}
	return serve(t, db, o)
}

// serve serves a database until the test ends, then closes both.
func serve(t *testing.T, db *vecdb.DB, o server.Options) *rig {
	t.Helper()
	srv := server.New(db, o)
	web := httptest.NewServer(srv.Handler())
	t.Cleanup(func() {
		http.DefaultClient.CloseIdleConnections()
		web.Close()
		srv.Close()
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return &rig{T: t, db: db, url: web.URL}
}

// reply is an answer with its body read.
type reply struct {
	*http.Response
	body []byte
}

// do sends a request. Headers are pairs of name and value; without a
// Content-Type a body is sent as JSON.
func (r *rig) do(method, path, body string, headers ...string) reply {
	r.Helper()
	req, err := http.NewRequestWithContext(r.Context(), method, r.url+path, strings.NewReader(body))
	if err != nil {
		r.Fatal(err)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	if r.key != "" {
		req.Header.Set("Authorization", "Bearer "+r.key)
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
		if headers[i] == "Host" {
			req.Host = headers[i+1]
		}
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		r.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		r.Fatalf("%s %s: %v", method, path, err)
	}
	return reply{resp, data}
}

// want sends a request and fails the test unless it gets the status.
func (r *rig) want(status int, method, path, body string, headers ...string) reply {
	r.Helper()
	got := r.do(method, path, body, headers...)
	if got.StatusCode != status {
		r.Fatalf("%s %s: status %d, want %d\n%s", method, path, got.StatusCode, status, got.body)
	}
	return got
}

// read decodes a body strictly, so that no member goes unnoticed.
func read[T any](t testing.TB, got reply) (v T) {
	t.Helper()
	dec := json.NewDecoder(bytes.NewReader(got.body))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&v); err != nil {
		t.Fatalf("%v in %s", err, got.body)
	}
	return v
}

const films = `[
	{"id":"a","text":"a sad film about a father and his son","label":"drama","year":1999},
	{"id":"b","text":"a father cooks rice for his son","label":"food","year":2004},
	{"id":"c","text":"how to cook rice and beans","label":"food"},
	{"id":"d/1 ü","text":"football match ends in a draw","label":"sport","year":2004}]`

// stocked returns a rig with the films in the collection "films".
func stocked(t *testing.T, o server.Options) *rig {
	t.Helper()
	r := newRig(t, o)
	r.want(http.StatusCreated, "PUT", "/v1/collections/films", `{"fields":{"year":"integer"}}`)
	r.want(http.StatusOK, "POST", "/v1/collections/films/documents?wait=indexed", films)
	return r
}
