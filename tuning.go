package vecdb

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vecdb/vecdb/index"
	"github.com/vecdb/vecdb/index/hnsw"
	"github.com/vecdb/vecdb/index/tune"
)

const (
	// tuneLook is how often it is looked whether enough queries were asked.
	tuneLook = time.Minute

	notMeasured = "the recall of the index is not measured" // searches go on without
)

// tuneLatest is how long an import under way, which would be slower, or changes that
// never pause can keep a collection from being measured. Until then searches go by
// the breadths of before, which grow with the collection faster than texts need.
var tuneLatest = 5 * time.Minute

// tuneAfter is how long nothing has changed when a collection is measured.
var tuneAfter = time.Second

// tuneLast is how long a closing collection is measured at most, if that is due.
var tuneLast = 3 * time.Second

// askedQueries is a sample of the queries that were asked of late.
type askedQueries struct {
	full    atomic.Bool // whether there are askedKept
	mu      sync.Mutex  // guards the rest
	vectors [][]float32
}

const (
	askedKept  = 256
	askedShare = 16 // one query in so many is taken once there are askedKept
)

// note takes a copy of q now and then.
func (a *askedQueries) note(q []float32) {
	if a.full.Load() && rand.Uint32()%askedShare != 0 {
		return
	}
	q = slices.Clone(q)
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.vectors) < askedKept {
		a.vectors = append(a.vectors, q)
		a.full.Store(len(a.vectors) == askedKept)
	} else {
		a.vectors[rand.IntN(askedKept)] = q
	}
}

func (a *askedQueries) count() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.vectors)
}

func (a *askedQueries) list() [][]float32 {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.vectors)
}

// tuner measures which breadth of search reaches which recall, at most one at a
// time, and keeps what came out beside the snapshot of the index.
type tuner struct {
	a       *applier
	asked   askedQueries
	imports atomic.Int32 // that are under way

	turn    turn         // of the one who measures
	changes atomic.Int64 // of the index when it was measured
}

// graph is the index where it is one that can be measured.
func (t *tuner) graph() (*hnsw.Index, bool) {
	graph, ok := (*t.a.index.Load()).(*hnsw.Index)
	return graph, ok && graph.HasGraph()
}

// due reports whether the collection is to be measured.
func (t *tuner) due() bool {
	graph, ok := t.graph()
	if !ok {
		return false
	}
	plan := graph.Plan()
	if plan == nil {
		return true
	}
	return plan.Due(graph.Len(), graph.Changes()-t.changes.Load(), t.asked.count())
}

// importing tells of an import until the returned function is called.
func (t *tuner) importing() (done func()) {
	t.imports.Add(1)
	return func() { t.imports.Add(-1) }
}

// follow measures whenever it is due and the collection rests, until ctx ends. One
// that does not rest is measured by few samples in the end.
func (t *tuner) follow(ctx context.Context) {
	var since time.Time // when it became due
	for ctx.Err() == nil {
		moved := t.a.waitMoved()
		due, wait := t.due(), tuneLook
		if !due {
			since = time.Time{}
		} else if since.IsZero() {
			since = time.Now()
		}
		latest := since.Add(tuneLatest)
		if due {
			wait = max(0, min(tuneAfter, time.Until(latest)))
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
		case <-moved:
		case <-timer.C:
			if due && !t.yields(latest) {
				few := wait < tuneAfter || t.imports.Load() > 0
				tellFailure(t.a.logger, notMeasured, t.measure(ctx, t.due, tune.Options{Rest: t.rest(latest), Few: few}))
			}
		}
		timer.Stop()
	}
}

// yields reports whether an import goes first, which it does until latest.
func (t *tuner) yields(latest time.Time) bool {
	return t.imports.Load() > 0 && time.Now().Before(latest)
}

// errOutgrown ends a measurement of a collection that has become another one
// meanwhile, unless it cannot wait any longer.
var errOutgrown = errors.New("the collection has grown too much while it was measured")

// rest returns what leaves the processor to others for as long as it was worked,
// and to an import until that ends.
func (t *tuner) rest(latest time.Time) func(context.Context, time.Duration) error {
	begun := t.size()
	return func(ctx context.Context, worked time.Duration) error {
		const longest = 50 * time.Millisecond
		for wait, waited := min(worked, longest), false; ; wait, waited = longest, true {
			timer := time.NewTimer(wait)
			select {
			case <-ctx.Done():
			case <-timer.C:
			}
			timer.Stop()
			if err := ctx.Err(); err != nil {
				return err
			}
			if !t.yields(latest) {
				if t.size() > begun+begun/outgrown && (waited || time.Now().Before(latest)) {
					return errOutgrown
				}
				return nil
			}
		}
	}
}

// outgrown is the share of its vectors by which a collection may grow while it is
// measured.
const outgrown = 8

// size is how many vectors there are in what is measured.
func (t *tuner) size() int {
	graph, ok := t.graph()
	if !ok {
		return 0
	}
	return graph.Len()
}

// last measures a closing collection that would have to be measured at its next
// opening.
func (t *tuner) last() {
	s := t.a.maker.snapshots
	if s == nil || s.readOnly || !t.due() {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), tuneLast)
	defer cancel()
	tellFailure(t.a.logger, notMeasured, t.measure(ctx, t.due, tune.Options{Few: true}))
}

// measure measures the index, with the Rest and Few of o, once nobody else does
// and if it is still due then.
func (t *tuner) measure(ctx context.Context, due func() bool, o tune.Options) error {
	release, err := t.turn.take(ctx)
	if err != nil {
		return err
	}
	defer release()
	graph, ok := t.graph()
	if !ok || !due() {
		return nil
	}
	changes := graph.Changes()
	o.Asked, o.Metric, o.Seed = t.asked.list(), t.a.maker.cfg.Metric, rand.Uint64()
	o.Vectors = t.a.stored.VectorsAt
	plan, err := tune.Measure(ctx, graph, o)
	switch {
	case errors.Is(err, errOutgrown):
		return nil // it is still due
	case err != nil || plan == nil:
		return err
	}
	graph.SetPlan(plan)
	t.changes.Store(changes)
	return t.save(plan)
}

// planVersion goes up when searches of the same breadth find less than before.
const planVersion = 2

// keptPlan is the form of a plan in its file.
type keptPlan struct {
	Version int       `json:"version"` // planVersion
	Index   string    `json:"index"`   // the back end
	Plan    tune.Plan `json:"plan"`
}

// save writes the plan for the next start.
func (t *tuner) save(plan *tune.Plan) error {
	m := t.a.maker
	if m.snapshots == nil || m.snapshots.readOnly {
		return nil
	}
	data, err := json.Marshal(keptPlan{planVersion, m.kind.name, *plan})
	if err != nil {
		return err
	}
	if err := os.MkdirAll(m.snapshots.dir, 0o755); err != nil {
		return err
	}
	path := m.snapshots.path(m.number, planSuffix)
	if err := os.WriteFile(path+".new", data, 0o644); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

// restore brings back the plan of an earlier run. One that cannot be used is
// made anew.
func (t *tuner) restore() {
	graph, ok := t.graph()
	m := t.a.maker
	if !ok || m.snapshots == nil {
		return
	}
	data, err := os.ReadFile(m.snapshots.path(m.number, planSuffix))
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	var kept keptPlan
	if err == nil {
		err = json.Unmarshal(data, &kept)
	}
	if err == nil {
		err = kept.Plan.Check()
	}
	if err != nil || kept.Version != planVersion || kept.Index != m.kind.name {
		t.a.logger.Info("the measured recall of the index is not used, it will be measured anew", "error", err)
		return
	}
	graph.SetPlan(&kept.Plan)
	t.changes.Store(graph.Changes())
}

// Tune measures now which breadths of search reach which recall, as happens in
// the background when the collection has grown by half. It returns at once
// where every answer is exact anyway.
func (c *Collection) Tune(ctx context.Context) error {
	return c.life.during(ctx, func(ctx context.Context) error {
		return c.applier.tuner.measure(ctx, func() bool { return true }, tune.Options{})
	})
}

// RecallStats tells what searches for a recall come from.
type RecallStats struct {
	Vectors int // in the index when it was measured, 0 while the breadths are preset
	Stored  int // stored vectors that were searched for
	Asked   int // queries of late that were
	Targets []RecallTarget
}

// RecallTarget is a wanted recall with the breadth of search that it gets.
type RecallTarget struct {
	Recall   float64
	K        int
	Ef       int
	Measured float64 // the recall of that breadth
}

// recallStats is nil where every answer is exact.
func recallStats(idx index.Index) *RecallStats {
	graph, ok := idx.(*hnsw.Index)
	if !ok || !graph.HasGraph() {
		return nil
	}
	plan := graph.Plan()
	r := &RecallStats{}
	if plan != nil {
		*r = RecallStats{Vectors: plan.Vectors, Stored: plan.Stored, Asked: plan.Asked}
	}
	for _, target := range []float64{0.9, 0.95, 0.99} {
		at := RecallTarget{Recall: target, K: 10}
		if plan != nil {
			at.Ef = plan.Ef(target, at.K, graph.Len())
			at.Measured = plan.Expected(at.K, at.Ef)
		} else {
			at.Ef = tune.Preset().Ef(target, at.K, graph.Len())
		}
		r.Targets = append(r.Targets, at)
	}
	return r
}
