package bench

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vecdb/vecdb/index"
)

// mixedLimit ends the inserts of a back end that would take for ever.
const mixedLimit = 60 * time.Second

// mixed builds the index of nine tenths of the vectors, measures searches
// while nothing else happens, then while the last tenth is inserted one by
// one, and at the end the recall on the whole.
func (r *run) mixed(ctx context.Context, b backend) (err error) {
	n := r.data.base.Len()
	cut := n - max(1, n/10)
	x, err := r.build(ctx, b, cut)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, x.close()) }()
	if err := r.tune(ctx, x); err != nil {
		return err
	}
	t := r.newTrial(r.truth, middle(b.settings(r.cfg, x.Index)), r.cfg.Threads[0])
	if err := r.sweep(ctx, x, "idle", []*trial{t}); err != nil {
		return err
	}
	idle, idleQPS := medians(t.times), median(t.qps)
	r.cfg.Progress(fmt.Sprintf("%s: search while %d vectors are inserted", b.name, n-cut))
	got, err := t.underInserts(ctx, x, r.data.items(cut, n))
	if err != nil {
		return err
	}
	if err := r.insert(ctx, x, r.data.items(cut+got.inserted, n)); err != nil {
		return err
	}
	if err := t.tasks[0].ask(ctx, x); err != nil {
		return err
	}
	// The processor's time goes to both, so that it says nothing of searches.
	t.qps, t.perCPU, t.times = []float64{per(len(got.times), got.wall)}, nil, []latency{percentiles(got.times)}
	return r.tell(x, []*trial{t}, func(p *Point) {
		p.Mode, p.Inserted, p.InsertsPerSecond = ModeMixed, got.inserted, per(got.inserted, got.inserting)
		p.IdleQPS, p.IdleP50, p.IdleP99 = idleQPS, idle.p50, idle.p99
	})
}

// mixture is what happened under inserts.
type mixture struct {
	inserted  int
	inserting time.Duration   // from the first insert to the end of the last
	times     []time.Duration // of searches
	wall      time.Duration
}

// underInserts inserts items one by one in a goroutine of its own while the
// tasks ask their queries over and over.
func (t *trial) underInserts(ctx context.Context, x index.Index, items []index.Item) (got mixture, err error) {
	runtime.GC()
	var stop atomic.Bool
	var inserter sync.WaitGroup
	var insertErr error
	times := make([][]time.Duration, len(t.tasks))
	inserter.Go(func() {
		defer stop.Store(true)
		begin := time.Now()
		got.inserted, insertErr = oneByOne(ctx, x, items)
		got.inserting = time.Since(begin)
	})
	// The tasks' own times give way to lists that grow: how often they ask is
	// not known before.
	at := make(map[*task]int)
	for i, w := range t.tasks {
		at[w] = i
	}
	got.wall, err = t.together(func(w *task) error {
		var err error
		times[at[w]], err = w.askUntil(ctx, x, &stop)
		return err
	})
	stop.Store(true)
	inserter.Wait()
	for _, some := range times {
		got.times = append(got.times, some...)
	}
	return got, errors.Join(err, insertErr)
}

// oneByOne returns how many items it inserted before the limit.
func oneByOne(ctx context.Context, x index.Index, items []index.Item) (int, error) {
	deadline := time.Now().Add(mixedLimit)
	for i := range items {
		if time.Now().After(deadline) {
			return i, nil
		}
		if err := x.Insert(ctx, items[i:i+1]); err != nil {
			return i, err
		}
	}
	return len(items), nil
}

// askUntil asks the queries over and over until stop, each one timed; at least
// one.
func (w *task) askUntil(ctx context.Context, x index.Index, stop *atomic.Bool) (times []time.Duration, err error) {
	for i := 0; ; i++ {
		at := i % len(w.queries)
		begin := time.Now()
		if _, err := x.Search(ctx, w.queries[at], w.options[at]); err != nil {
			return times, err
		}
		times = append(times, time.Since(begin))
		if stop.Load() {
			return times, nil
		}
	}
}
