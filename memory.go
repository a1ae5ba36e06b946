package vecdb

import (
	"fmt"
	"sync"

	"github.com/dustin/go-humanize"

	"github.com/vecdb/vecdb/index"
	"github.com/vecdb/vecdb/internal/core"
	"github.com/vecdb/vecdb/internal/memory"
)

const (
	memoryKept  = 64 << 20 // bytes that stay for everything but indexes
	memoryLook  = 4 << 20  // bytes of growth between two looks at the system
	memoryAhead = 100_000  // further vectors whose mean a further one is said to cost
)

// IndexBytes predicts the memory of an index back end with n vectors, in bytes;
// "" stands for IndexHNSW. An unknown name or an impossible configuration is an
// error that matches ErrInvalid.
func IndexBytes(kind string, cfg index.Config, n int) (int64, error) {
	if err := checkIndexKind(kind); err != nil {
		return 0, err
	}
	cfg, err := cfg.Check()
	if err != nil {
		return 0, err
	}
	return kindOf(kind).bytes(cfg, n)
}

// IndexDiskBytes predicts how many bytes the same vectors take in the file of an
// index that is not all in memory, besides what is stored of them and the
// snapshot of the index.
func IndexDiskBytes(kind string, cfg index.Config, n int) (int64, error) {
	if err := checkIndexKind(kind); err != nil {
		return 0, err
	}
	cfg, err := cfg.Check()
	if err != nil {
		return 0, err
	}
	return kindOf(kind).diskBytes(cfg, n)
}

// diskBytes is how much of an index lies in a file.
func diskBytes(idx index.Index) int64 {
	if d, ok := idx.(interface{ DiskBytes() int64 }); ok {
		return d.DiskBytes()
	}
	return 0
}

// AvailableMemory returns how many bytes of memory the system, and the container
// that the process may run in, have left for indexes; ok is false where the
// system does not tell.
func AvailableMemory() (bytes int64, ok bool) {
	n, err := memory.Available()
	return max(0, n-memoryKept), err == nil
}

// AvailableMemory returns what Options.MemoryAvailable does.
func (db *DB) AvailableMemory() (bytes int64, known bool) { return db.memory.available() }

// memoryGuard refuses what would not fit into memory. It looks at the system
// once for each memoryLook bytes of growth, and before every write while it
// refuses.
type memoryGuard struct {
	ignore    bool
	available func() (int64, bool)

	mu     sync.Mutex // guards the rest
	grown  int64      // since the last look
	refuse bool
}

func newMemoryGuard(o Options) *memoryGuard {
	g := &memoryGuard{ignore: o.IgnoreMemory, available: AvailableMemory, grown: memoryLook}
	if o.MemoryAvailable != nil {
		g.available = o.MemoryAvailable
	}
	return g
}

// check returns an error that matches ErrMemory when n more bytes do not fit;
// waiting more are on their way already.
func (g *memoryGuard) check(kind string, docs int, n, waiting int64) error {
	if g.ignore {
		return nil
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.grown += n; g.grown < memoryLook && !g.refuse {
		return nil
	}
	have, known := g.available()
	g.grown = 0
	g.refuse = known && n+waiting > have
	if !g.refuse {
		return nil
	}
	return memoryError(kind, docs, n+waiting, have)
}

// SmallerIndexes names the back ends that take less memory than one, and how much
// of what IndexHNSW takes; "" when there is none.
func SmallerIndexes(kind string) string {
	compact, disk := IndexHNSWCompact+" (about a quarter)", IndexHNSWDisk+" (about an eighth, the rest in a file)"
	switch kind {
	case IndexHNSWDisk:
		return ""
	case IndexHNSWCompact:
		return "index " + IndexHNSWDisk + " (about half, the rest in a file)"
	}
	return "index " + compact + " or " + disk
}

// memoryError says what does not fit and what to do.
func memoryError(kind string, docs int, need, have int64) error {
	hint := "free memory, or open the database with "
	if smaller := SmallerIndexes(kind); smaller != "" {
		hint += smaller + ", or with "
	}
	return &core.InputError{Cause: ErrMemory, Hint: hint + "IgnoreMemory (the command: --ignore-memory)",
		Detail: fmt.Sprintf("%s documents or passages need about %s more memory, %s is available", humanize.Comma(int64(docs)), humanize.IBytes(uint64(need)), humanize.IBytes(uint64(have)))}
}

// memoryFor predicts what n more documents take: vectors by the layout of the
// index, ids, fields and words by what the present ones take.
func (c *Collection) memoryFor(n int) int64 {
	fields := int64(0)
	if docs := c.stored.Len(); docs > 0 {
		fields = (c.fields.SizeBytes() + c.applier.words.SizeBytes()) / int64(docs) * int64(n)
	}
	return c.memoryForVectors(n) + fields
}

// memoryForVectors predicts what n more vectors take.
func (c *Collection) memoryForVectors(n int) int64 {
	cfg := index.Config{Dim: c.Info().Dim, Metric: index.Metric(c.Info().Metric)}
	have := c.index().Len()
	now, err := kindOf(c.db.options.Index).bytes(cfg, have)
	if err != nil {
		return 0
	}
	then, err := kindOf(c.db.options.Index).bytes(cfg, have+n)
	if err != nil {
		return 0
	}
	return max(0, then-now)
}

// diskFor predicts what n more documents take in the file of the index.
func (c *Collection) diskFor(n int) int64 {
	cfg := index.Config{Dim: c.Info().Dim, Metric: index.Metric(c.Info().Metric)}
	have := c.index().Len()
	now, err := kindOf(c.db.options.Index).diskBytes(cfg, have)
	if err != nil {
		return 0
	}
	then, err := kindOf(c.db.options.Index).diskBytes(cfg, have+n)
	if err != nil {
		return 0
	}
	return max(0, then-now)
}

// PredictBytes predicts how many bytes of memory n more documents take, ids and
// fields included as far as those there are tell.
func (c *Collection) PredictBytes(n int) int64 { return c.memoryFor(max(0, n)) }

// checkMemory refuses n documents that do not fit into memory.
func (c *Collection) checkMemory(n int) error {
	pending := int(c.stored.LastSeq() - min(c.applier.position(), c.stored.LastSeq()))
	return c.db.memory.check(c.db.options.Index, n, c.memoryFor(n), c.memoryFor(pending))
}

// checkPassages refuses n vectors of passages that do not fit into memory.
func (c *Collection) checkPassages(n int) error {
	if n == 0 {
		return nil
	}
	return c.db.memory.check(c.db.options.Index, n, c.memoryForVectors(n), 0)
}
