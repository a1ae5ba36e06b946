package server_test

import (
	"context"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/vecdb/vecdb"
	"github.com/vecdb/vecdb/client"
	"github.com/vecdb/vecdb/embedder"
	"github.com/vecdb/vecdb/embedder/hash"
	"github.com/vecdb/vecdb/query"
	"github.com/vecdb/vecdb/server"
)

// newShortRig is a server whose model reads few words of a text.
func newShortRig(t *testing.T) *rig {
	t.Helper()
	db, err := vecdb.Open("", vecdb.Options{InMemory: true, OpenModel: func(context.Context, string, string) (embedder.Embedder, error) {
		return hash.Limited(384, 16), nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(server.New(db, server.Options{}).Handler())
	t.Cleanup(func() {
		web.Close()
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return &rig{T: t, db: db, url: web.URL}
}

func TestLongDocumentsOverHTTP(t *testing.T) {
	r := newShortRig(t)
	const col = "/v1/collections/papers"
	if c := read[client.Collection](t, r.want(201, "PUT", col, `{}`)); c.Long != vecdb.LongChunk {
		t.Errorf("a new collection has the policy %q", c.Long)
	}
	long := strings.TrimSpace(strings.Repeat("Trains run on rails. ", 20) + "A baker bakes bread at night. " + strings.Repeat("Ships sail the sea. ", 20))
	add := func(query string) client.ItemResult {
		return read[client.AddResult](t, r.want(200, "POST", col+"/documents?wait=indexed"+query, `[{"id":"a","text":"`+long+`"},{"id":"b","text":"a short one"}]`)).Results[0]
	}
	if x := add("&long=error"); x.Error == nil || x.Error.Code != client.CodeTooLarge || x.Error.Pointer != "/text" {
		t.Errorf("error: %+v", x)
	}
	if x := add("&long=truncate"); x.Passages != 1 || x.TokensUsed != 16 || x.TokensTotal != 166 {
		t.Errorf("truncate: %+v", x)
	}
	if p := read[client.Passages](t, r.want(200, "GET", col+"/documents/a/passages", "")); p.TokensUsed != 16 || p.TokensTotal != 166 || len(p.Passages) != 1 {
		t.Errorf("passages of a truncated text: %+v", p)
	}
	x := add("")
	if x.Passages < 10 || x.TokensUsed != 166 || x.Status != client.StatusUpdated {
		t.Errorf("chunk: %+v", x)
	}
	p := read[client.Passages](t, r.want(200, "GET", col+"/documents/a/passages", ""))
	if len(p.Passages) != x.Passages || p.ID != "a" || p.TokensTotal != 166 || p.Passages[0].Start != 0 || p.Passages[len(p.Passages)-1].End != len(long) {
		t.Errorf("passages: %+v", p)
	}
	for _, part := range p.Passages {
		if part.Text != long[part.Start:part.End] || part.Tokens == 0 {
			t.Errorf("passage %+v", part)
		}
	}
	if p := read[client.Passages](t, r.want(200, "GET", col+"/documents/b/passages", "")); len(p.Passages) != 1 || p.TokensTotal != 3 || p.Passages[0].Text != "a short one" {
		t.Errorf("passages of a short text: %+v", p)
	}
	r.want(404, "GET", col+"/documents/c/passages", "")
	found := read[query.Response](t, r.want(200, "POST", col+"/search", `{"text":"a baker bakes bread","mode":"dense","fields":["id"]}`))
	if h := found.Hits[0]; h.ID != "a" || h.Passage == nil || !strings.Contains(h.Passage.Text, "A baker bakes bread") || h.Document.Text != "" || len(found.Hits) != 2 {
		t.Errorf("hits %+v", found.Hits)
	}
	if st := read[client.Stats](t, r.want(200, "GET", col+"/stats", "")); st.Documents != 2 || st.Passages != x.Passages+1 || st.Index.Vectors != st.Passages {
		t.Errorf("stats %+v", st)
	}
	if m := string(r.want(200, "GET", "/metrics", "").body); !strings.Contains(m, `vecdb_passages{collection="papers"}`) {
		t.Error("the metrics do not tell the passages")
	}
	r.want(400, "POST", col+"/documents?long=cut", `[]`)
	r.want(400, "PUT", "/v1/collections/other", `{"long":"cut"}`)
}
