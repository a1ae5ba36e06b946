package storage

import (
	"cmp"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/vecdb/vecdb/internal/core"
)

// Collection is the stored part of a collection: documents, vectors, ids and
// the change log. It is safe for concurrent use. After a drop its reads find
// nothing and its writes return an error that matches core.ErrNotFound.
type Collection struct {
	store  *Store
	number uint32
	config atomic.Pointer[Config]

	mu      sync.RWMutex  // guards the rest
	now     counters      // as of the last batch that landed
	events  tally         // the same of events
	changed chan struct{} // closed and replaced when now changes
}

func newCollection(s *Store, number uint32, cfg Config, now counters) *Collection {
	c := &Collection{store: s, number: number, now: now, changed: make(chan struct{})}
	c.config.Store(&cfg)
	return c
}

// openCollection reads the counters of a stored collection.
func openCollection(s *Store, number uint32, cfg Config, r Reader) (*Collection, error) {
	c := newCollection(s, number, cfg, counters{})
	var err error
	if c.events, err = readTally(r, number); err != nil {
		return nil, fmt.Errorf("numbers of the events of collection %s: %w", cfg.Name, err)
	}
	key := countersKey(number)
	record, err := r.Get(key)
	if isNotFound(err) {
		return c, nil
	}
	if err != nil {
		return nil, err
	}
	if c.now, err = decodeCounters(key, record); err != nil {
		return nil, fmt.Errorf("counters of collection %s: %w", cfg.Name, err)
	}
	return c, nil
}

// Config returns the collection's settings.
func (c *Collection) Config() Config { return *c.config.Load() }

// Settle stores the settings that a pending collection has from then on; they
// are durable when it returns. Nothing may have been stored in the collection. The
// error matches core.ErrNotFound when it was dropped.
func (c *Collection) Settle(cfg Config) error {
	c.store.mu.Lock()
	defer c.store.mu.Unlock()
	if err := cmp.Or(c.store.writable(), c.kept()); err != nil {
		return err
	}
	if err := c.store.putMeta(c.number, collectionMeta{Config: cfg}); err != nil {
		return err
	}
	c.config.Store(&cfg)
	return nil
}

// Number returns the number of the collection, which no other collection of the
// store has while this one lives.
func (c *Collection) Number() uint32 { return c.number }

// Len returns the number of documents.
func (c *Collection) Len() int { return int(c.numbers().count) }

// LastSeq returns the number of the last change, 0 when there was none.
func (c *Collection) LastSeq() uint64 { return c.numbers().seq }

// Notify returns a channel that is closed at the next change. Take it before
// looking for changes, so that none is missed.
func (c *Collection) Notify() <-chan struct{} {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.changed
}

func (c *Collection) numbers() counters {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.now
}

func (c *Collection) advance(now counters) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = now
	close(c.changed)
	c.changed = make(chan struct{})
}

// Get returns the document of that id, with its vector, and its ordinal. The
// error matches core.ErrNotFound when there is none.
func (c *Collection) Get(id string) (doc *core.Document, ord core.Ord, err error) {
	err = c.store.engine.View(func(r Reader) error {
		if ord, err = c.ord(r, id); err != nil {
			return err
		}
		if ord == core.NoOrd {
			return fmt.Errorf("document %.80q: %w", id, core.ErrNotFound)
		}
		doc, err = c.document(r, ord, true)
		if isNotFound(err) {
			return fmt.Errorf("document %.80q has an ordinal and no record: %w", id, core.ErrCorrupt)
		}
		return err
	})
	return doc, ord, err
}

// Ords returns the ordinals of ids in their order, core.NoOrd where there is
// no document.
func (c *Collection) Ords(ids []string) ([]core.Ord, error) {
	ords := make([]core.Ord, len(ids))
	err := c.store.engine.View(func(r Reader) (err error) {
		for i, id := range ids {
			if ords[i], err = c.ord(r, id); err != nil {
				return err
			}
		}
		return nil
	})
	return ords, err
}

// Documents returns the documents under ords in their order, all of one state,
// nil where there is none. Vectors are read only withVectors.
func (c *Collection) Documents(ords []core.Ord, withVectors bool) ([]*core.Document, error) {
	docs := make([]*core.Document, len(ords))
	err := c.store.engine.View(func(r Reader) error {
		for i, ord := range ords {
			doc, err := c.document(r, ord, withVectors)
			if err != nil && !isNotFound(err) {
				return err
			}
			docs[i] = doc
		}
		return nil
	})
	return docs, err
}

// VectorsAt returns the vectors of the documents and passages under ords in their
// order, all of one state, nil where there is none.
func (c *Collection) VectorsAt(ords []core.Ord) ([][]float32, error) {
	vectors := make([][]float32, len(ords))
	err := c.store.engine.View(func(r Reader) error {
		for i, ord := range ords {
			v, err := c.vector(r, kindVector, vectorKey(c.number, ord))
			if isNotFound(err) {
				v, err = c.vector(r, kindPassage, passageKey(c.number, ord))
			}
			if err != nil && !isNotFound(err) {
				return fmt.Errorf("vector at ordinal %d of collection %s: %w", ord, c.Config().Name, err)
			}
			vectors[i] = v
		}
		return nil
	})
	return vectors, err
}

// vector reads a vector of that kind.
func (c *Collection) vector(r Reader, kind byte, key []byte) ([]float32, error) {
	record, err := r.Get(key)
	if err != nil {
		return nil, err
	}
	return decodeVector(kind, key, record, c.Config().Dim)
}

// List returns up to limit documents without vectors in the order of their
// ids, beginning behind the id after. next is the last id of the page when
// there are more, "" otherwise.
func (c *Collection) List(after string, limit int) (docs []*core.Document, next string, err error) {
	prefix := kindPrefix(c.number, kindID)
	start := prefix
	if after != "" {
		start = append(idKey(c.number, after), 0) // the first key behind it
	}
	err = c.store.engine.View(func(r Reader) error {
		return r.Scan(start, prefixEnd(prefix), func(key, value []byte) error {
			if len(docs) == limit {
				next = docs[limit-1].ID
				return ErrStopScan
			}
			ord, err := decodeID(key, value)
			if err != nil {
				return err
			}
			doc, err := c.document(r, ord, false)
			if err != nil {
				return err
			}
			docs = append(docs, doc)
			return nil
		})
	})
	return docs, next, err
}

// ord returns the ordinal of id, core.NoOrd when there is none.
func (c *Collection) ord(r Reader, id string) (core.Ord, error) {
	key := idKey(c.number, id)
	record, err := r.Get(key)
	if isNotFound(err) {
		return core.NoOrd, nil
	}
	if err != nil {
		return core.NoOrd, err
	}
	return decodeID(key, record)
}

// document reads the document under ord; the error matches core.ErrNotFound
// when there is none.
func (c *Collection) document(r Reader, ord core.Ord, withVector bool) (*core.Document, error) {
	key := documentKey(c.number, ord)
	record, err := r.Get(key)
	if err != nil {
		return nil, err
	}
	doc, err := decodeDocument(key, record)
	if err != nil {
		return nil, fmt.Errorf("document at ordinal %d of collection %s: %w", ord, c.Config().Name, err)
	}
	if !withVector {
		return doc, nil
	}
	doc.Vector, err = c.vector(r, kindVector, vectorKey(c.number, ord))
	switch {
	case isNotFound(err):
		return nil, fmt.Errorf("document %.80q of collection %s has no vector: %w", doc.ID, c.Config().Name, core.ErrCorrupt)
	case err != nil:
		return nil, fmt.Errorf("vector of document %.80q of collection %s: %w", doc.ID, c.Config().Name, err)
	}
	return doc, nil
}
