package hub

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/vecdb/vecdb/embedder"
	"github.com/vecdb/vecdb/internal/core"
)

// addedFile names the models that the user brought, within the hub's folder.
const addedFile = "added.json"

// added is what is in that file.
type added struct {
	Models []embedder.Model `json:"models"`
}

// Manifest returns the manifest that vecdb was built with and the models that
// the user brought to home.
func Manifest(home string) (*embedder.Manifest, error) {
	m, err := embedder.DefaultManifest()
	if err != nil {
		return nil, err
	}
	a, err := readAdded(home)
	if err != nil {
		return nil, err
	}
	m, err = m.With(a.Models)
	if err != nil {
		return nil, fmt.Errorf("%s: %w (mend or remove it)", filepath.Join(home, addedFile), err)
	}
	return m, nil
}

func readAdded(home string) (a added, err error) {
	path := filepath.Join(home, addedFile)
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return a, nil
	}
	if err != nil {
		return a, fmt.Errorf("read the models that were added: %w", err)
	}
	if err := json.Unmarshal(data, &a); err != nil {
		return a, fmt.Errorf("%w: %s: %w (mend or remove it)", core.ErrCorrupt, path, err)
	}
	return a, nil
}

// Add copies the files of a model into home and writes it down. m lacks its
// Files. The error matches core.ErrExists when the name is taken. It is all or
// nothing, but for a folder that the next try replaces.
func Add(ctx context.Context, home string, m embedder.Model, weights map[embedder.Precision]string, tokenizer string) (embedder.Model, error) {
	if err := embedder.CheckName(m.Name); err != nil {
		return m, err
	}
	m.Files = make(map[string]embedder.File)
	err := changeAdded(home, func(a *added) error {
		manifest, err := Manifest(home)
		if err != nil {
			return err
		}
		if _, err := manifest.Model(m.Name); err == nil {
			return fmt.Errorf("model %s: %w (choose another with --name, or remove it first)", m.Name, core.ErrExists)
		}
		for _, it := range New(home, manifest).addedItems(m, weights, tokenizer) {
			f, err := copyIn(ctx, it.from, it.to)
			if err != nil {
				return err
			}
			m.Files[it.kind] = f
		}
		m.Added = true
		a.Models = append(a.Models, m)
		_, err = manifest.With([]embedder.Model{m})
		return err
	})
	return m, err
}

// copied is a file on its way into the hub.
type copied struct{ kind, from, to string }

func (h *Hub) addedItems(m embedder.Model, weights map[embedder.Precision]string, tokenizer string) []copied {
	out := []copied{{"tokenizer", tokenizer, h.files(m, embedder.FP32).Tokenizer}}
	for p, from := range weights {
		out = append(out, copied{string(p), from, h.files(m, p).Model})
	}
	return out
}

// Remove takes a model that was added out of home again, with its files.
func Remove(home, name string) error {
	return changeAdded(home, func(a *added) error {
		at := slices.IndexFunc(a.Models, func(m embedder.Model) bool { return strings.EqualFold(m.Name, name) })
		if at < 0 {
			return fmt.Errorf("added model %.80q: %w (vecdb model list marks those that were added)", name, core.ErrNotFound)
		}
		dir := filepath.Join(home, "models", a.Models[at].Name)
		a.Models = slices.Delete(a.Models, at, at+1)
		return os.RemoveAll(dir)
	})
}

// changeAdded changes the list under a lock and writes it whole.
func changeAdded(home string, change func(*added) error) error {
	if err := os.MkdirAll(filepath.Join(home, "models"), 0o755); err != nil {
		return fmt.Errorf("make the folder of models: %w (set %s to a folder that can be written)", err, EnvHome)
	}
	unlock, err := lockFile(filepath.Join(home, ".added.lock"))
	if err != nil {
		return err
	}
	defer unlock()
	a, err := readAdded(home)
	if err != nil {
		return err
	}
	if err := change(&a); err != nil {
		return err
	}
	data, err := json.MarshalIndent(a, "", "  ")
	if err != nil {
		return err
	}
	path := filepath.Join(home, addedFile)
	if err := write(path, func(w io.Writer) error { _, err := w.Write(append(data, '\n')); return err }); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

// copyIn copies a file to its place and returns its size and checksum.
func copyIn(ctx context.Context, from, to string) (f embedder.File, err error) {
	src, err := os.Open(from)
	if err != nil {
		return f, err
	}
	defer src.Close()
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return f, err
	}
	sum := sha256.New()
	err = write(to, func(w io.Writer) error {
		f.SizeBytes, err = io.Copy(io.MultiWriter(w, sum), contextReader{ctx, src})
		return err
	})
	f.SHA256 = hex.EncodeToString(sum.Sum(nil))
	if err != nil {
		return f, fmt.Errorf("copy %s: %w", from, err)
	}
	return f, nil
}

// contextReader stops when its context ends.
type contextReader struct {
	ctx context.Context
	r   io.Reader
}

func (c contextReader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}

// write puts a file in its place whole and durable.
func write(path string, fill func(io.Writer) error) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = f.Close()           // the file is thrown away
			_ = os.Remove(f.Name()) // and what is left does no harm
		}
	}()
	if err := fill(f); err != nil {
		return err
	}
	if err := errors.Join(f.Sync(), f.Chmod(0o644), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}
