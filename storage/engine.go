// Package storage keeps the documents, vectors and change logs of collections
// on an ordered key-value engine. Store gives them their shape: keys, records
// with header and checksum, sequence numbers and group commit. The engines
// live in the folders below: badger is the one on disk, mem its twin in
// memory, faulty wraps another one and fails by rule. storagetest holds the
// suite that every engine passes.
package storage

import "errors"

// ErrStopScan is what the function given to Scan returns to end it early.
var ErrStopScan = errors.New("stop the scan")

// Reader reads one consistent state of an engine.
type Reader interface {
	// Get returns the value under key, or an error that matches
	// core.ErrNotFound. The caller owns the returned slice.
	Get(key []byte) ([]byte, error)
	// Scan calls fn for every key from start (inclusive) to end (exclusive;
	// nil is no bound) in ascending order of bytes until fn returns an error,
	// which it hands back; ErrStopScan ends the scan without one. The slices are
	// valid only during the call.
	Scan(start, end []byte, fn func(key, value []byte) error) error
}

// Batch collects writes that Apply makes together. The zero value is an empty
// batch. The batch keeps the slices that it is given.
type Batch struct {
	ops       []Write
	sizeBytes int
}

// Write is one write of a batch: a nil Value deletes the key.
type Write struct {
	Key   []byte
	Value []byte
}

// Put adds a write of value under key. A nil value is stored as an empty one.
func (b *Batch) Put(key, value []byte) {
	if value == nil {
		value = []byte{}
	}
	b.ops = append(b.ops, Write{key, value})
	b.sizeBytes += len(key) + len(value)
}

// Delete adds the deletion of key; deleting an absent key is no error.
func (b *Batch) Delete(key []byte) {
	b.ops = append(b.ops, Write{Key: key})
	b.sizeBytes += len(key)
}

// Writes returns the writes in the order in which they were added. A later
// write to the same key wins.
func (b *Batch) Writes() []Write { return b.ops }

// Len returns the number of writes.
func (b *Batch) Len() int { return len(b.ops) }

// SizeBytes returns the sum of the lengths of keys and values.
func (b *Batch) SizeBytes() int { return b.sizeBytes }

// Engine is an ordered, durable key-value store. It is safe for concurrent
// use. Errors match the sentinels of internal/core: ErrLocked, ErrReadOnly,
// ErrFull, ErrCorrupt, ErrClosed, ErrTooLarge.
type Engine interface {
	// View calls fn with a reader of one consistent state and returns its
	// error. The reader must not be used after fn returns.
	View(fn func(Reader) error) error
	// Apply makes all writes of b at once, and returns when they are on
	// stable storage: after a crash either all or none of them are there, all
	// when Apply had returned nil. A batch over the engine's limits is refused
	// whole with core.ErrTooLarge.
	Apply(b *Batch) error
	// SizeBytes returns the space that the data takes, in bytes.
	SizeBytes() int64
	// Verify reads all data and returns an error that matches core.ErrCorrupt
	// when a checksum of the engine's own files does not hold.
	Verify() error
	// Close waits for calls under way and frees the engine.
	Close() error
}
