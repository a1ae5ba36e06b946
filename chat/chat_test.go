package chat_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/vecdb/vecdb/chat"
	"github.com/vecdb/vecdb/internal/core"
	"github.com/vecdb/vecdb/query"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// endpoint answers as a chat endpoint does and keeps the last request.
func endpoint(t *testing.T, handle http.HandlerFunc) string {
	t.Helper()
	web := httptest.NewServer(handle)
	t.Cleanup(func() {
		http.DefaultClient.CloseIdleConnections()
		web.Close()
	})
	return web.URL + "/v1"
}

var said = []query.Message{{Role: "system", Content: "be brief"}, {Role: "user", Content: "why?"}}

func TestWriteSendsTheConversationAndReturnsTheText(t *testing.T) {
	var path, auth string
	var sent struct {
		Model    string          `json:"model"`
		Messages []query.Message `json:"messages"`
		Stream   bool            `json:"stream"`
	}
	url := endpoint(t, func(w http.ResponseWriter, r *http.Request) {
		path, auth = r.Method+" "+r.URL.Path, r.Header.Get("Authorization")
		body, _ := io.ReadAll(r.Body)
		if err := json.Unmarshal(body, &sent); err != nil {
			t.Error(err)
		}
		_, _ = io.WriteString(w, `{"id":"x","object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":" because \n"},"finish_reason":"stop"}],"usage":{}}`)
	})
	c, err := chat.New(chat.Options{URL: url + "/", Model: "m", Key: "secret"})
	if err != nil {
		t.Fatal(err)
	}
	text, err := c.Write(t.Context(), said)
	if err != nil || text != "because" || c.Model() != "m" {
		t.Errorf("%q, %v", text, err)
	}
	if path != "POST /v1/chat/completions" || auth != "Bearer secret" || sent.Model != "m" || len(sent.Messages) != 2 || sent.Messages[1] != said[1] || sent.Stream {
		t.Errorf("%s, %s, %+v", path, auth, sent)
	}
}

func TestWriteTellsWhatWentWrong(t *testing.T) {
	release := make(chan struct{})
	defer close(release)
	for name, x := range map[string]struct {
		handle http.HandlerFunc
		want   string
	}{
		"refused": {func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = io.WriteString(w, `{"error":{"message":"no such key","type":"auth"}}`)
		}, "401 Unauthorized: no such key"},
		"broken":     {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }, "502 Bad Gateway"},
		"no JSON":    {func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>") }, "not in OpenAI's form"},
		"no choices": {func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"choices":[]}`) }, "wrote nothing"},
		"blank": {func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, `{"choices":[{"message":{"content":" "}}]}`)
		}, "wrote nothing"},
		"elsewhere": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://127.0.0.1:1/", http.StatusFound)
		}, "302 Found"},
		"cut short": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, "{")
		}, "cannot be reached"},
		"slow": {func(_ http.ResponseWriter, r *http.Request) {
			select {
			case <-r.Context().Done():
			case <-release:
			}
		}, "did not answer within 200ms"},
	} {
		limit := time.Minute
		if name == "slow" {
			limit = 200 * time.Millisecond
		}
		c, err := chat.New(chat.Options{URL: endpoint(t, x.handle), Model: "m", Key: "secret", Timeout: limit})
		if err != nil {
			t.Fatal(err)
		}
		text, err := c.Write(t.Context(), said)
		if err == nil || text != "" || !strings.Contains(err.Error(), x.want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %q, %v", name, text, err)
		}
	}
	c, err := chat.New(chat.Options{URL: "http://127.0.0.1:1/v1", Model: "m"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Write(t.Context(), said); err == nil || !strings.Contains(err.Error(), "127.0.0.1:1 cannot be reached") {
		t.Errorf("nobody there: %v", err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Write(gone, said); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestNewRefuses(t *testing.T) {
	for _, o := range []chat.Options{{}, {URL: "localhost", Model: "m"}, {URL: "ftp://a/b", Model: "m"}, {URL: "http://", Model: "m"}, {URL: "http://a/v1"}, {URL: "http://a/v1", Model: "m", Timeout: -1}} {
		if _, err := chat.New(o); !errors.Is(err, core.ErrInvalid) {
			t.Errorf("%+v: %v", o, err)
		}
	}
}
