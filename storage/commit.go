package storage

import (
	"cmp"
	"context"
	"fmt"
	"sync"

	"github.com/vecdb/vecdb/internal/core"
)

// Bounds of one batch. They keep a batch below what the Badger engine takes
// in one transaction; a single mutation above them goes alone.
const (
	maxBatchBytes  = 3 << 20
	maxBatchWrites = 8192
)

// Status is what a mutation did.
type Status uint8

// The statuses of an Outcome.
const (
	Created Status = iota + 1 // a document with a new id was stored
	Updated                   // the document of that id was replaced
	Deleted                   // the document was deleted
	Missing                   // there was no document to delete
)

// Mutation is one write to a collection.
type Mutation struct {
	Op core.Op
	// Doc is the document of an OpPut, with its vector; the caller has checked
	// both and leaves it unchanged until Commit returns.
	Doc *core.Document
	// Reading tells what was read of a long Doc; nil for others. The vector of a
	// document with passages stands for the whole.
	Reading *core.Reading
	// ID is the document that an OpDelete deletes.
	ID string
}

func (m *Mutation) id() string {
	if m.Op == core.OpPut {
		return m.Doc.ID
	}
	return m.ID
}

// passages returns the parts that the document was cut into.
func (m *Mutation) passages() []core.Passage {
	if m.Reading == nil {
		return nil
	}
	return m.Reading.Passages
}

// fits reports whether the passages of a mutation go into a batch.
func (m *Mutation) fits(b *Batch, dim int) bool {
	n := len(m.passages())
	return n == 0 || b.Len()+n <= maxBatchWrites && b.SizeBytes()+n*4*dim <= maxBatchBytes
}

// Outcome tells what became of a mutation.
type Outcome struct {
	Status Status
	Ord    core.Ord // the document's new ordinal, or core.NoOrd
	Seq    uint64   // its number in the change log; 0 for Missing
}

// Commit writes mutations in their order and returns one outcome each and the
// number of the last change. When it returns no error, all are on stable
// storage. Each mutation is written as a whole or not at all; a call with many
// of them may span several batches, and on an error a first part of it may
// have been written. Concurrent calls share batches (group commit). ctx is
// looked at until the call's turn comes, not afterwards.
func (c *Collection) Commit(ctx context.Context, mutations []Mutation) ([]Outcome, uint64, error) {
	call := &commitCall{ctx: ctx, c: c, mutations: mutations, outcomes: make([]Outcome, len(mutations)), done: make(chan struct{})}
	if err := c.commit(call, len(mutations) == 0); err != nil {
		return nil, 0, err
	}
	return call.outcomes, call.seq, nil
}

// commit hands a call to the committer and waits for its end; one that is empty
// is only checked.
func (c *Collection) commit(call *commitCall, empty bool) error {
	c.store.mu.RLock()
	err := cmp.Or(c.store.writable(), c.kept())
	if err != nil || empty {
		c.store.mu.RUnlock()
		return err
	}
	c.store.writer.enqueue(call)
	c.store.mu.RUnlock()
	<-call.done
	return call.err
}

// commitCall is one waiting call of Commit, or, without a collection's
// mutations, a request to be told when everything before it is done.
type commitCall struct {
	ctx       context.Context
	c         *Collection
	mutations []Mutation
	outcomes  []Outcome
	events    *eventCall    // instead of mutations
	feedback  *feedbackCall // instead of mutations
	seq       uint64
	err       error
	done      chan struct{}
}

// committer is the one writer of a store. While it syncs one batch, further
// calls gather, and it takes all of them with the next.
type committer struct {
	engine Engine
	wake   chan struct{} // capacity 1
	ended  chan struct{}

	mu     sync.Mutex // guards the rest
	queue  []*commitCall
	closed bool
}

func startCommitter(engine Engine) *committer {
	w := &committer{engine: engine, wake: make(chan struct{}, 1), ended: make(chan struct{})}
	go func() {
		defer close(w.ended)
		w.run()
	}()
	return w
}

func (w *committer) enqueue(call *commitCall) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		call.finish(core.ErrClosed)
		return
	}
	w.queue = append(w.queue, call)
	w.signal()
}

func (w *committer) signal() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// flush returns when all calls queued before it have ended.
func (w *committer) flush(c *Collection) {
	call := &commitCall{ctx: context.Background(), c: c, done: make(chan struct{})}
	w.enqueue(call)
	<-call.done
}

// close ends the committer when the queue is empty.
func (w *committer) close() {
	w.mu.Lock()
	w.closed = true
	w.signal()
	w.mu.Unlock()
	<-w.ended
}

func (w *committer) run() {
	for range w.wake {
		w.mu.Lock()
		calls, closed := w.queue, w.closed
		w.queue = nil
		w.mu.Unlock()
		if len(calls) > 0 {
			newGroup(w.engine).commit(calls)
		}
		if closed {
			return
		}
	}
}

func (call *commitCall) finish(err error) {
	call.err = err
	close(call.done)
}

// group writes the mutations of several calls in as few batches as the bounds
// allow. Counters of the collections change only when a batch has landed.
type group struct {
	engine  Engine
	batch   *Batch
	pending map[*Collection]*draft
	open    []*commitCall // calls whose last mutation is in the batch
	failed  error
	raised  bool // whether the batch raises the format of the store
}

// draft is what the batch at hand will make of a collection.
type draft struct {
	counters
	places map[string]place // of the ids that the batch changes
	tally  tally
	events map[string]struct{} // keys of events that the batch writes
}

// place is where the records of a document are.
type place struct {
	ord      core.Ord // core.NoOrd where there is no document
	read     bool     // whether it has a reading
	passages int
}

func newGroup(engine Engine) *group {
	return &group{engine: engine, batch: new(Batch), pending: make(map[*Collection]*draft)}
}

// commit runs the calls one after the other and ends each.
func (g *group) commit(calls []*commitCall) {
	for _, call := range calls {
		if err := call.ctx.Err(); err != nil {
			call.finish(err)
			continue
		}
		if err := g.add(call); err != nil {
			call.finish(err)
			continue
		}
		g.open = append(g.open, call)
	}
	g.land()
}

// add puts the mutations of call into batches. An error means that the rest
// of the call was not written.
func (g *group) add(call *commitCall) error {
	g.failed = nil
	if call.events != nil {
		return g.addEvents(call.c, call.events)
	}
	if call.feedback != nil {
		return g.addFeedback(call.c, call.feedback)
	}
	for i := range call.mutations {
		if g.batch.Len() >= maxBatchWrites || g.batch.SizeBytes() >= maxBatchBytes || !call.mutations[i].fits(g.batch, call.c.Config().Dim) {
			if g.land(); g.failed != nil {
				return g.failed
			}
		}
		if err := g.mutate(call, i); err != nil {
			// What the call has in the batch stays: those mutations are whole.
			return err
		}
	}
	return nil
}

// mutate adds one mutation to the batch.
func (g *group) mutate(call *commitCall, i int) error {
	c, m := call.c, &call.mutations[i]
	d := g.draftOf(c)
	old, err := g.placeOf(c, d, m.id())
	if err != nil {
		return err
	}
	out := Outcome{Status: Missing, Ord: core.NoOrd}
	switch {
	case m.Op == core.OpPut:
		out, err = g.put(c, d, m, old)
	case old.ord != core.NoOrd:
		out = g.remove(c, d, m.ID, old)
	}
	if err != nil {
		return err
	}
	call.outcomes[i] = out
	call.seq = d.seq
	return nil
}

func (g *group) put(c *Collection, d *draft, m *Mutation, old place) (Outcome, error) {
	passages := m.passages()
	if uint64(d.next)+uint64(len(passages)) >= uint64(core.NoOrd) {
		return Outcome{}, fmt.Errorf("collection %s has used up its ordinals: %w", c.Config().Name, core.ErrFull)
	}
	doc, ord := m.Doc, core.Ord(d.next)
	key := documentKey(c.number, ord)
	record, err := encodeDocument(key, doc)
	if err != nil {
		return Outcome{}, err
	}
	if m.Reading != nil {
		if err := g.raise(c.store); err != nil {
			return Outcome{}, err
		}
	}
	out := Outcome{Status: Created, Ord: ord, Seq: d.seq + 1}
	if old.ord != core.NoOrd {
		out.Status = Updated
		g.erase(c, d, old)
	}
	d.count++
	g.batch.Put(key, record)
	key = vectorKey(c.number, ord)
	g.batch.Put(key, encodeVector(kindVector, key, doc.Vector))
	g.putReading(c, d, ord, m.Reading)
	key = idKey(c.number, doc.ID)
	g.batch.Put(key, encodeID(key, ord))
	d.next += 1 + uint32(len(passages))
	d.places[doc.ID] = place{ord, m.Reading != nil, len(passages)}
	g.log(c, d, core.Change{Op: core.OpPut, ID: doc.ID, Ord: ord, Old: old.ord, Passages: len(passages), OldPassages: old.passages})
	return out, nil
}

// putReading writes what was read of a long document, and its passages.
func (g *group) putReading(c *Collection, d *draft, ord core.Ord, x *core.Reading) {
	if x == nil {
		return
	}
	key := readingKey(c.number, ord)
	g.batch.Put(key, encodeReading(key, x))
	for i, p := range x.Passages {
		key := passageKey(c.number, ord+1+core.Ord(i))
		g.batch.Put(key, encodeVector(kindPassage, key, p.Vector))
	}
	d.readings++
	if n := len(x.Passages); n > 0 {
		d.cut++
		d.passages += uint32(n)
	}
}

// erase deletes the records of a document but its id.
func (g *group) erase(c *Collection, d *draft, old place) {
	g.batch.Delete(documentKey(c.number, old.ord))
	g.batch.Delete(vectorKey(c.number, old.ord))
	d.count--
	if !old.read {
		return
	}
	g.batch.Delete(readingKey(c.number, old.ord))
	for i := range old.passages {
		g.batch.Delete(passageKey(c.number, old.ord+1+core.Ord(i)))
	}
	d.readings--
	if old.passages > 0 {
		d.cut--
		d.passages -= uint32(old.passages)
	}
}

func (g *group) remove(c *Collection, d *draft, id string, old place) Outcome {
	g.erase(c, d, old)
	g.batch.Delete(idKey(c.number, id))
	d.places[id] = place{ord: core.NoOrd}
	g.log(c, d, core.Change{Op: core.OpDelete, ID: id, Ord: core.NoOrd, Old: old.ord, OldPassages: old.passages})
	return Outcome{Status: Deleted, Ord: core.NoOrd, Seq: d.seq}
}

func (g *group) log(c *Collection, d *draft, ch core.Change) {
	d.seq++
	key := logKey(c.number, d.seq)
	g.batch.Put(key, encodeChange(key, ch))
}

func (g *group) draftOf(c *Collection) *draft {
	d := g.pending[c]
	if d == nil {
		d = &draft{counters: c.numbers(), tally: c.tally(), places: make(map[string]place), events: make(map[string]struct{})}
		g.pending[c] = d
	}
	return d
}

// placeOf returns where the document of id is as the batch at hand leaves it.
func (g *group) placeOf(c *Collection, d *draft, id string) (p place, err error) {
	if p, there := d.places[id]; there {
		return p, nil
	}
	err = c.store.engine.View(func(r Reader) error {
		if p.ord, err = c.ord(r, id); err != nil || p.ord == core.NoOrd || d.readings == 0 {
			return err
		}
		x, err := c.readingAt(r, p.ord)
		if x != nil {
			p.read, p.passages = true, len(x.Passages)
		}
		return err
	})
	return p, err
}

// land applies the batch, moves the counters of its collections and ends the
// calls that are complete. After an error nothing of the batch is there.
func (g *group) land() {
	g.failed = nil
	if g.batch.Len() > 0 {
		for c, d := range g.pending {
			if d.counters != c.numbers() {
				key := countersKey(c.number)
				g.batch.Put(key, encodeCounters(key, d.counters))
			}
			if d.tally != c.tally() {
				key := tallyKey(c.number)
				g.batch.Put(key, encodeTally(key, d.tally))
			}
		}
		g.failed = g.engine.Apply(g.batch)
	}
	if g.failed == nil {
		for c, d := range g.pending {
			if g.raised {
				c.store.format.Store(FormatVersion)
			}
			if d.tally != c.tally() {
				c.setTally(d.tally)
			}
			if d.counters != c.numbers() {
				c.advance(d.counters)
			}
		}
	}
	for _, call := range g.open {
		if call.events != nil && g.failed == nil {
			call.events.land()
		}
		if call.feedback != nil && g.failed == nil {
			call.feedback.landed()
		}
		call.finish(g.failed)
	}
	g.batch, g.pending, g.open, g.raised = new(Batch), make(map[*Collection]*draft), nil, false
}
