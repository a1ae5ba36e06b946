package hub

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/vecdb/vecdb/embedder"
	"github.com/vecdb/vecdb/embedder/bundle"
	"github.com/vecdb/vecdb/internal/core"
)

// NativeFiles are the files from which vecdb's own runtime computes a model in
// one precision.
type NativeFiles struct {
	Weights   string // the ONNX file; it may be missing when Pack is there
	SHA256    string // of that file
	Pack      string // the packed model; it may be missing when Weights is there
	Tokenizer string // the path of tokenizer.json
	// Bundled tells that the files are not here, but the binary holds the model
	// (package bundle); the paths are then empty.
	Bundled bool
}

// Source returns the precision of the file that vecdb's own runtime packs a model
// from.
func (h *Hub) Source(name string) embedder.Precision {
	m, err := h.manifest.Model(name)
	if err != nil {
		return embedder.FP32
	}
	return m.Source()
}

// LocateNative returns the files from which vecdb's own runtime computes a model.
// The error matches core.ErrNoModel and names the command that fetches them.
func (h *Hub) LocateNative(name string, p embedder.Precision) (NativeFiles, error) {
	m, err := h.manifest.Model(name)
	if err != nil {
		return NativeFiles{}, err
	}
	source := m.Source()
	items := h.items(m, source)
	weights, tokens := items[0], items[1]
	n := NativeFiles{
		Weights: weights.path, SHA256: weights.file.SHA256, Tokenizer: tokens.path,
		Pack: filepath.Join(filepath.Dir(weights.path), "packed-"+string(p)+".bin"),
	}
	_, err = os.Stat(n.Pack)
	switch {
	case tokens.present() && (err == nil || weights.present()):
		return n, nil
	case p == embedder.Int8 && !m.Added && bundle.Has(m.Name):
		return NativeFiles{SHA256: n.SHA256, Bundled: true}, nil
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return NativeFiles{}, fmt.Errorf("look for the packed model: %w", err)
	}
	missing := weights.path
	if weights.present() {
		missing = tokens.path
	}
	return NativeFiles{}, fmt.Errorf("%w: there is no %s (run: vecdb model pull %s --precision %s)", core.ErrNoModel, missing, m.Name, p)
}
