// Package mem is the in-memory twin of an engine on disk: for tests, and for
// databases that need not outlive the process.
package mem

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/vecdb/vecdb/internal/core"
	"github.com/vecdb/vecdb/storage"
)

// Engine keeps all pairs in a map and, for scans, a sorted list of keys that is
// made when it is first needed after a change. A View holds off Apply until
// it returns.
type Engine struct {
	mu        sync.RWMutex // guards the rest; held for reading during a View
	pairs     map[string][]byte
	sizeBytes int64
	closed    bool

	sortMu sync.Mutex // guards keys; taken inside mu
	keys   []string   // sorted, nil when it must be made again
}

var _ storage.Engine = (*Engine)(nil)

// New returns an empty engine.
func New() *Engine { return &Engine{pairs: make(map[string][]byte)} }

// View implements storage.Engine. A View must not call Apply.
func (e *Engine) View(fn func(storage.Reader) error) error {
	e.mu.RLock()
	defer e.mu.RUnlock()
	if e.closed {
		return core.ErrClosed
	}
	return fn(reader{e})
}

// Apply implements storage.Engine; what is durable here is the process.
func (e *Engine) Apply(b *storage.Batch) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return core.ErrClosed
	}
	for _, w := range b.Writes() {
		key := string(w.Key)
		if old, there := e.pairs[key]; there {
			e.sizeBytes -= int64(len(key) + len(old))
		} else if w.Value != nil {
			e.keys = nil
		}
		if w.Value == nil {
			delete(e.pairs, key)
			e.keys = nil
			continue
		}
		e.pairs[key] = bytes.Clone(w.Value)
		e.sizeBytes += int64(len(key) + len(w.Value))
	}
	return nil
}

// SizeBytes implements storage.Engine.
func (e *Engine) SizeBytes() int64 {
	e.mu.RLock()
	defer e.mu.RUnlock()
	return e.sizeBytes
}

// Verify implements storage.Engine; memory has no checksums.
func (e *Engine) Verify() error {
	e.mu.RLock()
	defer e.mu.RUnlock()
	if e.closed {
		return core.ErrClosed
	}
	return nil
}

// Close implements storage.Engine.
func (e *Engine) Close() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.closed = true
	e.pairs, e.keys = nil, nil
	return nil
}

// sorted returns all keys in order.
func (e *Engine) sorted() []string {
	e.sortMu.Lock()
	defer e.sortMu.Unlock()
	if e.keys == nil {
		e.keys = make([]string, 0, len(e.pairs))
		for k := range e.pairs {
			e.keys = append(e.keys, k)
		}
		slices.Sort(e.keys)
	}
	return e.keys
}

type reader struct{ e *Engine }

func (r reader) Get(key []byte) ([]byte, error) {
	v, there := r.e.pairs[string(key)]
	if !there {
		return nil, fmt.Errorf("key %q: %w", key, core.ErrNotFound)
	}
	return bytes.Clone(v), nil
}

func (r reader) Scan(start, end []byte, fn func(key, value []byte) error) error {
	keys := r.e.sorted()
	first, _ := slices.BinarySearch(keys, string(start))
	for _, k := range keys[first:] {
		if end != nil && k >= string(end) {
			return nil
		}
		if err := fn([]byte(k), r.e.pairs[k]); err != nil {
			if errors.Is(err, storage.ErrStopScan) {
				return nil
			}
			return err
		}
	}
	return nil
}
