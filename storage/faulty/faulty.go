// Package faulty wraps a storage engine and makes it fail by rule, for tests.
package faulty

import (
	"bytes"
	"errors"
	"sync"

	"github.com/vecdb/vecdb/storage"
)

// ErrInjected is the error that rules return unless they name another.
var ErrInjected = errors.New("injected fault")

// Rule says which calls fail and how.
type Rule struct {
	// Nth is which call fails, counted from 1 among the calls that the rule
	// looks at; 0 is every one.
	Nth int
	// Prefix restricts rules about reads to keys that begin with it.
	Prefix []byte
	// Err is the error; nil is ErrInjected.
	Err error
	// Landed makes a failing Apply write its batch nevertheless: the error
	// came after the disk.
	Landed bool
	// FlipBit makes a matching read succeed with this bit of the value turned
	// over (counted from 0, modulo the value's length) in place of failing.
	FlipBit int
	// Flip says that FlipBit is meant.
	Flip bool
}

// Engine fails by rules and is otherwise the engine that it wraps.
type Engine struct {
	storage.Engine

	mu      sync.Mutex // guards the rest
	apply   *Rule
	read    *Rule
	applies int
	reads   int
}

// New wraps inner; no rule is set.
func New(inner storage.Engine) *Engine { return &Engine{Engine: inner} }

// FailApply sets the rule for Apply; nil takes it away. The count starts anew.
func (e *Engine) FailApply(r *Rule) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.apply, e.applies = r, 0
}

// FailRead sets the rule for values read by Get and Scan; nil takes it away.
// The count starts anew.
func (e *Engine) FailRead(r *Rule) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.read, e.reads = r, 0
}

// Applies returns how many calls of Apply the present rule has seen.
func (e *Engine) Applies() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.applies
}

// Apply fails when its rule says so.
func (e *Engine) Apply(b *storage.Batch) error {
	e.mu.Lock()
	r := e.apply
	e.applies++
	hit := r != nil && (r.Nth == 0 || r.Nth == e.applies)
	e.mu.Unlock()
	if !hit {
		return e.Engine.Apply(b)
	}
	if r.Landed {
		if err := e.Engine.Apply(b); err != nil {
			return err
		}
	}
	return r.err()
}

// View hands out a reader that fails when its rule says so.
func (e *Engine) View(fn func(storage.Reader) error) error {
	return e.Engine.View(func(r storage.Reader) error { return fn(reader{e, r}) })
}

func (r *Rule) err() error {
	if r.Err != nil {
		return r.Err
	}
	return ErrInjected
}

// damage returns what a read of key gives instead of value.
func (e *Engine) damage(key, value []byte) ([]byte, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	r := e.read
	if r == nil || !bytes.HasPrefix(key, r.Prefix) {
		return value, nil
	}
	e.reads++
	if r.Nth != 0 && r.Nth != e.reads {
		return value, nil
	}
	if !r.Flip {
		return nil, r.err()
	}
	value = bytes.Clone(value)
	if len(value) > 0 {
		bit := r.FlipBit % (8 * len(value))
		value[bit/8] ^= 1 << (bit % 8)
	}
	return value, nil
}

type reader struct {
	e     *Engine
	inner storage.Reader
}

func (r reader) Get(key []byte) ([]byte, error) {
	v, err := r.inner.Get(key)
	if err != nil {
		return nil, err
	}
	return r.e.damage(key, v)
}

func (r reader) Scan(start, end []byte, fn func(key, value []byte) error) error {
	return r.inner.Scan(start, end, func(k, v []byte) error {
		v, err := r.e.damage(k, v)
		if err != nil {
			return err
		}
		return fn(k, v)
	})
}
