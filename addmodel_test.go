//go:build cgo && !noort && !purego

package vecdb_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vecdb/vecdb"
	"github.com/vecdb/vecdb/embedder"
	"github.com/vecdb/vecdb/embedder/hub"
	"github.com/vecdb/vecdb/internal/core"
)

// ownModel lays the files of a model of the cache out as a folder of a user's
// own, and returns it with an empty folder of models that has a runtime.
func ownModel(t *testing.T) (dir, home string) {
	t.Helper()
	manifest, err := embedder.DefaultManifest()
	if err != nil {
		t.Fatal(err)
	}
	h := hub.New(hub.DefaultHome(), manifest)
	files, err := h.Locate("all-MiniLM-L6-v2", embedder.Int8)
	if err == nil {
		var library string
		library, err = h.LocateRuntime()
		t.Setenv(hub.EnvRuntime, library)
	}
	if err != nil {
		if os.Getenv("VECDB_REQUIRE_MODELS") != "" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	dir = filepath.Join(t.TempDir(), "own")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for to, from := range map[string]string{"model_quantized.onnx": files.Model, "tokenizer.json": files.Tokenizer} {
		if err := os.Symlink(from, filepath.Join(dir, to)); err != nil {
			t.Fatal(err)
		}
	}
	put(t, dir, "config.json", `{"model_type":"bert","hidden_size":384,"num_hidden_layers":6,"max_position_embeddings":512}`)
	put(t, dir, "config_sentence_transformers.json", `{"prompts":{"query":"find: "}}`)
	return dir, t.TempDir()
}

func put(t *testing.T, dir, name, content string) {
	t.Helper()
	path := filepath.Join(dir, name)
	_ = os.Remove(path) // it may be a link to the cache, or missing
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestAddedModelsEmbedAndSearch(t *testing.T) {
	dir, home := ownModel(t)
	m, notes, err := vecdb.AddModel(t.Context(), vecdb.NewModel{Source: dir, Home: home})
	if err != nil {
		t.Fatal(err)
	}
	if m.Name != "own" || m.Language != "en" || m.Dim != 384 || m.MaxTokens != 512 || m.QueryPrefix != "find: " || !m.Added || len(notes) == 0 {
		t.Errorf("the model is %+v, with notes %q", m, notes)
	}
	if err := os.RemoveAll(dir); err != nil { // the copy is enough
		t.Fatal(err)
	}
	db, err := vecdb.Open(t.TempDir(), vecdb.Options{Home: home, Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	r, name, err := db.Embed(t.Context(), "own", "", embedder.Passage, []string{"a father looks for his son", "a man searches for his boy", "shares fell"})
	if err != nil || name != "own" {
		t.Fatalf("%q: %v", name, err)
	}
	if near, far := dot(r.Vectors[0], r.Vectors[1]), dot(r.Vectors[0], r.Vectors[2]); near <= far {
		t.Errorf("cosines %v and %v", near, far)
	}
	if _, _, err := vecdb.AddModel(t.Context(), vecdb.NewModel{Source: dir, Name: "own", Home: home}); err == nil {
		t.Error("a folder that is gone is added")
	}
	if err := vecdb.RemoveModel(home, "own"); err != nil {
		t.Error(err)
	}
}

func dot(a, b []float32) (sum float64) {
	for i := range a {
		sum += float64(a[i]) * float64(b[i])
	}
	return sum
}

func TestModelsThatCannotWorkAreNotAdded(t *testing.T) {
	dir, home := ownModel(t)
	model, err := os.ReadFile(filepath.Join(dir, "model_quantized.onnx"))
	if err != nil {
		t.Fatal(err)
	}
	tokenizer, err := os.ReadFile(filepath.Join(dir, "tokenizer.json"))
	if err != nil {
		t.Fatal(err)
	}
	config := `{"hidden_size":384}`
	for _, tc := range []struct {
		name, file, content string
		is                  error
	}{
		{"cut short", "model_quantized.onnx", string(model[:len(model)/2]), core.ErrCorrupt},
		{"no model", "model_quantized.onnx", strings.Repeat("<html>", 1000), core.ErrCorrupt},
		{"another dimension", "config.json", `{"hidden_size":768}`, core.ErrDimension},
		{"no tokenizer", "tokenizer.json", "{}", nil},
		{"another's tokenizer", "tokenizer.json", strings.ReplaceAll(string(tokenizer), `"rice": `, `"rice": 9`), nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			put(t, dir, "model_quantized.onnx", string(model))
			put(t, dir, "tokenizer.json", string(tokenizer))
			put(t, dir, "config.json", config)
			put(t, dir, tc.file, tc.content)
			_, _, err := vecdb.AddModel(t.Context(), vecdb.NewModel{Source: dir, Home: home})
			if err == nil || tc.is != nil && !errors.Is(err, tc.is) {
				t.Errorf("got %v, want %v", err, tc.is)
			}
			if _, err := os.Stat(filepath.Join(home, "models", "own")); !os.IsNotExist(err) {
				t.Errorf("something was copied: %v", err)
			}
		})
	}
	put(t, dir, "tokenizer.json", string(tokenizer))
	for _, bad := range []vecdb.NewModel{{Source: dir, Name: "../x"}, {Source: dir, Language: "fr"}, {Source: filepath.Join(dir, "none")}} {
		bad.Home = home
		if _, _, err := vecdb.AddModel(t.Context(), bad); !errors.Is(err, vecdb.ErrInvalid) {
			t.Errorf("%+v gives %v, want ErrInvalid", bad, err)
		}
	}
}
