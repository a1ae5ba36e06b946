package storage

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vecdb/vecdb/internal/core"
)

// FormatVersion is the newest version of the layout of keys and records. A store
// begins with format 1 and gets format 2 with its first long document, which
// programs that know format 1 alone would not find again, or with its first
// pending collection, which they could not open.
const FormatVersion = 2

// dropBatch is how many keys are erased at a time.
const dropBatch = 4096

// Options of Open.
type Options struct {
	// ReadOnly leaves the engine as it is: an empty one is refused, unfinished
	// drops stay unfinished, and writes return core.ErrReadOnly.
	ReadOnly bool
	// CacheBytes bounds the cache of values that can be computed again. 0 is
	// DefaultCacheBytes; with a negative number there is none, and what an
	// earlier one has left is erased.
	CacheBytes int64
}

// Store keeps collections on one engine, which it owns. It is safe for
// concurrent use.
type Store struct {
	engine   Engine
	readOnly bool
	writer   *committer
	created  time.Time
	format   atomic.Int32
	cache    *Cache // nil when it is off

	mu          sync.RWMutex           // guards the rest
	collections map[string]*Collection // by name, dropped ones left out
	next        uint32                 // number of the next collection
	closed      bool
}

// Open opens the store on engine and makes it when the engine is empty. It
// owns the engine from then on when it returns no error. A store of a newer
// format is refused.
func Open(engine Engine, o Options) (*Store, error) {
	s := &Store{engine: engine, readOnly: o.ReadOnly, collections: make(map[string]*Collection)}
	if err := s.checkFormat(); err != nil {
		return nil, err
	}
	dropped, err := s.load()
	if err != nil {
		return nil, err
	}
	if !o.ReadOnly {
		for _, number := range dropped {
			if err := s.erase(number); err != nil {
				return nil, err
			}
		}
	}
	if err := s.openCache(o); err != nil {
		return nil, fmt.Errorf("open the cache: %w", err)
	}
	s.writer = startCommitter(engine)
	return s, nil
}

func (s *Store) openCache(o Options) (err error) {
	switch {
	case o.CacheBytes >= 0:
		s.cache, err = openCache(s.engine, cmp.Or(o.CacheBytes, DefaultCacheBytes), o.ReadOnly)
	case !o.ReadOnly:
		err = eraseCache(s.engine)
	}
	return err
}

// Cache returns the cache of values that can be computed again, nil when it is off.
func (s *Store) Cache() *Cache { return s.cache }

func (s *Store) checkFormat() error {
	key := metaKey()
	var meta storeMeta
	err := s.engine.View(func(r Reader) error {
		v, err := r.Get(key)
		if err != nil {
			return err
		}
		return decodeJSON(areaMeta, key, v, &meta)
	})
	switch {
	case isNotFound(err) && !s.readOnly:
		meta = storeMeta{Format: 1, Created: time.Now().UTC()}
		record, err := encodeJSON(areaMeta, key, meta)
		if err != nil {
			return err
		}
		b := new(Batch)
		b.Put(key, record)
		if err := s.engine.Apply(b); err != nil {
			return err
		}
	case err != nil:
		return fmt.Errorf("read the store's format: %w", err)
	case meta.Format < 1 || meta.Format > FormatVersion:
		return core.Invalid("", "use a newer vecdb", "the database has format %d, this vecdb reads formats up to %d", meta.Format, FormatVersion)
	}
	s.created = meta.Created
	s.format.Store(int32(meta.Format))
	return nil
}

// load reads the collections and returns the numbers of those that were being
// dropped.
func (s *Store) load() (dropped []uint32, err error) {
	err = s.engine.View(func(r Reader) error {
		return r.Scan([]byte{areaCollection}, []byte{areaCollection + 1}, func(key, value []byte) error {
			number := uint32(ordOf(key))
			s.next = max(s.next, number+1)
			var meta collectionMeta
			if err := decodeJSON(areaCollection, key, value, &meta); err != nil {
				return err
			}
			if meta.Dropped {
				dropped = append(dropped, number)
				return nil
			}
			c, err := openCollection(s, number, meta.Config, r)
			if err != nil {
				return err
			}
			s.collections[meta.Name] = c
			return nil
		})
	})
	if err != nil {
		return nil, fmt.Errorf("read the collections: %w", err)
	}
	return dropped, nil
}

// Create makes a collection. The error matches core.ErrExists when there is
// one of that name.
func (s *Store) Create(cfg Config) (*Collection, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.writable(); err != nil {
		return nil, err
	}
	if s.collections[cfg.Name] != nil {
		return nil, fmt.Errorf("collection %s: %w", cfg.Name, core.ErrExists)
	}
	number := s.next
	if err := s.putMeta(number, collectionMeta{Config: cfg}); err != nil {
		return nil, err
	}
	s.next++
	c := newCollection(s, number, cfg, counters{})
	s.collections[cfg.Name] = c
	return c, nil
}

func (s *Store) putMeta(number uint32, meta collectionMeta) error {
	key := collectionKey(number)
	record, err := encodeJSON(areaCollection, key, meta)
	if err != nil {
		return err
	}
	b := new(Batch)
	b.Put(key, record)
	raise := meta.Pending() && s.format.Load() < FormatVersion
	if raise {
		if err := s.putFormat(b); err != nil {
			return err
		}
	}
	if err := s.engine.Apply(b); err != nil {
		return err
	}
	if raise {
		s.format.Store(FormatVersion)
	}
	return nil
}

// putFormat makes a batch bring the store to the newest format.
func (s *Store) putFormat(b *Batch) error {
	key := metaKey()
	record, err := encodeJSON(areaMeta, key, storeMeta{Format: FormatVersion, Created: s.created})
	if err == nil {
		b.Put(key, record)
	}
	return err
}

func (s *Store) writable() error {
	switch {
	case s.closed:
		return core.ErrClosed
	case s.readOnly:
		return core.ErrReadOnly
	}
	return nil
}

// Collection returns the collection of that name, or an error that matches
// core.ErrNotFound.
func (s *Store) Collection(name string) (*Collection, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if c := s.collections[name]; c != nil {
		return c, nil
	}
	return nil, fmt.Errorf("collection %.80q: %w", name, core.ErrNotFound)
}

// Collections returns the settings of all collections in the order of their
// names.
func (s *Store) Collections() []Config {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var out []Config
	for c := range maps.Values(s.collections) {
		out = append(out, c.Config())
	}
	slices.SortFunc(out, func(a, b Config) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// Drop takes a collection away: it is gone when Drop returns, and nothing writes
// to it any more. Its records stay until they are erased.
func (s *Store) Drop(name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.writable(); err != nil {
		return err
	}
	c := s.collections[name]
	if c == nil {
		return fmt.Errorf("collection %.80q: %w", name, core.ErrNotFound)
	}
	if err := s.putMeta(c.number, collectionMeta{Config: c.Config(), Dropped: true}); err != nil {
		return err
	}
	delete(s.collections, name)
	// The committer is asked to let go of the collection, so that no commit
	// that was under way writes records behind the erasure.
	s.writer.flush(c)
	return nil
}

// Erase deletes all records of a dropped collection, the mark last. What is left
// by an error, a crash or the end of the store the next Open deletes.
func (s *Store) Erase(c *Collection) error { return s.erase(c.number) }

func (s *Store) erase(number uint32) error {
	prefix := dataPrefix(number)
	err := erase(s.engine, prefix, prefixEnd(prefix))
	if err == nil {
		b := new(Batch)
		b.Delete(collectionKey(number))
		err = s.engine.Apply(b)
	}
	if err != nil {
		return fmt.Errorf("delete a dropped collection: %w", err)
	}
	return nil
}

// erase deletes all keys from start (inclusive) to end (exclusive), part by part.
func erase(engine Engine, start, end []byte) error {
	for {
		b := new(Batch)
		err := engine.View(func(r Reader) error {
			return r.Scan(start, end, func(key, _ []byte) error {
				b.Delete(slices.Clone(key))
				if b.Len() == dropBatch {
					return ErrStopScan
				}
				return nil
			})
		})
		if err != nil || b.Len() == 0 {
			return err
		}
		if err := engine.Apply(b); err != nil {
			return err
		}
		if b.Len() < dropBatch {
			return nil
		}
		start = append(b.Writes()[b.Len()-1].Key, 0) // the first key behind the last
	}
}

// SizeBytes returns the space that the store takes, in bytes.
func (s *Store) SizeBytes() int64 { return s.engine.SizeBytes() }

// Verify reads everything, and reports each record that fails its checksum or
// does not agree with the others. The error is for what stops the reading.
func (s *Store) Verify(ctx context.Context, report func(problem string)) error {
	if err := s.engine.Verify(); errors.Is(err, core.ErrCorrupt) {
		report(err.Error())
	} else if err != nil {
		return err
	}
	s.mu.RLock()
	collections := slices.Collect(maps.Values(s.collections))
	s.mu.RUnlock()
	slices.SortFunc(collections, func(a, b *Collection) int { return strings.Compare(a.Config().Name, b.Config().Name) })
	for _, c := range collections {
		if err := c.verify(ctx, report); err != nil {
			return fmt.Errorf("verify collection %s: %w", c.Config().Name, err)
		}
	}
	return nil
}

// Close refuses new writes, waits for those under way and closes the engine.
func (s *Store) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	s.mu.Unlock()
	if s.cache != nil {
		s.cache.close()
	}
	s.writer.close()
	return s.engine.Close()
}
