package native

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync/atomic"

	"github.com/vecdb/vecdb/embedder"
	"github.com/vecdb/vecdb/internal/core"
)

// Files are the files of a model.
type Files struct {
	// Weights is the ONNX file.
	Weights string
	// SHA256 of that file, hexadecimal. "" takes any, and then the file is read
	// whole to see whether Pack was made of it.
	SHA256 string
	// Pack is where the packed model is kept: it is made there when it is not
	// there, is damaged or belongs to another file. "" keeps it in memory.
	Pack string
	// Data is a packed model, used instead of all files when it is not nil. It
	// must not change. With SHA256 it is taken only if it was made of that file.
	Data []byte
}

// Options of a model.
type Options struct {
	// Precision is embedder.Int8 or embedder.BF16.
	Precision embedder.Precision
	// Dim is how many numbers the model's vectors must have; 0 takes what the file
	// says.
	Dim int
	// Pooling tells what becomes of the hidden states. With embedder.PoolCLS
	// those of all tokens but the first are left out, and Hidden has one vector a
	// text.
	Pooling embedder.Pooling
}

// maxWeights bounds the size of an ONNX file; theirs is 2 GiB.
const maxWeights = 2 << 30

// shared is an open model, which all its sessions use.
type shared struct {
	model *model
	unmap func() error
	users atomic.Int32
}

// release frees the model when its last session is closed.
func (s *shared) release() error {
	if s.users.Add(-1) > 0 {
		return nil
	}
	return s.unmap()
}

// Open opens a model for n sessions, each for one goroutine at a time. The error
// matches ErrArchitecture when the model is not one that this package can
// compute, core.ErrNoModel when there is no file, core.ErrCorrupt when it is
// damaged and core.ErrDimension when its vectors are of another length.
func Open(f Files, o Options, n int) ([]embedder.Runtime, error) {
	if (header{Precision: o.Precision}).kind() == 0 {
		return nil, unknown("it computes int8 and bf16, not %.20q", o.Precision)
	}
	s, err := open(f, o.Precision)
	if err != nil {
		return nil, err
	}
	if m := s.model; o.Dim > 0 && m.Hidden != o.Dim {
		err := fmt.Errorf("%w: the vectors of model file %s have %d numbers, not %d", core.ErrDimension, f.Weights, m.Hidden, o.Dim)
		return nil, errors.Join(err, s.unmap())
	}
	s.users.Store(int32(n))
	sessions := make([]embedder.Runtime, n)
	for i := range sessions {
		sessions[i] = &session{shared: s, m: s.model, firstOnly: o.Pooling == embedder.PoolCLS}
	}
	return sessions, nil
}

// open takes the packed model if it is there and whole, else makes it.
func open(f Files, p embedder.Precision) (*shared, error) {
	if f.Data != nil {
		s, err := openData(f.Data, p)
		if err == nil && f.SHA256 != "" && s.model.Source != f.SHA256 {
			return nil, fmt.Errorf("packed model: %w: it was made of another file, with SHA-256 %s", core.ErrCorrupt, s.model.Source)
		}
		return s, err
	}
	var onnx []byte
	source := f.SHA256
	if source == "" {
		var err error
		if onnx, source, err = readFile(f.Weights); err != nil {
			return nil, err
		}
	}
	if s := openFile(f.Pack, p, source); s != nil {
		return s, nil
	}
	if onnx == nil {
		var err error
		if onnx, source, err = readFile(f.Weights); err != nil {
			return nil, err
		}
		if source != f.SHA256 {
			return nil, fmt.Errorf("%w: model file %s has SHA-256 %s, not %s (remove it and run: vecdb model pull)", core.ErrCorrupt, f.Weights, source, f.SHA256)
		}
	}
	data, err := convert(onnx, p, source)
	if err != nil {
		return nil, fmt.Errorf("model file %s: %w", f.Weights, err)
	}
	if f.Pack != "" && keep(f.Pack, data) == nil {
		if s := openFile(f.Pack, p, source); s != nil {
			return s, nil // shared with other processes
		}
	}
	return openData(data, p) // the folder cannot be written
}

func openData(data []byte, p embedder.Precision) (*shared, error) {
	if !isAligned(data) {
		data = append(aligned(len(data))[:0], data...)
	}
	m, err := openPack(data)
	if err != nil {
		return nil, fmt.Errorf("packed model: %w", err)
	}
	if m.Precision != p {
		return nil, fmt.Errorf("packed model: %w: it is %s, not %s", core.ErrCorrupt, m.Precision, p)
	}
	return &shared{model: m, unmap: func() error { return nil }}, nil
}

// openFile maps a packed model, and returns nil if it is not there, is damaged
// or was made of another file.
func openFile(path string, p embedder.Precision, source string) *shared {
	if path == "" {
		return nil
	}
	data, unmap, err := mapFile(path)
	if err != nil {
		return nil
	}
	m, err := openPack(data)
	if err != nil || m.Precision != p || m.Source != source {
		_ = unmap() // the next step is to make it anew
		return nil
	}
	return &shared{model: m, unmap: unmap}
}

// readFile reads an ONNX file and returns its checksum.
func readFile(path string) (data []byte, sum string, err error) {
	st, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, "", fmt.Errorf("%w: there is no file %s (run: vecdb model pull)", core.ErrNoModel, path)
	}
	if err == nil && (!st.Mode().IsRegular() || st.Size() > maxWeights) {
		return nil, "", fmt.Errorf("model file %s: %w", path, unknown("it is no file of at most 2 GiB"))
	}
	if err == nil {
		data, err = os.ReadFile(path)
	}
	if err != nil {
		return nil, "", fmt.Errorf("read the model: %w", err)
	}
	hash := sha256.Sum256(data)
	return data, hex.EncodeToString(hash[:]), nil
}

// convert packs the weights of an ONNX file.
func convert(onnx []byte, p embedder.Precision, source string) ([]byte, error) {
	g, err := parseONNX(onnx)
	if err != nil {
		return nil, err
	}
	w, err := readWeights(g)
	if err != nil {
		return nil, err
	}
	return pack(w, p, source)
}

// keep puts a packed model in its place, whole. It need not be durable: what is
// damaged is made anew.
func keep(path string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".pack-*")
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Chmod(0o644), f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}
