package storage

import (
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
	// ID is the document that an OpDelete deletes.
	ID string
}

func (m *Mutation) id() string {
	if m.Op == core.OpPut {
		return m.Doc.ID
	}
	return m.ID
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
	err := c.store.writable()
	if err == nil && c.store.collections[c.config.Name] != c {
		err = fmt.Errorf("collection %s: %w", c.config.Name, core.ErrNotFound)
	}
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
	events    *eventCall // instead of mutations
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
}

// draft is what the batch at hand will make of a collection.
type draft struct {
	counters
	ords   map[string]core.Ord // ids that the batch changes; NoOrd when deleted
	tally  tally
	events map[string]struct{} // keys of events that the batch writes
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
	for i := range call.mutations {
		if g.batch.Len() >= maxBatchWrites || g.batch.SizeBytes() >= maxBatchBytes {
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
	old, err := g.ordOf(c, d, m.id())
	if err != nil {
		return err
	}
	out := Outcome{Status: Missing, Ord: core.NoOrd}
	switch {
	case m.Op == core.OpPut:
		out, err = g.put(c, d, m.Doc, old)
	case old != core.NoOrd:
		out = g.remove(c, d, m.ID, old)
	}
	if err != nil {
		return err
	}
	call.outcomes[i] = out
	call.seq = d.seq
	return nil
}

func (g *group) put(c *Collection, d *draft, doc *core.Document, old core.Ord) (Outcome, error) {
	if d.next == uint32(core.NoOrd) {
		return Outcome{}, fmt.Errorf("collection %s has used up its ordinals: %w", c.config.Name, core.ErrFull)
	}
	ord := core.Ord(d.next)
	key := documentKey(c.number, ord)
	record, err := encodeDocument(key, doc)
	if err != nil {
		return Outcome{}, err
	}
	out := Outcome{Status: Created, Ord: ord, Seq: d.seq + 1}
	if old != core.NoOrd {
		out.Status = Updated
		g.batch.Delete(documentKey(c.number, old))
		g.batch.Delete(vectorKey(c.number, old))
	} else {
		d.count++
	}
	g.batch.Put(key, record)
	key = vectorKey(c.number, ord)
	g.batch.Put(key, encodeVector(key, doc.Vector))
	key = idKey(c.number, doc.ID)
	g.batch.Put(key, encodeID(key, ord))
	d.next++
	d.ords[doc.ID] = ord
	g.log(c, d, core.Change{Op: core.OpPut, ID: doc.ID, Ord: ord, Old: old})
	return out, nil
}

func (g *group) remove(c *Collection, d *draft, id string, old core.Ord) Outcome {
	g.batch.Delete(documentKey(c.number, old))
	g.batch.Delete(vectorKey(c.number, old))
	g.batch.Delete(idKey(c.number, id))
	d.count--
	d.ords[id] = core.NoOrd
	g.log(c, d, core.Change{Op: core.OpDelete, ID: id, Ord: core.NoOrd, Old: old})
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
		d = &draft{counters: c.numbers(), tally: c.tally(), ords: make(map[string]core.Ord), events: make(map[string]struct{})}
		g.pending[c] = d
	}
	return d
}

// ordOf returns the ordinal of id as the batch at hand leaves it.
func (g *group) ordOf(c *Collection, d *draft, id string) (core.Ord, error) {
	if ord, there := d.ords[id]; there {
		return ord, nil
	}
	ords, err := c.Ords([]string{id})
	if err != nil {
		return core.NoOrd, err
	}
	return ords[0], nil
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
		call.finish(g.failed)
	}
	g.batch, g.pending, g.open = new(Batch), make(map[*Collection]*draft), nil
}
