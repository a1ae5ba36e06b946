package storage_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"sync"
	"testing"

	"github.com/vecdb/vecdb/storage"
	"github.com/vecdb/vecdb/storage/badger"
	"github.com/vecdb/vecdb/storage/faulty"
	"github.com/vecdb/vecdb/storage/mem"
)

// lasting keeps an engine open when its store is closed.
type lasting struct{ storage.Engine }

func (lasting) Close() error { return nil }

func openCache(t testing.TB, e storage.Engine, limit int64) (*storage.Store, *storage.Cache) {
	t.Helper()
	s, err := storage.Open(e, storage.Options{CacheBytes: limit})
	if err != nil {
		t.Fatal(err)
	}
	return s, s.Cache()
}

func closeStore(t testing.TB, s *storage.Store) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// entry returns the n-th key and its value.
func entry(n, size int) (storage.CacheKey, []byte) {
	var k storage.CacheKey
	binary.LittleEndian.PutUint64(k[8:], uint64(n))
	return k, bytes.Repeat([]byte(fmt.Sprintf("%07d.", n)), size/8)
}

func putEntries(c *storage.Cache, from, to, size int) {
	for n := from; n < to; n++ {
		k, v := entry(n, size)
		c.Put([]storage.CacheKey{k}, [][]byte{v})
	}
}

// found counts the entries that are there, and fails on a wrong one.
func found(t testing.TB, c *storage.Cache, from, to, size int) (there int) {
	t.Helper()
	for n := from; n < to; n++ {
		k, want := entry(n, size)
		switch got := c.Get([]storage.CacheKey{k})[0]; {
		case bytes.Equal(got, want):
			there++
		case got != nil:
			t.Fatalf("entry %d is %q", n, got)
		}
	}
	return there
}

// stored returns the bytes under the cache's keys.
func stored(t testing.TB, e storage.Engine) (n int64) {
	t.Helper()
	err := e.View(func(r storage.Reader) error {
		return r.Scan([]byte{'k'}, []byte{'l'}, func(k, v []byte) error {
			n += int64(len(k) + len(v))
			return nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestCacheOutlivesItsStore(t *testing.T) {
	dir := t.TempDir()
	openDir := func(limit int64, readOnly bool) (*storage.Store, *storage.Cache) {
		e, err := badger.Open(dir, badger.Options{MinFreeBytes: -1, ReadOnly: readOnly})
		if err != nil {
			t.Fatal(err)
		}
		s, err := storage.Open(e, storage.Options{CacheBytes: limit, ReadOnly: readOnly})
		if err != nil {
			t.Fatal(err)
		}
		return s, s.Cache()
	}
	s, c := openDir(0, false)
	putEntries(c, 0, 2000, 1600)
	if n := found(t, c, 0, 2000, 1600); n != 2000 {
		t.Errorf("%d of 2000 are found at once", n)
	}
	sound(t, s)
	closeStore(t, s)

	s, c = openDir(0, true)
	putEntries(c, 5000, 5001, 1600)
	if n := found(t, c, 0, 6000, 1600); n != 2000 {
		t.Errorf("%d of 2000 are found by a reader", n)
	}
	if st := c.Stats(); st.Hits != 2000 || st.Misses != 4000 || st.Bytes < 2000*1600 || st.Limit != storage.DefaultCacheBytes {
		t.Errorf("the figures are %+v", st)
	}
	closeStore(t, s)

	s, c = openDir(-1, false)
	if c != nil {
		t.Error("there is a cache that is off")
	}
	closeStore(t, s)
	s, c = openDir(0, false)
	if n := found(t, c, 0, 2000, 1600); n != 0 || c.Stats().Bytes != 0 {
		t.Errorf("%d are left of a cache that was off", n)
	}
	closeStore(t, s)
}

func TestCacheStaysWithinItsBoundAndKeepsWhatIsUsed(t *testing.T) {
	e := lasting{mem.New()}
	const limit, size, used = 1 << 20, 1024, 40
	most := int64(0)
	for round := range 12 {
		s, c := openCache(t, e, limit)
		if n := found(t, c, 0, used, size); round > 0 && n != used {
			t.Fatalf("round %d: %d of %d that are in use are left", round, n, used)
		}
		putEntries(c, 0, used, size)
		putEntries(c, 1000*(round+1), 1000*(round+1)+200, size)
		closeStore(t, s)
		most = max(most, stored(t, e))
		if st := c.Stats(); st.Bytes > limit || st.Bytes < stored(t, e)*9/10 {
			t.Errorf("round %d: the cache tells %d bytes, %d are stored", round, st.Bytes, stored(t, e))
		}
	}
	if most > limit+limit/20 || most < limit/2 {
		t.Errorf("the cache has taken %d bytes, the limit is %d", most, limit)
	}
	s, c := openCache(t, e, limit)
	if n := found(t, c, 1000, 1200, size); n != 0 {
		t.Errorf("%d of the oldest are there", n)
	}
	if n := found(t, c, 12000, 12200, size); n != 200 {
		t.Errorf("%d of the newest 200 are there", n)
	}
	closeStore(t, s)
}

func TestDamagedCacheIsNeverWrong(t *testing.T) {
	inner := lasting{mem.New()}
	s, c := openCache(t, inner, 0)
	putEntries(c, 0, 50, 64)
	closeStore(t, s)
	e := faulty.New(inner)
	s, c = openCache(t, e, 0)
	defer closeStore(t, s)
	for bit := range 8 * (6 + 64) {
		e.FailRead(&faulty.Rule{Prefix: []byte{'k'}, Flip: true, FlipBit: bit})
		if n := found(t, c, 0, 50, 64); n != 0 {
			t.Errorf("bit %d: %d of 50 damaged ones are returned", bit, n)
		}
	}
	e.FailRead(&faulty.Rule{Prefix: []byte{'k'}})
	if n := found(t, c, 0, 50, 64); n != 0 {
		t.Errorf("%d of 50 are returned that cannot be read", n)
	}
	if st := c.Stats(); st.Damaged != st.Misses || st.Misses != 50*(8*70+1) {
		t.Errorf("the figures are %+v", st)
	}
	e.FailRead(nil)
	if n := found(t, c, 0, 50, 64); n != 50 {
		t.Errorf("%d of 50 are returned", n)
	}
}

func TestCacheWithoutItsNumbersBeginsAnew(t *testing.T) {
	e := lasting{mem.New()}
	s, c := openCache(t, e, 1<<20)
	putEntries(c, 0, 300, 1024)
	closeStore(t, s)
	b := new(storage.Batch)
	b.Put([]byte{'k'}, []byte("not a record"))
	if err := e.Apply(b); err != nil {
		t.Fatal(err)
	}
	s, c = openCache(t, e, 1<<20)
	if n := found(t, c, 0, 300, 1024); n != 0 {
		t.Errorf("%d are there that are not counted", n)
	}
	putEntries(c, 400, 410, 1024)
	closeStore(t, s)
	if n := stored(t, e); n > 11*1200 {
		t.Errorf("%d bytes are stored", n)
	}
	s, c = openCache(t, e, 1<<20)
	if n := found(t, c, 400, 410, 1024); n != 10 {
		t.Errorf("%d of 10 are there", n)
	}
	closeStore(t, s)
}

func TestCacheThatCannotBeWrittenHarmsNothing(t *testing.T) {
	e := faulty.New(mem.New())
	s, c := openCache(t, e, 0)
	col := create(t, s, "a")
	e.FailApply(&faulty.Rule{})
	putEntries(c, 0, 3000, 1024) // more than is gathered
	e.FailApply(nil)
	commit(t, col, put(doc("1", "text")))
	found(t, c, 0, 3000, 1024)
	sound(t, s)
	closeStore(t, s)
	putEntries(c, 0, 10, 64) // forgotten
	if n := found(t, c, 5000, 5010, 64); n != 0 {
		t.Errorf("%d are found in a store that is closed", n)
	}
}

func TestCacheIsSafeForConcurrentUse(t *testing.T) {
	e := lasting{mem.New()}
	s, c := openCache(t, e, 1<<20)
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for n := range 400 {
				putEntries(c, 100*g+n, 100*g+n+1, 2048)
				found(t, c, n, n+2, 2048)
			}
		})
	}
	wg.Wait()
	closeStore(t, s)
	if n := stored(t, e); n > 1<<20+1<<17 {
		t.Errorf("%d bytes are stored", n)
	}
}
