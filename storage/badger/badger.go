// Package badger is the engine on disk: Badger v4, an LSM tree with a
// write-ahead log, opened so that an acknowledged batch is on stable storage.
// It translates Badger's errors and panics into those of vecdb.
package badger

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/options"

	"github.com/vecdb/vecdb/internal/core"
	"github.com/vecdb/vecdb/storage"
)

// Sizes that Badger is opened with. A memtable of 32 MiB bounds a transaction
// to about 4.8 MiB, which is above what the store puts into one batch.
const (
	memTableBytes  = 32 << 20
	valueThreshold = 1 << 20 // larger values go to the value log
	valueLogBytes  = 256 << 20
	collectEvery   = 10 * time.Minute // between collections of the value log
)

// Options of Open.
type Options struct {
	// ReadOnly opens an existing directory without changing it.
	ReadOnly bool
	// MinFreeBytes is the free space below which Apply refuses with
	// core.ErrFull: a write to a full disk would kill the process, because
	// Badger writes through memory maps. 0 is max(512 MiB, 1 % of the file
	// system), negative is no check.
	MinFreeBytes int64
	// Logger gets Badger's warnings and errors; nil discards them.
	Logger *slog.Logger
}

// Engine is an open Badger directory.
type Engine struct {
	db       *badger.DB
	dir      string
	readOnly bool
	space    *spaceGuard
	stop     chan struct{}
	stopped  sync.WaitGroup

	mu     sync.RWMutex // held for reading by every call; guards the rest
	closed bool

	failMu sync.Mutex // guards failed; taken inside mu
	failed error      // the first failed write; nothing is written after it
}

var _ storage.Engine = (*Engine)(nil)

// Open opens the directory and creates it when it is not there. The error
// matches core.ErrLocked when another process has it open, core.ErrReadOnly
// when it cannot be written.
func Open(dir string, o Options) (*Engine, error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if err := prepareDir(dir, o.ReadOnly); err != nil {
		return nil, err
	}
	space := newSpaceGuard(dir, o.MinFreeBytes)
	if !o.ReadOnly {
		if err := space.roomToOpen(); err != nil {
			return nil, fmt.Errorf("open database directory: %w", err)
		}
	}
	if err := checkTables(dir); err != nil {
		return nil, fmt.Errorf("open database directory %s: %w", dir, err)
	}
	opts := badger.DefaultOptions(dir).
		WithSyncWrites(true).
		WithReadOnly(o.ReadOnly).
		WithValueThreshold(valueThreshold).
		WithMemTableSize(memTableBytes).
		WithNumMemtables(3).
		WithBaseTableSize(8 << 20).
		WithValueLogFileSize(valueLogBytes).
		WithCompression(options.None).
		WithBlockCacheSize(0).
		WithDetectConflicts(false).
		WithMetricsEnabled(false).
		WithLogger(logAdapter{o.Logger})
	db, err := openDB(opts)
	if err != nil {
		return nil, openError(dir, err)
	}
	e := &Engine{db: db, dir: dir, readOnly: o.ReadOnly, space: space, stop: make(chan struct{})}
	if !o.ReadOnly {
		e.stopped.Go(e.collect)
	}
	return e, nil
}

func openDB(opts badger.Options) (db *badger.DB, err error) {
	defer recoverAs(&err, core.ErrCorrupt)
	return badger.Open(opts)
}

// prepareDir makes the directory and refuses what cannot be one of ours, with
// clearer words than Badger has.
func prepareDir(dir string, readOnly bool) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) && !readOnly {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return fmt.Errorf("make database directory %s: %w", dir, translate(err))
		}
		return nil
	}
	if err != nil {
		return fmt.Errorf("open database directory %s: %w", dir, translate(err))
	}
	for _, e := range entries {
		if e.Name() == badger.ManifestFilename {
			return nil
		}
	}
	if len(entries) > 0 && entries[0].Name() != "LOCK" {
		return core.Invalid("", "choose an empty or new directory", "%s holds other files and no vecdb database", dir)
	}
	return nil
}

// Room returns an error that matches core.ErrFull when n more bytes in the
// directory would leave less free than Options.MinFreeBytes.
func (e *Engine) Room(n int64) error { return e.space.room(n) }

// View implements storage.Engine.
func (e *Engine) View(fn func(storage.Reader) error) error {
	e.mu.RLock()
	defer e.mu.RUnlock()
	if e.closed {
		return core.ErrClosed
	}
	txn := e.db.NewTransaction(false)
	defer txn.Discard()
	return fn(reader{txn})
}

// Apply implements storage.Engine.
func (e *Engine) Apply(b *storage.Batch) error {
	e.mu.RLock()
	defer e.mu.RUnlock()
	switch {
	case e.closed:
		return core.ErrClosed
	case e.readOnly:
		return fmt.Errorf("write to %s: %w", e.dir, core.ErrReadOnly)
	}
	if err := e.broken(); err != nil {
		return err
	}
	if err := e.space.room(int64(b.SizeBytes())); err != nil {
		return err
	}
	err := e.write(b)
	if err != nil && !errors.Is(err, core.ErrTooLarge) {
		// After a failed write or sync nobody knows what the disk holds, so
		// nothing more is written until the directory is opened again.
		e.breakWith(err)
	}
	return err
}

func (e *Engine) write(b *storage.Batch) (err error) {
	defer recoverAs(&err, core.ErrCorrupt)
	txn := e.db.NewTransaction(true)
	defer txn.Discard()
	for _, w := range b.Writes() {
		if w.Value == nil {
			err = txn.Delete(w.Key)
		} else {
			err = txn.Set(w.Key, w.Value)
		}
		if err != nil {
			return translate(err)
		}
	}
	return translate(txn.Commit())
}

func (e *Engine) broken() error {
	e.failMu.Lock()
	defer e.failMu.Unlock()
	if e.failed == nil {
		return nil
	}
	return fmt.Errorf("%w: writing stopped after an error, restart to go on: %w", core.ErrReadOnly, e.failed)
}

func (e *Engine) breakWith(err error) {
	e.failMu.Lock()
	defer e.failMu.Unlock()
	if e.failed == nil {
		e.failed = err
	}
}

// SizeBytes implements storage.Engine.
func (e *Engine) SizeBytes() int64 {
	e.mu.RLock()
	defer e.mu.RUnlock()
	if e.closed {
		return 0
	}
	return diskUse(e.dir)
}

// Verify implements storage.Engine.
func (e *Engine) Verify() (err error) {
	e.mu.RLock()
	defer e.mu.RUnlock()
	if e.closed {
		return core.ErrClosed
	}
	defer recoverAs(&err, core.ErrCorrupt)
	if err := e.db.VerifyChecksum(); err != nil {
		return fmt.Errorf("verify %s: %w: %w", e.dir, core.ErrCorrupt, err)
	}
	return nil
}

// Close implements storage.Engine. Closing twice is no error.
func (e *Engine) Close() (err error) {
	e.mu.Lock()
	if e.closed {
		e.mu.Unlock()
		return nil
	}
	e.closed = true
	e.mu.Unlock()
	close(e.stop)
	e.stopped.Wait()
	defer recoverAs(&err, core.ErrCorrupt)
	if err := e.db.Close(); err != nil {
		return fmt.Errorf("close %s: %w", e.dir, translate(err))
	}
	return nil
}

// collect frees space in the value log, where only large texts go, from time
// to time.
func (e *Engine) collect() {
	tick := time.NewTicker(collectEvery)
	defer tick.Stop()
	for {
		select {
		case <-e.stop:
			return
		case <-tick.C:
			for e.db.RunValueLogGC(0.5) == nil {
				select {
				case <-e.stop:
					return
				default:
				}
			}
		}
	}
}

type reader struct{ txn *badger.Txn }

func (r reader) Get(key []byte) (value []byte, err error) {
	defer recoverAs(&err, core.ErrCorrupt)
	item, err := r.txn.Get(key)
	if errors.Is(err, badger.ErrKeyNotFound) {
		return nil, missingKey(key)
	}
	if err != nil {
		return nil, fmt.Errorf("key %q: %w", key, translate(err))
	}
	value, err = item.ValueCopy(nil)
	if err != nil {
		return nil, fmt.Errorf("key %q: %w", key, translate(err))
	}
	return value, nil
}

// missingKey is the error of a key that is not there. It matches core.ErrNotFound
// and is put into words only where somebody reads it: most keys that are asked for
// during an import are new.
type missingKey string

func (k missingKey) Error() string { return fmt.Sprintf("key %q: %v", string(k), core.ErrNotFound) }
func (k missingKey) Unwrap() error { return core.ErrNotFound }

// Scan reads ahead of the callback. The callback's own panics are not caught.
func (r reader) Scan(start, end []byte, fn func(key, value []byte) error) error {
	it := r.txn.NewIterator(badger.IteratorOptions{PrefetchValues: true, PrefetchSize: 64})
	defer it.Close()
	it.Seek(start)
	for ; it.Valid(); it.Next() {
		item := it.Item()
		if end != nil && string(item.Key()) >= string(end) {
			return nil
		}
		err := item.Value(func(v []byte) error { return fn(item.Key(), v) })
		if errors.Is(err, storage.ErrStopScan) {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}
