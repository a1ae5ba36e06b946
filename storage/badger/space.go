package badger

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"sync"

	"github.com/dustin/go-humanize"
	"golang.org/x/sys/unix"

	"github.com/vecdb/vecdb/internal/core"
)

const (
	minFreeBytes = 512 << 20 // default least free space …
	minFreeShare = 100       // … or one part in so many of the file system
	checkBytes   = 16 << 20  // how much is written between two looks at the disk
)

// spaceGuard refuses writes while the file system is nearly full. It looks at
// the disk once every checkBytes, and before every write while it refuses, so
// that writing goes on by itself when space is freed.
type spaceGuard struct {
	dir   string
	least int64 // as in Options.MinFreeBytes

	mu      sync.Mutex // guards the rest
	written int64      // since the last look
	refuse  bool
}

func newSpaceGuard(dir string, least int64) *spaceGuard {
	return &spaceGuard{dir: dir, least: least, written: checkBytes}
}

// check returns an error that matches core.ErrFull when n more bytes should
// not be written.
func (g *spaceGuard) check(n int64) error {
	if g.least < 0 {
		return nil
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.written += n
	if g.written < checkBytes && !g.refuse {
		return nil
	}
	err := g.room(0)
	if err != nil && !errors.Is(err, core.ErrFull) {
		return err
	}
	g.written, g.refuse = 0, err != nil
	return err
}

// room returns an error that matches core.ErrFull when the disk would be nearly
// full with n more bytes.
func (g *spaceGuard) room(n int64) error {
	if g.least < 0 {
		return nil
	}
	var st unix.Statfs_t
	if err := unix.Statfs(g.dir, &st); err != nil {
		return fmt.Errorf("free space of %s: %w", g.dir, err)
	}
	block := st.Bsize
	free, least := int64(st.Bavail)*block, g.least
	if least == 0 {
		least = max(minFreeBytes, int64(st.Blocks)*block/minFreeShare)
	}
	if free-n >= least {
		return nil
	}
	return fmt.Errorf("%w: %s has %s free and %s must stay free; free some space, writing goes on by itself",
		core.ErrFull, g.dir, humanize.IBytes(uint64(free)), humanize.IBytes(uint64(least)))
}

// diskUse returns the space that the files below dir take. Badger's logs are
// sparse, so blocks are counted, not lengths.
func diskUse(dir string) int64 {
	var total int64
	// Files come and go while Badger works; what cannot be read is not counted.
	_ = filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return nil
		}
		var st unix.Stat_t
		if unix.Lstat(p, &st) == nil {
			total += st.Blocks * 512
		}
		return nil
	})
	return total
}
