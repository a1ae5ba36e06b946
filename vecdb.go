package vecdb

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/vecdb/vecdb/embedder"
	"github.com/vecdb/vecdb/index"
	"github.com/vecdb/vecdb/internal/core"
	"github.com/vecdb/vecdb/storage"
	"github.com/vecdb/vecdb/storage/badger"
	"github.com/vecdb/vecdb/storage/mem"
)

// DB is an open database directory. It is safe for concurrent use; only one
// process at a time can have a directory open.
type DB struct {
	options   Options
	store     *storage.Store
	models    *models
	memory    *memoryGuard
	snapshots *snapshotFolder // nil when everything is in memory

	drops sync.WaitGroup // those under way; added to while mu is held and closed is false

	mu          sync.RWMutex           // guards the rest
	collections map[string]*Collection // by name
	closed      bool
}

// Open opens the database in dir, creating it when it is not there. It returns
// an error that matches ErrLocked when another process has it open. Close the
// DB after use.
func Open(dir string, o Options) (*DB, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	engine, err := openEngine(dir, o)
	if err != nil {
		return nil, err
	}
	store, err := storage.Open(engine, storage.Options{ReadOnly: o.ReadOnly, CacheBytes: o.EmbeddingCacheBytes})
	if err != nil {
		return nil, errors.Join(err, engine.Close())
	}
	models, err := newModels(o, store.Cache())
	if err != nil {
		return nil, errors.Join(err, store.Close())
	}
	db := &DB{options: o, store: store, models: models, memory: newMemoryGuard(o), collections: make(map[string]*Collection)}
	if !o.InMemory {
		db.snapshots = &snapshotFolder{dir: filepath.Join(dir, indexFolder), readOnly: o.ReadOnly, room: engine.(*badger.Engine).Room}
		if err := db.sweep(); err != nil {
			return nil, errors.Join(err, db.Close())
		}
	}
	for _, cfg := range store.Collections() {
		c, err := db.openCollection(cfg.Name)
		if err != nil {
			return nil, errors.Join(err, db.Close())
		}
		db.collections[cfg.Name] = c
	}
	return db, nil
}

func openEngine(dir string, o Options) (storage.Engine, error) {
	if o.InMemory {
		return mem.New(), nil
	}
	return badger.Open(dir, badger.Options{ReadOnly: o.ReadOnly, MinFreeBytes: o.MinFreeBytes, Logger: o.Logger})
}

// openCollection opens a stored collection and fills its index.
func (db *DB) openCollection(name string) (*Collection, error) {
	stored, err := db.store.Collection(name)
	if err != nil {
		return nil, err
	}
	return newCollection(db, stored)
}

// CreateCollection returns the collection of that name and makes it first when
// there is none; created tells which. When there is one with other settings
// the error matches ErrExists. Names have 1 to 64 of the characters a-z, A-Z,
// 0-9, "_" and "-".
func (db *DB) CreateCollection(ctx context.Context, name string, o CollectionOptions) (c *Collection, created bool, err error) {
	cfg, err := db.collectionConfig(name, o)
	if err != nil {
		return nil, false, err
	}
	if err := ctx.Err(); err != nil {
		return nil, false, err
	}
	db.mu.Lock()
	defer db.mu.Unlock()
	if db.closed {
		return nil, false, ErrClosed
	}
	if c := db.collections[name]; c != nil {
		have := c.Info()
		if o.Long == "" {
			cfg.Long = have.Long
		}
		if cfg.Auto && have.Auto && !have.Pending() { // what it has become
			if cfg, err = db.models.settled(cfg, have.Language); err != nil {
				return nil, false, err
			}
		}
		return c, false, sameSettings(have, cfg)
	}
	stored, err := db.store.Create(cfg)
	if err != nil {
		return nil, false, fmt.Errorf("create collection %s: %w", name, err)
	}
	if c, err = newCollection(db, stored); err != nil {
		return nil, false, err
	}
	db.collections[name] = c
	return c, true, nil
}

// collectionConfig checks o and fills in what follows from the model.
func (db *DB) collectionConfig(name string, o CollectionOptions) (storage.Config, error) {
	cfg := storage.Config{Name: name, Fields: o.Fields, Duplicates: o.Duplicates, Long: o.Long, Created: time.Now().UTC().Truncate(time.Second)}
	if err := checkName(name); err != nil {
		return cfg, err
	}
	metric, err := index.ParseMetric(o.Metric)
	if err != nil {
		return cfg, err
	}
	cfg.Metric = string(metric)
	if err := checkFieldTypes(o.Fields); err != nil {
		return cfg, err
	}
	if err := checkDuplicates(o.Duplicates, cfg.Metric); err != nil {
		return cfg, core.At("/duplicates", err)
	}
	if err := core.CheckLong(o.Long); err != nil {
		return cfg, core.At("/long", err)
	}
	if o.Model == NoModel && o.Language != LanguageAuto {
		if o.Dim < 1 || o.Dim > core.MaxDim {
			return cfg, core.Invalid("/dimension", "a collection without a model needs it", "the dimension must be from 1 to %d", core.MaxDim)
		}
		cfg.Dim = o.Dim
		return cfg, nil
	}
	cfg.Long = cmp.Or(cfg.Long, LongChunk)
	if o.Language == LanguageAuto {
		return db.models.pendingConfig(cfg, o)
	}
	return db.models.complete(cfg, o)
}

func checkName(name string) error {
	const allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"
	if name == "" || len(name) > 64 || strings.Trim(name, allowed) != "" {
		return core.Invalid("", "use 1 to 64 of the characters a-z, A-Z, 0-9, _ and -", "%.80q is no name for a collection", name)
	}
	return nil
}

// sameSettings returns an ErrExists unless both configurations ask for the same.
// A model that texts have chosen may be asked for by its name too.
func sameSettings(have, want storage.Config) error {
	same := (have.Auto || !want.Auto) && have.Model == want.Model && have.Precision == want.Precision && have.Dim == want.Dim &&
		have.Metric == want.Metric && maps.Equal(have.Fields, want.Fields) && have.Duplicates == want.Duplicates && have.Long == want.Long
	if same {
		return nil
	}
	if have.Pending() {
		have.Model = "to be chosen by the first texts"
	}
	return &core.InputError{Cause: ErrExists,
		Detail: fmt.Sprintf("collection %s exists with other settings (model %s, precision %s, dimension %d, metric %s)",
			have.Name, have.Model, have.Precision, have.Dim, have.Metric),
		Hint: "use another name, or drop the collection first"}
}

// Collection returns the collection of that name, or an error that matches
// ErrNotFound.
func (db *DB) Collection(name string) (*Collection, error) {
	db.mu.RLock()
	defer db.mu.RUnlock()
	if db.closed {
		return nil, ErrClosed
	}
	if c := db.collections[name]; c != nil {
		return c, nil
	}
	return nil, fmt.Errorf("collection %.80q: %w", name, ErrNotFound)
}

// Collections returns all collections in the order of their names.
func (db *DB) Collections() []*Collection {
	db.mu.RLock()
	defer db.mu.RUnlock()
	return slices.SortedFunc(maps.Values(db.collections), func(a, b *Collection) int {
		return strings.Compare(a.Name(), b.Name())
	})
}

// DropCollection deletes a collection with everything in it. The error matches
// ErrNotFound when there is none. Calls of the collection that take long end with
// such an error too.
func (db *DB) DropCollection(ctx context.Context, name string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	c, err := db.takeAway(name)
	if err != nil {
		return err
	}
	defer db.drops.Done()
	c.close(fmt.Errorf("collection %s was dropped: %w", name, ErrNotFound))
	// Nobody reads the records any more.
	if err := db.store.Erase(c.stored); err != nil {
		db.options.Logger.Warn("the rest of a dropped collection is deleted when the database is opened next", "collection", name, "error", err)
	}
	if db.snapshots != nil {
		if err := db.snapshots.remove(c.stored.Number()); err != nil {
			db.options.Logger.Warn("remove the files of the indexes of a dropped collection", "collection", name, "error", err)
		}
	}
	return nil
}

// takeAway makes a collection unknown. The caller calls db.drops.Done when it has
// let go of it.
func (db *DB) takeAway(name string) (*Collection, error) {
	db.mu.Lock()
	defer db.mu.Unlock()
	if db.closed {
		return nil, ErrClosed
	}
	c := db.collections[name]
	if c == nil {
		return nil, fmt.Errorf("collection %.80q: %w", name, ErrNotFound)
	}
	if err := db.store.Drop(name); err != nil {
		return nil, fmt.Errorf("drop collection %s: %w", name, err)
	}
	delete(db.collections, name)
	db.drops.Add(1)
	return c, nil
}

// Embed embeds texts with a model and returns the model's full name too. An
// empty model is the English default, an empty precision "int8".
func (db *DB) Embed(ctx context.Context, model, precision string, kind embedder.Kind, texts []string) (embedder.Result, string, error) {
	name, precision, err := db.models.resolve(model, precision)
	if err != nil {
		return embedder.Result{}, "", err
	}
	emb, err := db.models.get(ctx, name, precision)
	if err != nil {
		return embedder.Result{}, name, err
	}
	r, err := emb.Embed(ctx, kind, texts)
	return r, name, err
}

// Models lists the models of the manifest and whether their files are on this
// machine.
func (db *DB) Models() []ModelStatus { return db.models.list() }

// Runtime names the runtime that computes the models, or tells why there is
// none.
func (db *DB) Runtime() string { return db.models.runtimeName() }

// EmbeddingCache returns the figures of the cache of vectors, and whether there is
// one.
func (db *DB) EmbeddingCache() (storage.CacheStats, bool) {
	if c := db.store.Cache(); c != nil {
		return c.Stats(), true
	}
	return storage.CacheStats{}, false
}

// SizeBytes returns the space that the stored data takes, in bytes.
func (db *DB) SizeBytes() int64 { return db.store.SizeBytes() }

// Verify reads everything that is stored, checks it against its checksums and
// the index against the store, and reports each problem. It returns an error
// only when it could not go on.
func (db *DB) Verify(ctx context.Context, report func(problem string)) error {
	if err := db.store.Verify(ctx, report); err != nil {
		return err
	}
	for _, c := range db.Collections() {
		if err := c.verifyIndex(ctx, report); err != nil {
			return err
		}
	}
	return nil
}

// Close stops taking calls, waits for those under way and frees everything.
// Calls made afterwards return ErrClosed.
func (db *DB) Close() error {
	db.mu.Lock()
	if db.closed {
		db.mu.Unlock()
		return nil
	}
	db.closed = true
	collections := slices.Collect(maps.Values(db.collections))
	db.mu.Unlock()
	for _, c := range collections {
		c.close(ErrClosed)
	}
	db.drops.Wait()
	return errors.Join(db.models.close(), db.store.Close())
}
