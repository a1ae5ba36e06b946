package storage

import (
	"fmt"

	"github.com/vecdb/vecdb/internal/core"
)

// Changes returns up to limit entries of the change log in order, beginning
// with number from. Fewer than limit are returned only at the end of the log.
// A gap or a damaged entry is an error that matches core.ErrCorrupt.
func (c *Collection) Changes(from uint64, limit int) ([]core.Change, error) {
	if err := c.alive(); err != nil {
		return nil, err
	}
	var out []core.Change
	end := prefixEnd(kindPrefix(c.number, kindLog))
	err := c.store.engine.View(func(r Reader) error {
		return r.Scan(logKey(c.number, from), end, func(key, value []byte) error {
			ch, err := decodeChange(key, value)
			if err != nil {
				return err
			}
			if want := from + uint64(len(out)); ch.Seq != want {
				return corrupt(key, fmt.Sprintf("change %d is missing", want))
			}
			out = append(out, ch)
			if len(out) == limit {
				return ErrStopScan
			}
			return nil
		})
	})
	if err != nil {
		return nil, fmt.Errorf("change log of collection %s: %w", c.Config().Name, err)
	}
	return out, nil
}

// alive returns an error when the store is closed or the collection dropped.
func (c *Collection) alive() error {
	c.store.mu.RLock()
	defer c.store.mu.RUnlock()
	if c.store.closed {
		return core.ErrClosed
	}
	return c.kept()
}

// kept returns an error when the collection was dropped. The caller holds the lock
// of the store.
func (c *Collection) kept() error {
	if name := c.Config().Name; c.store.collections[name] != c {
		return fmt.Errorf("collection %s: %w", name, core.ErrNotFound)
	}
	return nil
}
