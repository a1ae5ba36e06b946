package hub_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/vecdb/vecdb/embedder"
	"github.com/vecdb/vecdb/embedder/hub"
	"github.com/vecdb/vecdb/internal/core"
)

// brought is a model that a user brings, with its files in dir.
func brought(t *testing.T, name string) (m embedder.Model, weights map[embedder.Precision]string, tokenizer string) {
	t.Helper()
	dir := t.TempDir()
	for _, file := range []string{"model.onnx", "tokenizer.json"} {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(file), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	m = embedder.Model{Name: name, Language: "en", Dim: 8, MaxTokens: 64, Pooling: embedder.PoolMax, Licence: "unknown"}
	return m, map[embedder.Precision]string{embedder.FP32: filepath.Join(dir, "model.onnx")}, filepath.Join(dir, "tokenizer.json")
}

func TestAddedModelsAreFoundAndRemoved(t *testing.T) {
	home := t.TempDir()
	m, weights, tokenizer := brought(t, "mine")
	if _, err := hub.Add(t.Context(), home, m, weights, tokenizer); err != nil {
		t.Fatal(err)
	}
	manifest, err := hub.Manifest(home)
	if err != nil {
		t.Fatal(err)
	}
	h := hub.New(home, manifest)
	if _, err := h.Locate("MINE", embedder.FP32); err != nil {
		t.Errorf("the added model is not found: %v", err)
	}
	if err := h.Verify("mine", embedder.FP32); err != nil {
		t.Errorf("the copy is not verified: %v", err)
	}
	if first, err := manifest.ForLanguage("en"); err != nil || first.Name == "mine" {
		t.Errorf("the default became %q, %v", first.Name, err)
	}
	for _, name := range []string{"mine", "Mine", "all-minilm-l6-v2"} {
		m.Name = name
		if _, err := hub.Add(t.Context(), home, m, weights, tokenizer); !errors.Is(err, core.ErrExists) {
			t.Errorf("%s added again gives %v", name, err)
		}
	}
	if err := hub.Remove(home, "all-MiniLM-L6-v2"); !errors.Is(err, core.ErrNotFound) {
		t.Errorf("removing a model of vecdb's own gives %v", err)
	}
	if err := hub.Remove(home, "mine"); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(home, "models", "mine")); !os.IsNotExist(err) {
		t.Errorf("the files are still there: %v", err)
	}
	if err := hub.Remove(home, "mine"); !errors.Is(err, core.ErrNotFound) {
		t.Errorf("removing it twice gives %v", err)
	}
}

func TestBadAdditionsLeaveNothing(t *testing.T) {
	home := t.TempDir()
	good, weights, tokenizer := brought(t, "good")
	outside, ended := good, good
	outside.Name = "../outside"
	ended.Name = "ended"
	over, cancel := context.WithCancel(t.Context())
	cancel()
	for _, tc := range []struct {
		ctx   context.Context
		m     embedder.Model
		token string
	}{{t.Context(), outside, tokenizer}, {t.Context(), good, filepath.Join(home, "missing")}, {over, ended, tokenizer}} {
		if _, err := hub.Add(tc.ctx, home, tc.m, weights, tc.token); err == nil {
			t.Errorf("%s with %s is added", tc.m.Name, tc.token)
		}
	}
	if _, err := os.Stat(filepath.Join(home, "outside")); !os.IsNotExist(err) {
		t.Errorf("a file was written outside the folder of models: %v", err)
	}
	if _, err := hub.Add(t.Context(), home, good, weights, tokenizer); err != nil {
		t.Errorf("afterwards the good one gives %v", err)
	}
	path := filepath.Join(home, "added.json")
	if err := os.WriteFile(path, []byte(`{"models":[{"name":"x"`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := hub.Manifest(home); !errors.Is(err, core.ErrCorrupt) || !strings.Contains(err.Error(), path) {
		t.Errorf("a damaged list gives %v", err)
	}
}

func TestModelsAreAddedAtOnce(t *testing.T) {
	home := t.TempDir()
	var wg sync.WaitGroup
	for i := range 8 {
		m, weights, tokenizer := brought(t, fmt.Sprint("model", i))
		wg.Go(func() {
			if _, err := hub.Add(t.Context(), home, m, weights, tokenizer); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	manifest, err := hub.Manifest(home)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 8 {
		if _, err := manifest.Model(fmt.Sprint("model", i)); err != nil {
			t.Error(err)
		}
	}
}

func TestPublicModelsAreFetched(t *testing.T) {
	files := map[string]string{"tokenizer.json": "{}", "config.json": "{}", "model.onnx": "weights", "onnx/model_int8.onnx": "small"}
	asked := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		name, ours := strings.CutPrefix(r.URL.Path, "/owner/name/resolve/main/")
		content, there := files[name]
		if !ours || !there {
			http.NotFound(w, r)
			return
		}
		fmt.Fprint(w, content)
	}))
	defer server.Close()
	t.Setenv(hub.EnvEndpoint, server.URL)
	home := t.TempDir()
	for range 2 {
		dir, err := hub.FetchRepository(t.Context(), home, "owner/name", []string{"config.json", "modules.json"}, nil)
		if err != nil {
			t.Fatal(err)
		}
		for name, content := range files {
			if got, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(got) != content {
				t.Errorf("%s holds %q, %v", name, got, err)
			}
		}
	}
	if _, err := hub.FetchRepository(t.Context(), home, "owner/other", nil, nil); !errors.Is(err, core.ErrNoModel) || !strings.Contains(err.Error(), "tokenizer.json") {
		t.Errorf("a model that is not there gives %v", err)
	}
	before := asked
	t.Setenv(hub.EnvOffline, "1")
	if _, err := hub.FetchRepository(t.Context(), home, "owner/name", nil, nil); !errors.Is(err, core.ErrNoModel) || asked != before {
		t.Errorf("offline gives %v after %d requests", err, asked-before)
	}
	for name, want := range map[string]bool{"owner/name": true, "a.b/c_d-1": true, "name": false, "../name": false, "a/..": false, "a/b/c": false, "/a": false, "": false} {
		if hub.IsRepository(name) != want {
			t.Errorf("%q is the name of a public model: %v", name, !want)
		}
	}
}
