package server_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/vecdb/vecdb"
	"github.com/vecdb/vecdb/client"
	"github.com/vecdb/vecdb/embedder"
	"github.com/vecdb/vecdb/server"
)

// byWords makes each word a token.
type byWords struct{}

func (byWords) Encode(dst []int32, text string, limit int) ([]int32, int, error) {
	words := strings.Fields(text)
	for range min(len(words)+2, limit) {
		dst = append(dst, 1)
	}
	return dst, len(words) + 2, nil
}

// allAlike gives each token the same state.
type allAlike struct{}

func (allAlike) Run(b embedder.Batch) (embedder.Hidden, error) {
	h := embedder.Hidden{Data: make([]float32, 384*len(b.IDs)), Dim: 384}
	for i := range h.Data {
		h.Data[i] = 1
	}
	at := 0
	for _, n := range b.Lengths {
		h.Offsets = append(h.Offsets, at)
		at += n
	}
	return h, nil
}

func (allAlike) Close() error { return nil }

func TestModelsAreToldOf(t *testing.T) {
	db, err := vecdb.Open("", vecdb.Options{InMemory: true, OpenModel: func(context.Context, string, string) (embedder.Embedder, error) {
		e, err := embedder.NewEncoder(embedder.EncoderConfig{Tokenizer: byWords{}, Runtimes: []embedder.Runtime{allAlike{}}, Queries: allAlike{}, Dim: 384, MaxTokens: 16, Pooling: embedder.PoolMean})
		if err != nil {
			return nil, err
		}
		e.By = "alike"
		return e, nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	web := server.New(db, server.Options{}).Handler()
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	r := &rig{T: t, db: db}
	post := httptest.NewRequest(http.MethodPost, "http://localhost/v1/embeddings", strings.NewReader(`{"input":["two words","`+strings.Repeat("word ", 20)+`","two words"],"input_type":"query"}`))
	post.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	web.ServeHTTP(w, post)
	if w.Code != http.StatusOK {
		t.Fatal(w.Body.String())
	}
	got := read[client.EmbeddingResponse](r.T, reply{Response: w.Result(), body: w.Body.Bytes()})
	if !slices.Equal(got.Truncated, []int{1}) || got.Usage.PromptTokens != 4+16+4 {
		t.Errorf("truncated are %v, of %d tokens", got.Truncated, got.Usage.PromptTokens)
	}
	w = httptest.NewRecorder()
	web.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "http://localhost/metrics", nil))
	of := `{model="all-MiniLM-L6-v2",precision="int8"`
	for _, want := range []string{
		"vecdb_model_info" + of + `,runtime="alike"} 1`,
		"vecdb_embedded_texts_total" + of + "} 2", // equal texts are embedded once
		"vecdb_embedded_tokens_total" + of + "} 20",
		"vecdb_embed_queue{lane=\"queries\",model=\"all-MiniLM-L6-v2\",precision=\"int8\"} 0",
		"vecdb_embed_wait_seconds_count{lane=\"queries\",model=\"all-MiniLM-L6-v2\",precision=\"int8\"} 2",
		"vecdb_embed_wait_seconds_count{lane=\"passages\",model=\"all-MiniLM-L6-v2\",precision=\"int8\"} 0",
		"vecdb_embed_batch_fill" + of + "}",
	} {
		if !strings.Contains(w.Body.String(), "\n"+want) {
			t.Errorf("the metrics have no %s", want)
		}
	}
	if t.Failed() {
		for line := range strings.Lines(w.Body.String()) {
			if strings.Contains(line, "embed") || strings.Contains(line, "model") {
				t.Log(strings.TrimSpace(line))
			}
		}
	}
}
