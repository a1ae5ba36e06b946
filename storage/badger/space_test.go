package badger

import (
	"errors"
	"testing"

	"github.com/vecdb/vecdb/internal/core"
	"github.com/vecdb/vecdb/storage"
)

// Another program fills the disk between two small writes, and frees it again.
func TestADiskThatOthersFillRefusesTheNextWrite(t *testing.T) {
	e, err := Open(t.TempDir(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	var free int64
	e.space.stat = func(string) (int64, int64, error) { return free, 200 * minFreeBytes, nil }
	write := func() error {
		b := new(storage.Batch)
		b.Put([]byte("a"), []byte("1"))
		return e.Apply(b)
	}
	const least = 2 * minFreeBytes // a hundredth of the disk
	for i, want := range []struct {
		free int64
		full bool
	}{{least + 1000, false}, {least, true}, {0, true}, {least + 1000, false}, {least - 1, true}} {
		free = want.free
		if err := write(); errors.Is(err, core.ErrFull) != want.full || !want.full && err != nil {
			t.Errorf("write %d with %d bytes free: %v", i, free, err)
		}
	}
}

func TestRoomToOpen(t *testing.T) {
	for _, c := range []struct {
		least, free int64
		full        bool
	}{
		{0, openBytes, false}, {0, openBytes - 1, true}, {0, 0, true},
		{1 << 20, 1 << 20, false}, {1 << 20, 1<<20 - 1, true},
		{1 << 60, openBytes, false}, {-1, 0, false},
	} {
		g := spaceGuard{least: c.least, stat: func(string) (int64, int64, error) { return c.free, 1 << 40, nil }}
		if err := g.roomToOpen(); errors.Is(err, core.ErrFull) != c.full || !c.full && err != nil {
			t.Errorf("%d bytes free of which %d must stay: %v", c.free, c.least, err)
		}
	}
}
