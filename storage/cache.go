package storage

import (
	"encoding/binary"
	"errors"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vecdb/vecdb/internal/core"
)

// DefaultCacheBytes bounds the cache unless an option says otherwise: about
// 330,000 vectors of 384 numbers.
const DefaultCacheBytes = 512 << 20

// Writes to the cache gather, so that they cost few syncs: what is not written
// yet after a crash is only computed again.
const (
	cacheGather  = 5 * time.Second
	cacheFlush   = 3 << 20  // bytes that are written at once
	cacheWaiting = 32 << 20 // bytes above which new values are not kept
)

// CacheKey is the hash under which a value is kept.
type CacheKey = [32]byte

// Cache keeps values under hashes on the engine of a store, as long as there is
// room. It may forget each of them at any time, and never returns one that was
// not put under the key: every value has a checksum over its key, and one that is
// damaged counts as not there.
//
// Values are in generations. When the newest has taken half of the room, the next
// begins and all but the newest two are erased; a value that is read from the
// older one is written again, so that what is in use stays. It is safe for
// concurrent use.
type Cache struct {
	engine   Engine
	readOnly bool
	limit    int64
	wake     chan struct{} // something waits to be written; capacity 1
	full     chan struct{} // much does; capacity 1
	stop     chan struct{}
	writer   sync.WaitGroup

	hits, misses, damaged atomic.Int64

	mu           sync.Mutex // guards the rest
	waiting      map[CacheKey][]byte
	writing      map[CacheKey][]byte
	waitingBytes int
	now          generations
	closed       bool
}

// generations tells which generation of values is the newest, and what it and the
// one before take in bytes.
type generations struct {
	number        uint32
	bytes, former int64
}

// CacheStats describes a Cache. The counts are since the start.
type CacheStats struct {
	Hits    int64 // values that were asked for and there
	Misses  int64 // those that were not
	Damaged int64 // of the misses, those that were there and damaged
	Bytes   int64 // keys and values stored, about
	Limit   int64 // most bytes
}

// openCache returns the cache of an engine.
func openCache(engine Engine, limit int64, readOnly bool) (*Cache, error) {
	c := &Cache{engine: engine, readOnly: readOnly, limit: limit, wake: make(chan struct{}, 1), full: make(chan struct{}, 1),
		stop: make(chan struct{}), waiting: make(map[CacheKey][]byte)}
	var err error
	if c.now, err = readGenerations(engine); err != nil {
		return nil, err
	}
	if !readOnly {
		c.writer.Go(c.write)
	}
	return c, nil
}

// readGenerations reads where the cache stands. Without a record that holds it
// begins anew, behind all that there may be.
func readGenerations(engine Engine) (g generations, err error) {
	key := cacheStateKey()
	err = engine.View(func(r Reader) error {
		record, err := r.Get(key)
		if err != nil {
			return err
		}
		g, err = decodeGenerations(key, record)
		return err
	})
	switch {
	case isNotFound(err):
		return generations{number: 1}, nil
	case errors.Is(err, core.ErrCorrupt):
		g = generations{number: 1}
		viewErr := engine.View(func(r Reader) error {
			return r.Scan(generationPrefix(0), []byte{areaCache + 1}, func(key, _ []byte) error {
				g.number = max(g.number, binary.BigEndian.Uint32(key[1:])+2)
				return nil
			})
		})
		return g, viewErr
	}
	return g, err
}

// Get returns the values under keys in their order, nil where there is none. They
// must not be changed. What cannot be read counts as not there.
func (c *Cache) Get(keys []CacheKey) [][]byte {
	values := make([][]byte, len(keys))
	c.mu.Lock()
	now := c.now
	for i, key := range keys {
		if values[i] = c.waiting[key]; values[i] == nil {
			values[i] = c.writing[key]
		}
	}
	c.mu.Unlock()
	var again []int // positions of what is in the older generation
	_ = c.engine.View(func(r Reader) error {
		for i := range keys {
			if values[i] != nil {
				continue
			}
			if values[i] = c.read(r, now.number, &keys[i]); values[i] == nil && now.former > 0 {
				if values[i] = c.read(r, now.number-1, &keys[i]); values[i] != nil {
					again = append(again, i)
				}
			}
		}
		return nil
	})
	for _, i := range again {
		c.Put(keys[i:i+1], values[i:i+1])
	}
	hits := int64(0)
	for _, v := range values {
		if v != nil {
			hits++
		}
	}
	c.hits.Add(hits)
	c.misses.Add(int64(len(keys)) - hits)
	return values
}

// read returns the value of one generation, nil when there is none that holds.
func (c *Cache) read(r Reader, generation uint32, hash *CacheKey) []byte {
	key := cacheKey(generation, hash)
	record, err := r.Get(key)
	if isNotFound(err) {
		return nil
	}
	if err == nil {
		var body []byte
		if body, err = open(kindCached, key, record); err == nil && len(body) > 0 {
			return body
		}
	}
	c.damaged.Add(1)
	return nil
}

// Put keeps values under keys; it owns them from then on, and empty ones are not
// kept. They are found at once and written in the background.
func (c *Cache) Put(keys []CacheKey, values [][]byte) {
	if c.readOnly {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, key := range keys {
		if _, there := c.waiting[key]; there || c.closed || len(values[i]) == 0 || c.waitingBytes > cacheWaiting {
			continue
		}
		c.waiting[key] = values[i]
		c.waitingBytes += cachedBytes(values[i])
	}
	if len(c.waiting) > 0 {
		signal(c.wake)
	}
	if c.waitingBytes >= cacheFlush {
		signal(c.full)
	}
}

func signal(to chan struct{}) {
	select {
	case to <- struct{}{}:
	default:
	}
}

// cachedBytes is what a value takes with its key and header.
func cachedBytes(value []byte) int { return len(cacheKey(0, new(CacheKey))) + headerBytes + len(value) }

// write writes what waits, in the background. A failure costs what it concerns;
// the store tells its own writers of it.
func (c *Cache) write() {
	_ = c.sweep(c.now.number)
	for {
		select {
		case <-c.wake:
		case <-c.stop:
			_ = c.flush()
			return
		}
		select {
		case <-c.full:
		case <-time.After(cacheGather):
		case <-c.stop:
		}
		_ = c.flush()
	}
}

// flush writes all that waits.
func (c *Cache) flush() error {
	c.mu.Lock()
	c.writing, c.waiting, c.waitingBytes = c.waiting, make(map[CacheKey][]byte), 0
	writing, now := c.writing, c.now
	c.mu.Unlock()
	defer func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.writing = nil
	}()
	keys := slices.Collect(maps.Keys(writing))
	for len(keys) > 0 {
		n, bytes := 0, 0
		for n < len(keys) && n < maxBatchWrites/2 && (n == 0 || int64(bytes+cachedBytes(writing[keys[n]])) <= min(maxBatchBytes, c.limit/4)) {
			bytes += cachedBytes(writing[keys[n]])
			n++
		}
		next := now
		if now.bytes > 0 && now.bytes+int64(bytes) > c.limit/2 {
			next = generations{number: now.number + 1, former: now.bytes}
		}
		next.bytes += int64(bytes)
		if err := c.apply(next, keys[:n], writing); err != nil {
			return err
		}
		keys = keys[n:]
		c.mu.Lock()
		c.now = next
		c.mu.Unlock()
		if next.number != now.number {
			if err := c.sweep(next.number); err != nil {
				return err
			}
		}
		now = next
	}
	return nil
}

// apply writes values into the newest generation.
func (c *Cache) apply(now generations, keys []CacheKey, values map[CacheKey][]byte) error {
	b := new(Batch)
	for i := range keys {
		key := cacheKey(now.number, &keys[i])
		value := values[keys[i]]
		b.Put(key, seal(key, append(newRecord(kindCached, len(value)), value...)))
	}
	key := cacheStateKey()
	b.Put(key, encodeGenerations(key, now))
	return c.engine.Apply(b)
}

// sweep erases all generations but the given one and the one before.
func (c *Cache) sweep(newest uint32) error {
	if err := erase(c.engine, generationPrefix(0), generationPrefix(newest-1)); err != nil {
		return err
	}
	return erase(c.engine, generationPrefix(newest+1), []byte{areaCache + 1})
}

// eraseCache removes a cache that is not wanted.
func eraseCache(engine Engine) error { return erase(engine, []byte{areaCache}, []byte{areaCache + 1}) }

// Stats returns the cache's figures.
func (c *Cache) Stats() CacheStats {
	c.mu.Lock()
	defer c.mu.Unlock()
	return CacheStats{Hits: c.hits.Load(), Misses: c.misses.Load(), Damaged: c.damaged.Load(),
		Bytes: c.now.bytes + c.now.former, Limit: c.limit}
}

// close writes what waits.
func (c *Cache) close() {
	c.mu.Lock()
	closed := c.closed
	c.closed = true
	c.mu.Unlock()
	if !closed {
		close(c.stop)
		c.writer.Wait()
	}
}
