package vecdb

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"sync"
	"sync/atomic"

	"github.com/vecdb/vecdb/index"
	"github.com/vecdb/vecdb/index/field"
	"github.com/vecdb/vecdb/index/lexical"
	"github.com/vecdb/vecdb/index/passage"
	"github.com/vecdb/vecdb/internal/core"
	"github.com/vecdb/vecdb/storage"
)

// applyChunk is how many changes or vectors go into the index at a time.
const applyChunk = 1024

// applier keeps the indexes of a collection in step with its change log: it
// fills them from one state of the store when the collection is opened, then
// follows the log from that state's sequence number. The log is the only way
// into the indexes, so they can always be made again from the store. Snapshots
// of all three save making them: what the log tells since is all that is left to
// do.
type applier struct {
	stored  *storage.Collection
	maker   indexMaker
	index   atomic.Pointer[index.Index]
	fields  *field.Index
	words   *lexical.Index
	parts   *passage.Table
	logger  *slog.Logger
	cancel  context.CancelFunc
	running sync.WaitGroup
	begin   func() // starts following the log, once the vectors have a dimension; neither beside adopt nor close
	begun   bool
	damaged chan chan<- bool // gets one when the index is to be made anew, to be told whether it is
	tuner   tuner
	vectors keeper // of the snapshot of index
	texts   keeper // of the snapshot of words
	filters keeper // of the snapshot of fields

	mu      sync.Mutex    // guards the rest
	applied uint64        // the last change that the indexes hold
	moved   chan struct{} // closed and replaced when applied grows
	closed  bool
}

// startApplier fills the indexes and starts following the log.
func startApplier(stored *storage.Collection, maker indexMaker, logger *slog.Logger) (*applier, error) {
	ctx, cancel := context.WithCancel(context.Background())
	a := &applier{stored: stored, maker: maker, parts: passage.New(), logger: logger.With("collection", stored.Config().Name),
		cancel: cancel, damaged: make(chan chan<- bool), moved: make(chan struct{})}
	a.tuner.a, a.tuner.turn = a, newTurn()
	if err := a.load(ctx); err != nil {
		cancel()
		return nil, err
	}
	a.tuner.restore()
	a.begin = func() {
		if a.begun = ctx.Err() == nil; a.begun {
			a.running.Go(func() { a.follow(ctx) })
			a.running.Go(func() { a.verify(ctx) })
			a.running.Go(func() { a.tuner.follow(ctx) })
		}
	}
	if maker.cfg.Dim > 0 {
		a.begin()
	}
	return a, nil
}

// adopt makes the index of a collection whose vectors are going to have so many
// numbers. It comes before begin.
func (a *applier) adopt(dim int) error {
	maker := a.maker
	maker.cfg.Dim = dim
	idx, err := maker.make()
	if err != nil {
		return err
	}
	a.maker = maker
	a.index.Store(&idx)
	return nil
}

// load fills the empty indexes: those that have a snapshot from there, all
// others from one state of the store.
func (a *applier) load(ctx context.Context) error {
	a.vectors, a.texts, a.filters = a.graphKeeper(), a.wordsKeeper(), a.fieldsKeeper()
	idx, seq := a.restoreVectors(ctx)
	words, wordsSeq := a.restoreWords(ctx)
	fields, fieldsSeq := a.restoreFields(ctx)
	rest := sinks{parts: a.parts}
	if idx == nil {
		var err error
		if idx, err = a.maker.make(); err != nil {
			return err
		}
		rest.vectors, seq = idx, math.MaxUint64
	}
	if words == nil {
		words = lexical.New()
		rest.words, wordsSeq = words, math.MaxUint64
	}
	if fields == nil {
		fields = field.New()
		rest.fields, fieldsSeq = fields, math.MaxUint64
	}
	a.index.Store(&idx)
	a.words, a.fields = words, fields
	return a.stored.Snapshot(func(s storage.Snapshot) error {
		err := s.Readings(func(ord core.Ord, x *core.Reading) error {
			a.parts.Insert(ord, len(x.Passages))
			return nil
		})
		if err != nil {
			return err
		}
		a.applied = min(seq, wordsSeq, fieldsSeq, s.Seq())
		if rest == (sinks{parts: a.parts}) { // all others are from their snapshots
			return nil
		}
		return rest.fill(ctx, s)
	})
}

// follow applies changes as they are committed, until ctx ends.
func (a *applier) follow(ctx context.Context) {
	for {
		select {
		case made := <-a.damaged:
			made <- a.mend(ctx)
		default:
		}
		a.saveIfDue(ctx)
		more := a.stored.Notify()
		changes, err := a.stored.Changes(a.position()+1, applyChunk)
		if err != nil {
			// The store was closed or the collection dropped; a log that
			// cannot be read any more is told and ends the following.
			if ctx.Err() == nil && !errors.Is(err, core.ErrClosed) && !errors.Is(err, core.ErrNotFound) {
				a.logger.Error("read the change log", "error", err)
			}
			if errors.Is(err, core.ErrNotFound) {
				<-ctx.Done() // who drops the collection says first why it ends
			}
			a.stop()
			return
		}
		if len(changes) > 0 {
			a.apply(ctx, changes)
			continue
		}
		select {
		case <-more:
		case made := <-a.damaged:
			made <- a.mend(ctx)
		case <-ctx.Done():
			a.stop()
			return
		}
	}
}

// apply brings changes into the indexes.
func (a *applier) apply(ctx context.Context, changes []core.Change) {
	a.take(ctx, sinks{vectors: *a.index.Load(), fields: a.fields, words: a.words, parts: a.parts}, changes)
	a.advance(changes[len(changes)-1].Seq)
}

// take brings changes into indexes. A document that a later change has taken
// away again is not in the store any more and is passed over.
func (a *applier) take(ctx context.Context, into sinks, changes []core.Change) {
	var part []core.Change
	vectors := 0
	for _, ch := range changes {
		if ch.Op != core.OpPut {
			continue
		}
		if vectors += max(1, ch.Passages); vectors > applyChunk && len(part) > 0 {
			a.insert(ctx, into, part)
			part, vectors = part[:0], max(1, ch.Passages)
		}
		part = append(part, ch)
	}
	a.insert(ctx, into, part)
	for _, ch := range changes {
		if ch.Old != core.NoOrd {
			into.delete(ch.Old, ch.OldPassages)
		}
	}
}

// insert reads the documents that changes put and inserts them. When one of them
// cannot be read, the others are still taken.
func (a *applier) insert(ctx context.Context, into sinks, changes []core.Change) {
	if len(changes) == 0 {
		return
	}
	list, err := a.read(changes, into.vectors != nil)
	if err == nil {
		err = into.insert(ctx, list)
	}
	switch {
	case err == nil || ctx.Err() != nil:
	case len(changes) > 1:
		for i := range changes {
			a.insert(ctx, into, changes[i:i+1])
		}
	default:
		a.logger.Error("document left out of the index", "ordinal", changes[0].Ord, "error", err)
	}
}

// read reads the documents that changes put.
func (a *applier) read(changes []core.Change, withVectors bool) ([]entry, error) {
	ords := make([]core.Ord, len(changes))
	for i, ch := range changes {
		ords[i] = ch.Ord
	}
	docs, err := a.stored.Documents(ords, withVectors)
	if err != nil {
		return nil, err
	}
	list := make([]entry, len(docs))
	for i, ch := range changes {
		list[i] = entry{ord: ch.Ord, doc: docs[i], passages: ch.Passages}
		if docs[i] == nil || ch.Passages == 0 || !withVectors {
			continue
		}
		// nil when the document was taken away in between: its deletion follows.
		if list[i].vectors, err = a.stored.PassageVectors(ch.Ord, ch.Passages); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// position returns the number of the last change that the indexes hold.
func (a *applier) position() uint64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.applied
}

func (a *applier) advance(seq uint64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.applied = seq
	close(a.moved)
	a.moved = make(chan struct{})
}

// waitMoved returns a channel that is closed when the position changes.
func (a *applier) waitMoved() <-chan struct{} {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.moved
}

// stop wakes all waiters for good.
func (a *applier) stop() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.closed = true
	close(a.moved)
	a.moved = make(chan struct{})
}

// wait returns when the indexes hold change seq, with ctx's error when that
// ends first and with ErrClosed when the applier has stopped.
func (a *applier) wait(ctx context.Context, seq uint64) error {
	for {
		a.mu.Lock()
		applied, closed, moved := a.applied, a.closed, a.moved
		a.mu.Unlock()
		if applied >= seq {
			return nil
		}
		if closed {
			return ErrClosed
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// close stops following, waits for the follower to end and saves the indexes.
func (a *applier) close() {
	a.cancel()
	if !a.begun {
		a.stop()
	}
	a.running.Wait()
	var measuring sync.WaitGroup
	measuring.Go(a.tuner.last)
	a.saveLast()
	measuring.Wait()
}
