package bench

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/vecdb/vecdb/index"
)

// trial is one setting on one set of queries, with what was measured in each
// round.
type trial struct {
	setting
	truth   *truth
	threads int
	tasks   []*task            // one a thread
	found   [][]index.Neighbor // the answers of the first
	// A number a round:
	qps    []float64
	perCPU []float64 // queries a second of processor time
	times  []latency
}

// task is what one thread does, all of it made before the clock runs. Each
// thread asks every query and begins at another one, so that they do not walk
// through the same memory together.
type task struct {
	queries [][]float32
	options []index.Options
	found   [][]index.Neighbor
	times   []time.Duration
}

func (r *run) newTrial(t *truth, s setting, threads int) *trial {
	out := &trial{setting: s, truth: t, threads: threads}
	for i := range threads {
		out.tasks = append(out.tasks, newTask(t, r.data.k, s, i*len(t.queries)/threads))
	}
	out.found = out.tasks[0].found
	return out
}

func newTask(t *truth, k int, s setting, from int) *task {
	n := len(t.queries)
	w := &task{found: make([][]index.Neighbor, n), times: make([]time.Duration, n)}
	for i := range n {
		at := (from + i) % n
		w.queries = append(w.queries, t.queries[at])
		w.options = append(w.options, index.Options{K: k, Ef: s.ef, Recall: s.recall, Allow: t.restrictedTo(at)})
	}
	return w
}

// sweep measures the trials in rounds, each trial once a round, so that a
// disturbance does not hit one setting alone. In a round a trial asks all
// queries once before the clock runs, then again and again for the rate, with
// nothing but searches in the loop, and at last once with a clock around each,
// for the percentiles.
func (r *run) sweep(ctx context.Context, x *built, what string, trials []*trial) error {
	begin := time.Now()
	for round := range r.cfg.Repeat {
		r.cfg.Progress(fmt.Sprintf("%s: %s, round %d of %d, %d settings with %d queries%s", x.name, what, round+1, r.cfg.Repeat,
			len(trials), len(trials[0].truth.queries), left(begin, round, r.cfg.Repeat)))
		for _, t := range trials {
			if err := t.measure(ctx, x, r.cfg.Seconds); err != nil {
				return fmt.Errorf("%s: %w", t.name(), err)
			}
		}
	}
	return nil
}

// left tells people how long rounds will still take, "" before the first one
// has ended. Nothing is drawn while the clock runs, so that is all they hear.
func left(begin time.Time, done, total int) string {
	if done == 0 {
		return ""
	}
	each := time.Since(begin).Seconds() / float64(done)
	return fmt.Sprintf(", about %.0f s left", each*float64(total-done))
}

func (t *trial) measure(ctx context.Context, x index.Index, seconds float64) error {
	runtime.GC() // what came before is not this trial's to clean up
	once := func(w *task) error { return w.ask(ctx, x) }
	// What is drawn or fetched with the first queries is there after them.
	wall, err := t.together(once)
	if err != nil {
		return err
	}
	rounds := int(math.Ceil(seconds / max(wall.Seconds(), 1e-6)))
	cpu := cpuTime()
	wall, err = t.together(func(w *task) error {
		for range rounds {
			if err := once(w); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	asked := rounds * t.threads * len(t.tasks[0].queries)
	t.qps, t.perCPU = append(t.qps, per(asked, wall)), append(t.perCPU, per(asked, cpuTime()-cpu))
	if _, err := t.together(func(w *task) error { return w.askTimed(ctx, x) }); err != nil {
		return err
	}
	var times []time.Duration
	for _, w := range t.tasks {
		times = append(times, w.times...)
	}
	t.times = append(t.times, percentiles(times))
	return nil
}

// ask asks every query once.
func (w *task) ask(ctx context.Context, x index.Index) error {
	for i, q := range w.queries {
		hits, err := x.Search(ctx, q, w.options[i])
		if err != nil {
			return err
		}
		w.found[i] = hits
	}
	return nil
}

// askTimed asks every query once and times each, which adds about 0.1 µs.
func (w *task) askTimed(ctx context.Context, x index.Index) error {
	for i, q := range w.queries {
		begin := time.Now()
		hits, err := x.Search(ctx, q, w.options[i])
		w.times[i] = time.Since(begin)
		if err != nil {
			return err
		}
		w.found[i] = hits
	}
	return nil
}

// together runs the tasks at once, each on a thread of the system of its own,
// and returns the time from the first one's begin to the last one's end.
func (t *trial) together(do func(*task) error) (time.Duration, error) {
	begins, ends := make([]time.Time, len(t.tasks)), make([]time.Time, len(t.tasks))
	errs := make([]error, len(t.tasks))
	start := make(chan struct{})
	var wg sync.WaitGroup
	for i, w := range t.tasks {
		wg.Go(func() {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			<-start
			begins[i] = time.Now()
			errs[i] = do(w)
			ends[i] = time.Now()
		})
	}
	close(start)
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return 0, err
		}
	}
	return slices.MaxFunc(ends, time.Time.Compare).Sub(slices.MinFunc(begins, time.Time.Compare)), nil
}
