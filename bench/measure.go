package bench

import (
	"context"
	"fmt"
	"math"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/vecdb/vecdb"
	"github.com/vecdb/vecdb/index"
	"github.com/vecdb/vecdb/index/coder"
	"github.com/vecdb/vecdb/index/flat"
	"github.com/vecdb/vecdb/internal/core"
	"github.com/vecdb/vecdb/internal/simd"
)

// backend is an index that can be measured, with the settings to try: breadths
// of the search, 0 for indexes that have none.
type backend struct {
	name string
	make func(index.Config) (index.Index, error)
	efs  []int
}

func backends() []backend {
	return []backend{
		{vecdb.IndexFlat, func(c index.Config) (index.Index, error) { return flat.New(c) }, []int{0}},
		{vecdb.IndexCoder, func(c index.Config) (index.Index, error) { return coder.New(c, coder.Options{}) }, []int{16, 32, 64, 128, 256}},
	}
}

// Backends names the index back ends that can be measured.
func Backends() []string {
	var out []string
	for _, b := range backends() {
		out = append(out, b.name)
	}
	return out
}

func backendOf(name string) (backend, error) {
	for _, b := range backends() {
		if b.name == name {
			return b, nil
		}
	}
	return backend{}, core.Invalid("", "use "+strings.Join(Backends(), ", ")+" or all", "unknown index %q", name)
}

// exact returns, for each query, the scores of the exact neighbours, best
// first.
func exact(ctx context.Context, d *dataset) ([][]index.Neighbor, error) {
	x, err := flat.New(d.cfg)
	if err != nil {
		return nil, err
	}
	if err := x.Insert(ctx, d.base); err != nil {
		return nil, err
	}
	out := make([][]index.Neighbor, len(d.queries))
	for i, q := range d.queries {
		if out[i], err = x.Search(ctx, q, index.Options{K: atK}); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// insertChunk is how many vectors are inserted between two looks at ctx.
const insertChunk = 1024

// measure builds one back end and measures each of its settings.
func measure(ctx context.Context, name string, d *dataset, truth [][]index.Neighbor, cfg Config) ([]Point, error) {
	b, err := backendOf(name)
	if err != nil {
		return nil, err
	}
	cfg.Progress(fmt.Sprintf("%s: insert %d vectors", name, len(d.base)))
	before := heap()
	x, err := b.make(d.cfg)
	if err != nil {
		return nil, err
	}
	start := time.Now()
	for chunk := range slices.Chunk(d.base, insertChunk) {
		if err := x.Insert(ctx, chunk); err != nil {
			return nil, err
		}
	}
	built := time.Since(start)
	perVector := float64(heap()-before) / float64(len(d.base))
	var points []Point
	for _, ef := range b.efs {
		setting := "exact"
		if ef > 0 {
			setting = "ef=" + strconv.Itoa(ef)
		}
		cfg.Progress(fmt.Sprintf("%s: %d queries with %s", name, len(d.queries), setting))
		p, err := ask(ctx, x, d, truth, index.Options{K: atK, Ef: ef}, cfg.Threads)
		if err != nil {
			return nil, err
		}
		p.Index, p.Setting, p.Threads = name, setting, cfg.Threads
		p.BuildSeconds, p.BytesPerVector, p.PeakRSSBytes = built.Seconds(), perVector, peakRSS()
		points = append(points, p)
	}
	runtime.KeepAlive(x)
	return points, nil
}

// ask runs every query once from each of threads goroutines, after a few to
// warm up, and times each.
func ask(ctx context.Context, x index.Index, d *dataset, truth [][]index.Neighbor, o index.Options, threads int) (Point, error) {
	for _, q := range d.queries[:min(20, len(d.queries))] {
		if _, err := x.Search(ctx, q, o); err != nil {
			return Point{}, err
		}
	}
	times := make([][]time.Duration, threads)
	found := make([][]index.Neighbor, len(d.queries))
	errs := make([]error, threads)
	var wg sync.WaitGroup
	start := time.Now()
	for t := range threads {
		wg.Go(func() {
			for i, q := range d.queries {
				begin := time.Now()
				hits, err := x.Search(ctx, q, o)
				times[t] = append(times[t], time.Since(begin))
				if err != nil {
					errs[t] = err
					return
				}
				if t == 0 {
					found[i] = hits
				}
			}
		})
	}
	wg.Wait()
	wall := time.Since(start)
	for _, err := range errs {
		if err != nil {
			return Point{}, err
		}
	}
	all := slices.Concat(times...)
	p := Point{Recall: recall(found, truth), QPS: float64(len(all)) / wall.Seconds()}
	p.P50, p.P95, p.P99 = percentiles(all)
	return p, nil
}

// recall is the mean share of the exact neighbours that were found. A
// neighbour as near as the last exact one counts, so that equal vectors are no
// loss.
func recall(found, truth [][]index.Neighbor) float64 {
	var sum float64
	for i, want := range truth {
		if len(want) == 0 {
			sum++
			continue
		}
		last := want[len(want)-1].Score
		slack := 1e-6 * (1 + float32(math.Abs(float64(last))))
		n := 0
		for _, f := range found[i] {
			if f.Score >= last-slack {
				n++
			}
		}
		sum += float64(min(n, len(want))) / float64(len(want))
	}
	return sum / float64(len(truth))
}

// percentiles returns the 50th, 95th and 99th percentile in microseconds (the
// nearest rank).
func percentiles(times []time.Duration) (p50, p95, p99 float64) {
	slices.Sort(times)
	at := func(p float64) float64 {
		if len(times) == 0 {
			return 0
		}
		i := int(math.Ceil(p*float64(len(times)))) - 1
		return float64(times[max(0, i)].Nanoseconds()) / 1000
	}
	return at(0.50), at(0.95), at(0.99)
}

// heap returns the live memory of the Go heap.
func heap() int64 {
	runtime.GC()
	runtime.GC() // the second also frees what finalizers held
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// peakRSS returns the most memory that the process has held, in bytes, 0 where
// the system does not tell.
func peakRSS() int64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(status)) {
		if rest, found := strings.CutPrefix(line, "VmHWM:"); found {
			kib, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")), 10, 64)
			if err != nil {
				return 0
			}
			return kib << 10
		}
	}
	return 0
}

func kernels() string { return simd.Kernels() }
