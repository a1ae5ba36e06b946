package badger

import (
	"fmt"
	"io/fs"
	"math"
	"path/filepath"

	"github.com/dustin/go-humanize"
	"golang.org/x/sys/unix"

	"github.com/vecdb/vecdb/internal/core"
)

const (
	minFreeBytes = 512 << 20 // default least free space …
	minFreeShare = 100       // … or one part in so many of the file system
	// openBytes is what opening for writing takes at most: Badger writes the tables
	// that were in memory, four of them, and begins new logs.
	openBytes = 4*memTableBytes + 16<<20
)

// spaceGuard tells when the file system is nearly full. Badger writes through
// mapped memory, and a process that writes there to a disk without room is killed,
// so that it is asked before every write: others fill disks too. Asking takes a
// few microseconds, a write waits for the disk.
type spaceGuard struct {
	dir   string
	least int64 // as in Options.MinFreeBytes
	stat  func(dir string) (free, size int64, err error)
}

func newSpaceGuard(dir string, least int64) *spaceGuard {
	return &spaceGuard{dir: dir, least: least, stat: statDisk}
}

// statDisk returns what is free of the file system of dir, and its size, in bytes.
func statDisk(dir string) (free, size int64, err error) {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return 0, 0, err
	}
	block := st.Bsize
	return int64(st.Bavail) * block, int64(st.Blocks) * block, nil
}

// room returns an error that matches core.ErrFull when the disk would be nearly
// full with n more bytes.
func (g *spaceGuard) room(n int64) error {
	free, least, err := g.look()
	if err != nil || free-n >= least {
		return err
	}
	return fmt.Errorf("%w: %s has %s free and %s must stay free; free some space, writing goes on by itself",
		core.ErrFull, g.dir, humanize.IBytes(uint64(free)), humanize.IBytes(uint64(least)))
}

// roomToOpen returns an error that matches core.ErrFull when the disk is so full
// that opening for writing could kill the process.
func (g *spaceGuard) roomToOpen() error {
	free, least, err := g.look()
	least = min(least, openBytes)
	if err != nil || free >= least {
		return err
	}
	return fmt.Errorf("%w: %s has %s free and opening a database for writing takes up to %s; free some space",
		core.ErrFull, g.dir, humanize.IBytes(uint64(free)), humanize.IBytes(uint64(least)))
}

// look returns the free space and what must stay free, in bytes. Without a check
// there is always enough.
func (g *spaceGuard) look() (free, least int64, err error) {
	if g.least < 0 {
		return math.MaxInt64, 0, nil
	}
	free, size, err := g.stat(g.dir)
	if err != nil {
		return 0, 0, fmt.Errorf("free space of %s: %w", g.dir, err)
	}
	if g.least > 0 {
		return free, g.least, nil
	}
	return free, max(minFreeBytes, size/minFreeShare), nil
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
