package vecdb

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"runtime"
	"sync"
	"time"

	"github.com/vecdb/vecdb/index/snapshot"
	"github.com/vecdb/vecdb/internal/core"
	"github.com/vecdb/vecdb/internal/framed"
	"github.com/vecdb/vecdb/recommender"
	"github.com/vecdb/vecdb/train"
)

// A model of recommendations is trained anew when nothing has happened for a
// while, and one in relearnShare of what users did is new.
const relearnShare = 20

// tasteForm is the file that keeps the model of a collection. Its body holds a
// keptModel, framed, and the model.
var tasteForm = keptForm{suffix: ".taste", magic: "vecdb taste 1\n", what: "recommendations"}

// advisor keeps what is recommended by in step with the events of a collection.
// Histories are there at once; the model of what goes together is trained in
// the background, and saved.
type advisor struct {
	c        *Collection
	behavior *recommender.Behavior
	logger   *slog.Logger
	cancel   context.CancelFunc
	running  sync.WaitGroup
	turn     turn          // of the one who trains a model
	woken    chan struct{} // gets one when something has happened

	mu    sync.RWMutex // guards the rest
	state advice
	erase bool // something was deleted that the model has learnt from
}

// advice is a model and what it was made of.
type advice struct {
	model   *recommender.Model // nil where there is none
	why     string             // why there is none
	version int                // grows with each training
	seq     uint64             // the last event that was there
	count   uint64             // the events that were there
	changes uint64             // the last change of documents that was there
	tried   bool
}

// keptModel is what the file tells about a model beside itself.
type keptModel struct {
	Version int    `json:"version"`
	Seq     uint64 `json:"seq"`
	Count   uint64 `json:"count"`
	Changes uint64 `json:"changes"`
	Created int64  `json:"created"` // when the collection was made
}

// startAdvisor reads the events and the model of an earlier run, and starts
// following the events.
func startAdvisor(c *Collection) (*advisor, error) {
	behavior, err := loadBehavior(c.stored)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	a := &advisor{c: c, behavior: behavior, logger: c.db.options.Logger.With("collection", c.Name()), cancel: cancel,
		turn: newTurn(), woken: make(chan struct{}, 1)}
	state, err := a.load()
	switch {
	case err == nil:
		a.state = state
		// Each event since has taken a number; a deletion takes one and leaves
		// fewer events.
		a.erase = c.stored.EventCount()-state.count != c.stored.EventSeq()-state.seq
	case !errors.Is(err, fs.ErrNotExist):
		a.logger.Warn("the kept model of recommendations cannot be used, it will be trained again", "error", err)
	}
	if !c.db.options.ReadOnly {
		a.running.Go(func() { a.follow(ctx) })
	}
	return a, nil
}

func (a *advisor) close() {
	a.cancel()
	a.running.Wait()
}

// add takes events that have been stored.
func (a *advisor) add(fresh []core.Event) {
	a.behavior.Add(fresh)
	a.wake()
}

// forget leaves out events that have been deleted.
func (a *advisor) forget(f EventFilter, seq uint64) {
	a.behavior.Forget(f.User, f.Item, seq)
	a.mu.Lock()
	a.erase = true
	a.mu.Unlock()
	a.wake()
}

func (a *advisor) wake() {
	select {
	case a.woken <- struct{}{}:
	default:
	}
}

// follow trains when enough has happened and the collection rests, until ctx
// ends.
func (a *advisor) follow(ctx context.Context) {
	for ctx.Err() == nil {
		moved := a.c.applier.waitMoved()
		timer := time.NewTimer(trainAfter)
		select {
		case <-ctx.Done():
		case <-a.woken:
		case <-moved:
		case <-timer.C:
			tellFailure(a.logger, "recommendations are not learnt", a.catchUp(ctx, a.due, recommender.Options{Workers: max(1, runtime.GOMAXPROCS(0)/2)}))
			select {
			case <-ctx.Done():
			case <-moved:
			case <-a.woken:
			}
		}
		timer.Stop()
	}
}

func (a *advisor) get() advice {
	a.mu.RLock()
	defer a.mu.RUnlock()
	return a.state
}

// due reports whether enough has happened to learn again.
func (a *advisor) due(have advice) bool {
	a.mu.RLock()
	erase := a.erase
	a.mu.RUnlock()
	size := a.behavior.Size()
	if erase || have.model == nil {
		return true
	}
	since := int(min(size.Seq-min(have.seq, size.Seq), 1<<40))
	return since*relearnShare >= size.Pairs || a.unlearnt(have)*relearnShare >= have.model.Info().Items
}

// stale reports whether a model learnt now could be another one.
func (a *advisor) stale(have advice) bool {
	return have.seq != a.behavior.Size().Seq || have.changes != a.c.stored.LastSeq() && (have.model == nil || a.unlearnt(have) > 0)
}

// hasUnlearnt is the due of callers who wait for what documents change.
func (a *advisor) hasUnlearnt(have advice) bool { return a.unlearnt(have) > 0 }

// unlearnt counts the items of events that are documents by now and that the
// model does not know.
func (a *advisor) unlearnt(have advice) int {
	var ids []string
	for _, id := range a.behavior.Items() {
		if have.model == nil || !have.model.Knows(id) {
			ids = append(ids, id)
		}
	}
	ords, err := a.c.stored.Ords(ids)
	if err != nil {
		return 0
	}
	n := 0
	for _, ord := range ords {
		if ord != core.NoOrd {
			n++
		}
	}
	return n
}

// catchUp trains the model if it could be another one by now and due asks for
// it.
func (a *advisor) catchUp(ctx context.Context, due func(advice) bool, o recommender.Options) error {
	release, err := a.turn.take(ctx)
	if err != nil {
		return err
	}
	defer release()
	have := a.get()
	if a.behavior.Size().Seq == 0 || have.tried && !a.stale(have) || !due(have) {
		return nil
	}
	next := advice{version: have.version + 1, count: a.c.stored.EventCount(), changes: a.c.stored.LastSeq(), tried: true}
	a.mu.Lock()
	a.erase = false
	a.mu.Unlock()
	next.seq = a.behavior.Size().Seq
	model, err := recommender.Train(ctx, a.behavior, a.vectors, o)
	switch {
	case errors.Is(err, recommender.ErrNothing):
		next.why = err.Error()
	case err != nil:
		a.mu.Lock()
		a.erase = true // perhaps; training once more does no harm
		a.mu.Unlock()
		return err
	default:
		next.model, next.seq = model, model.Info().Seq
		i := model.Info()
		a.logger.Info("recommendations are learnt", "items", i.Items, "users", i.Users, "pairs", i.Pairs, "seconds", i.Took)
	}
	a.mu.Lock()
	a.state = next
	a.mu.Unlock()
	if err := a.save(next); err != nil {
		a.logger.Warn("the model of recommendations is not saved, it will be trained again at the next start", "error", err)
	}
	return nil
}

// vectors returns the vectors of documents, nil where there is none.
func (a *advisor) vectors(ids []string) ([][]float32, error) {
	ords, err := a.c.stored.Ords(ids)
	if err != nil {
		return nil, err
	}
	return a.c.stored.VectorsAt(ords)
}

// save writes the model for the next start, or takes the file away where there
// is none.
func (a *advisor) save(s advice) error {
	to, number := a.c.db.snapshots, a.c.stored.Number()
	if !to.keeps() {
		return nil
	}
	if s.model == nil {
		return snapshot.Remove(to.path(number, tasteForm.suffix))
	}
	var body bytes.Buffer
	if _, err := framed.Write(&body, keptModel{s.version, s.seq, s.count, s.changes, a.c.Info().Created.UnixNano()}); err != nil {
		return err
	}
	if _, err := s.model.WriteTo(&body); err != nil {
		return err
	}
	return to.keep(number, tasteForm, body.Bytes())
}

// load reads the file and checks that it belongs to the collection.
func (a *advisor) load() (advice, error) {
	body, err := a.c.db.snapshots.kept(a.c.stored.Number(), tasteForm)
	if err != nil {
		return advice{}, err
	}
	var k keptModel
	rest, err := framed.Header(body, &k)
	if err != nil {
		return advice{}, fmt.Errorf("the file of recommendations: %w: %w", err, core.ErrCorrupt)
	}
	if k.Created != a.c.Info().Created.UnixNano() || k.Seq > a.c.stored.EventSeq() || k.Changes > a.c.stored.LastSeq() {
		return advice{}, fmt.Errorf("the file of recommendations belongs to another history of the collection: %w", core.ErrCorrupt)
	}
	model, err := recommender.Read(rest)
	if err != nil {
		return advice{}, err
	}
	return advice{model: model, version: k.Version, seq: k.Seq, count: k.Count, changes: k.Changes, tried: true}, nil
}

// verify reports a file that cannot be used.
func (a *advisor) verify(report func(string)) {
	if _, err := a.load(); err != nil && !errors.Is(err, fs.ErrNotExist) {
		report(fmt.Sprintf("collection %s: %v; it is made anew with: vecdb train --kind recommender", a.c.Name(), err))
	}
}

// Behavior returns what users do and what was learnt from that.
func (s source) Behavior() (*recommender.Behavior, *recommender.Model) {
	return s.c.advisor.behavior, s.c.advisor.get().model
}

// BehaviorStats tells how much is known of what users do.
type BehaviorStats struct {
	Events  int
	Users   int
	Items   int
	Version int               // of the model, grows with each training
	Model   *recommender.Info // nil where nothing was learnt
	Why     string            // why there is no model
	Pending bool              // events have come or gone since the model was trained
}

// BehaviorStats returns how much is known of what users do.
func (c *Collection) BehaviorStats() BehaviorStats {
	size, have := c.advisor.behavior.Size(), c.advisor.get()
	s := BehaviorStats{Events: int(c.stored.EventCount()), Users: size.Users, Items: size.Items,
		Version: have.version, Why: have.why, Pending: have.seq != size.Seq}
	if have.model != nil {
		info := have.model.Info()
		s.Model = &info
	}
	return s
}

// relearn learns from all events now, or until the collection ends.
func (c *Collection) relearn(ctx context.Context, tell train.Progress) error {
	tell.Tell(PhaseWait, 0, 0)
	return c.life.during(ctx, func(ctx context.Context) error {
		return c.advisor.catchUp(ctx, func(advice) bool { return true }, recommender.Options{Progress: tell})
	})
}

// TrainRecommender learns from all events now, whether there is much new or
// not. The error matches ErrInvalid when there is nothing to learn from.
func (c *Collection) TrainRecommender(ctx context.Context) (BehaviorStats, error) {
	return c.TrainRecommenderWith(ctx, RecommenderOptions{})
}

// RecommenderOptions are those of TrainRecommenderWith.
type RecommenderOptions struct {
	// Progress is told how far it has come: PhaseWait, while others train, and the
	// phases of recommender.Train. Where there are no other events since the last
	// training there is nothing to do but to wait.
	Progress train.Progress
}

// TrainRecommenderWith is TrainRecommender with options.
func (c *Collection) TrainRecommenderWith(ctx context.Context, o RecommenderOptions) (BehaviorStats, error) {
	if err := c.relearn(ctx, o.Progress); err != nil {
		return BehaviorStats{}, fmt.Errorf("learn recommendations for %s: %w", c.Name(), err)
	}
	s := c.BehaviorStats()
	if s.Model == nil {
		return s, core.Invalid("", "add events, and documents with the ids of their items", "nothing can be learnt from the events: %s", recommender.ErrNothing)
	}
	return s, nil
}
