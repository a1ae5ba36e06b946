// Package bench measures recall and latency of the index back ends, on the
// user's own documents or on given vectors. Of a collection it takes some
// documents as queries, puts the others into each back end, compares the
// answers with the exact ones, and times the queries; besides, it times whole
// queries on the collection, stage by stage.
package bench

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/vecdb/vecdb"
	"github.com/vecdb/vecdb/internal/core"
)

// Limits and defaults of a run.
const (
	DefaultQueries = 1000
	DefaultRepeat  = 3
	DefaultSeconds = 0.3
	DefaultK       = 10
	maxSeconds     = 3600
	minVectors     = 100 // fewer documents say nothing about an index
)

// Config says what is measured. The zero value measures every back end with
// its own settings and one thread.
type Config struct {
	// Indexes are the back ends, for instance flat. Default: all of Backends.
	Indexes []string
	// Queries is how many queries are asked. Of a collection so many documents
	// are held out: default DefaultQueries, at most a fifth of the collection.
	// Of given queries the first so many are asked: default all.
	Queries int
	// Texts are queries to use instead of held-out documents. They are
	// embedded with the collection's model.
	Texts []string
	// K is how many neighbours each query asks for. Default DefaultK.
	K int
	// Threads are how many goroutines ask at once; each number is measured.
	// Default: 1.
	Threads []int
	// BuildThreads is how many threads build an index. Default: the largest
	// of Threads where there are some, else one a core (GOMAXPROCS).
	BuildThreads int
	// BuildBatch is how many vectors are inserted at a time when an index is
	// built. An index may spread them over the threads. Default: 4,096.
	BuildBatch int
	// CPUs are the processors, from 0, that all threads of the process are bound
	// to from when an index is built until it has been measured; Linux only.
	// Default: they are not bound.
	CPUs []int
	// Efs are the breadths of search to measure, for back ends that have such
	// a setting. Default: a list of the back end's own.
	Efs []int
	// Recalls are recalls to measure, above 0 and below 1: the index chooses a
	// breadth for each. With some of them but without Efs, only they are
	// measured of back ends that can. Default: none.
	Recalls []float64
	// Repeat is how often each setting is measured; the medians are reported.
	// Default DefaultRepeat.
	Repeat int
	// Seconds is for how long each setting is asked all queries again and again
	// in a round, at least. Default DefaultSeconds.
	Seconds float64
	// Filters are shares of the vectors, above 0 and up to 1, that searches
	// are restricted to, each measured with every setting. Default: none.
	Filters []float64
	// FilterKinds say which vectors filters allow; each share is measured with
	// each. Default: FilterRandom and FilterClustered.
	FilterKinds []string
	// Mixed measures searches besides while the last tenth of the vectors is
	// inserted, one by one.
	Mixed bool
	// Deletes measures besides in three rounds: half of the vectors are
	// deleted, and inserted again, with a measurement after either.
	Deletes bool
	// Seed picks the held-out documents, the members of filters and the
	// vectors to delete. Default 1.
	Seed uint64
	// Progress is told what is being done, in one goroutine at a time; it may
	// be nil.
	Progress func(doing string)
	// Advance is told how far a longer piece of work has come, in one
	// goroutine at a time; it may be nil. The numbers of a name rise to total,
	// but may come out of order. It is not called while queries are timed.
	Advance func(name string, done, total int)
	// Measured is told each point when it is complete; it may be nil. An error
	// of it ends the run.
	Measured func(Point) error
}

// Run measures the collection as cfg says. An error while it measures comes
// with the report of what was measured until then.
func Run(ctx context.Context, col *vecdb.Collection, cfg Config) (*Report, error) {
	if cfg.Queries <= 0 {
		cfg.Queries = DefaultQueries
	}
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	cfg.Progress("read the collection")
	data, err := load(ctx, col, cfg)
	if err != nil {
		return nil, err
	}
	if data.base.Len() < cfg.K {
		return nil, tooFew(cfg.K, data.base.Len())
	}
	r := newRun(cfg, data)
	r.report.Collection, r.report.Serving = col.Name(), col.IndexStats().Kind
	if err := r.findTruth(ctx); err != nil {
		return nil, err
	}
	if err := r.measureAll(ctx); err != nil {
		return r.report, err
	}
	if len(data.texts) > 0 {
		cfg.Progress("time " + strconv.Itoa(len(data.texts)) + " whole queries")
		r.report.Stages, err = stages(ctx, col, data.texts, cfg.K)
	}
	return r.report, err
}

// withDefaults checks what is set and fills in the rest, but for Queries.
func (c Config) withDefaults() (Config, error) {
	if len(c.Indexes) == 0 {
		c.Indexes = Backends()
	}
	if c.K == 0 {
		c.K = DefaultK
	}
	if c.BuildThreads == 0 {
		c.BuildThreads = runtime.GOMAXPROCS(0)
		if len(c.Threads) > 0 {
			c.BuildThreads = slices.Max(c.Threads)
		}
	}
	if c.BuildBatch == 0 {
		c.BuildBatch = defaultBatch
	}
	if len(c.Threads) == 0 {
		c.Threads = []int{1}
	}
	if c.Repeat == 0 {
		c.Repeat = DefaultRepeat
	}
	if c.Seconds == 0 {
		c.Seconds = DefaultSeconds
	}
	if len(c.FilterKinds) == 0 {
		c.FilterKinds = []string{FilterRandom, FilterClustered}
	}
	if c.Seed == 0 {
		c.Seed = 1
	}
	if c.Measured == nil {
		c.Measured = func(Point) error { return nil }
	}
	c.Progress, c.Advance = oneAtATime(c.Progress, c.Advance)
	return c, c.check()
}

// check refuses what cannot be measured.
func (c Config) check() error {
	for _, name := range c.Indexes {
		if _, err := backendOf(name); err != nil {
			return err
		}
	}
	for _, kind := range c.FilterKinds {
		if !slices.Contains(FilterKinds(), kind) {
			return core.Invalid("", "use "+strings.Join(FilterKinds(), ", "), "unknown kind of filter %q", kind)
		}
	}
	for _, share := range c.Filters {
		if !(share > 0 && share <= 1) {
			return core.Invalid("", "give shares such as 0.1", "a filter cannot allow %v of the vectors", share)
		}
	}
	tooSmall := func(n int) bool { return n < 1 }
	switch {
	case c.K < 1:
		return core.Invalid("", "ask for at least 1", "k is %d", c.K)
	case slices.ContainsFunc(c.Threads, tooSmall):
		return core.Invalid("", "give numbers of at least 1", "%v threads cannot ask", c.Threads)
	case c.BuildThreads < 1:
		return core.Invalid("", "give a number of at least 1", "%d threads cannot build", c.BuildThreads)
	case c.BuildBatch < 1:
		return core.Invalid("", "give a number of at least 1", "%d vectors cannot be inserted at a time", c.BuildBatch)
	case slices.ContainsFunc(c.CPUs, func(n int) bool { return n < 0 }):
		return core.Invalid("", "count from 0", "the processors are %v", c.CPUs)
	case slices.ContainsFunc(c.Efs, tooSmall):
		return core.Invalid("", "give numbers of at least 1", "the breadths of search are %v", c.Efs)
	case slices.ContainsFunc(c.Recalls, func(r float64) bool { return !(r > 0 && r < 1) }):
		return core.Invalid("", "give numbers such as 0.95", "the wanted recalls are %v", c.Recalls)
	case c.Repeat < 1:
		return core.Invalid("", "measure at least once", "each setting is to be measured %d times", c.Repeat)
	case !(c.Seconds > 0 && c.Seconds <= maxSeconds):
		return core.Invalid("", fmt.Sprintf("give seconds above 0 and up to %d", maxSeconds), "each setting is to be measured for %v s", c.Seconds)
	}
	return nil
}

// oneAtATime keeps goroutines from calling the functions at once.
func oneAtATime(progress func(string), advance func(string, int, int)) (func(string), func(string, int, int)) {
	var mu sync.Mutex // guards the calls
	return func(doing string) {
			mu.Lock()
			defer mu.Unlock()
			if progress != nil {
				progress(doing)
			}
		}, func(name string, done, total int) {
			mu.Lock()
			defer mu.Unlock()
			if advance != nil {
				advance(name, done, total)
			}
		}
}

// pick returns n different numbers below total, in an order that depends on
// the seed alone.
func pick(seed uint64, n, total int) []int {
	return rand.New(rand.NewPCG(seed, seed)).Perm(total)[:n]
}
