package bench

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"time"

	"github.com/vecdb/vecdb/index"
	"github.com/vecdb/vecdb/internal/core"
)

// defaultBatch is how many vectors are inserted at a time.
const defaultBatch = 4096

// built is an index with what its building cost.
type built struct {
	index.Index
	name         string
	before       memory // before the index was made
	seconds, cpu float64
	load         float64
	threads      int
	added        int64 // memory by the growth of the process
	bytes        int64 // memory by the index's own count
	disk         int64 // what lies in a file, by the same
	// rows holds the row of each ordinal, noRow for deleted ones. While it is
	// nil, the first ordinals are the rows.
	rows []int
}

const noRow = -1

// build makes an index of the first n vectors.
func (r *run) build(ctx context.Context, b backend, n int) (*built, error) {
	r.cfg.Progress(fmt.Sprintf("%s: insert %d vectors", b.name, n))
	x := &built{name: b.name, before: settled(), threads: r.cfg.BuildThreads, load: loadAverage()}
	begin, cpu := time.Now(), cpuTime()
	var err error
	if x.Index, err = b.make(r.data.cfg); err != nil {
		return nil, err
	}
	if err := r.insert(ctx, x, r.data.items(0, n)); err != nil {
		return nil, errors.Join(err, x.close())
	}
	x.seconds, x.cpu = time.Since(begin).Seconds(), (cpuTime() - cpu).Seconds()
	x.weigh()
	r.cfg.Progress(fmt.Sprintf("%s: built in %s", b.name, since(begin)))
	return x, nil
}

// insert inserts items in chunks. So that as many threads insert as were asked
// for, the process gets no more for that long.
func (r *run) insert(ctx context.Context, x *built, items []index.Item) error {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(x.threads))
	done := 0
	shown := 0 // of what is done
	for chunk := range slices.Chunk(items, r.cfg.BuildBatch) {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := x.Insert(ctx, chunk); err != nil {
			return err
		}
		done += len(chunk)
		if done-shown >= defaultBatch || done == len(items) {
			r.cfg.Advance(x.name+": insert", done, len(items))
			shown = done
		}
	}
	return nil
}

// weigh measures what an index holds: the growth of the process or of the Go
// heap, whichever is more. The first sees memory that does not come from the
// heap, the second memory that fits into what the process had before.
func (x *built) weigh() {
	now := settled()
	x.added = max(now.rss-x.before.rss, now.heap-x.before.heap)
	x.bytes = x.SizeBytes()
	if d, ok := x.Index.(interface{ DiskBytes() int64 }); ok {
		x.disk = d.DiskBytes()
	}
	runtime.KeepAlive(x)
}

// rowOf returns the row of an ordinal.
func (x *built) rowOf(ord core.Ord) (int, bool) {
	if x.rows == nil {
		return int(ord), int(ord) < x.Len()
	}
	if int(ord) >= len(x.rows) || x.rows[ord] == noRow {
		return 0, false
	}
	return x.rows[ord], true
}

// close closes the index where it can be closed.
func (x *built) close() error {
	if c, ok := x.Index.(interface{ Close() error }); ok {
		return c.Close()
	}
	return nil
}

// point reports a trial with its recall.
func (x *built) point(r *run, t *trial, recall float64) Point {
	n := x.Len()
	times := medians(t.times)
	p := Point{
		Index: x.name, Setting: t.name(), Threads: t.threads, Ef: t.ef, Target: t.recall, K: r.data.k, Recall: recall,
		QPS: median(t.qps), QPSPerCPU: median(t.perCPU), P50: times.p50, P95: times.p95, P99: times.p99, Max: times.max,
		BuildSeconds: x.seconds, BuildCPUSeconds: x.cpu, BuildThreads: x.threads, Load: x.load,
		IndexBytes: x.bytes, DiskBytes: x.disk, BytesPerVector: float64(x.bytes) / float64(max(1, n)), RSSAddedBytes: x.added, PeakRSSBytes: peakRSS(),
		Metric: string(r.data.cfg.Metric), Dim: r.data.cfg.Dim, Vectors: n, Queries: len(t.truth.queries), Repeat: r.cfg.Repeat, Seconds: r.cfg.Seconds,
		Host: r.report.Host,
	}
	if p.K == 10 {
		p.RecallAt10 = &recall
	}
	return p
}
