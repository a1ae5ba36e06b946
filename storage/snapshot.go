package storage

import (
	"fmt"

	"github.com/vecdb/vecdb/internal/core"
)

// Snapshot is one state of a collection, for long reads. It is valid while the
// function that was given to Collection.Snapshot runs.
type Snapshot struct {
	c *Collection
	r Reader
	n counters
}

// Snapshot calls fn with the present state of the collection.
func (c *Collection) Snapshot(fn func(Snapshot) error) error {
	return c.store.engine.View(func(r Reader) error {
		// The counters are read from the same state as everything else.
		s := Snapshot{c: c, r: r}
		key := countersKey(c.number)
		record, err := r.Get(key)
		switch {
		case isNotFound(err):
		case err != nil:
			return err
		default:
			if s.n, err = decodeCounters(key, record); err != nil {
				return err
			}
		}
		return fn(s)
	})
}

// Seq returns the number of the last change that the state holds.
func (s Snapshot) Seq() uint64 { return s.n.seq }

// Len returns the number of documents in the state.
func (s Snapshot) Len() int { return int(s.n.count) }

// Documents calls fn for each document in the order of ordinals, with vectors
// only when asked for, until fn returns an error, which it hands back.
func (s Snapshot) Documents(withVectors bool, fn func(core.Ord, *core.Document) error) error {
	prefix := kindPrefix(s.c.number, kindDocument)
	return s.r.Scan(prefix, prefixEnd(prefix), func(key, value []byte) error {
		ord := ordOf(key)
		doc, err := decodeDocument(key, value)
		if err != nil {
			return fmt.Errorf("document at ordinal %d of collection %s: %w", ord, s.c.Config().Name, err)
		}
		if withVectors {
			if doc.Vector, err = s.vector(ord); err != nil {
				return fmt.Errorf("vector of document %.80q of collection %s: %w", doc.ID, s.c.Config().Name, err)
			}
		}
		return fn(ord, doc)
	})
}

func (s Snapshot) vector(ord core.Ord) ([]float32, error) {
	key := vectorKey(s.c.number, ord)
	record, err := s.r.Get(key)
	if isNotFound(err) {
		return nil, corrupt(key, "there is a document and no vector")
	}
	if err != nil {
		return nil, err
	}
	return decodeVector(kindVector, key, record, s.c.Config().Dim)
}
