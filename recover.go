package vecdb

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"math"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/vecdb/vecdb/index"
	"github.com/vecdb/vecdb/index/field"
	"github.com/vecdb/vecdb/index/lexical"
	"github.com/vecdb/vecdb/internal/core"
	"github.com/vecdb/vecdb/storage"
)

// applyChunk is how many changes or vectors go into the index at a time.
const applyChunk = 1024

// applier keeps the indexes of a collection in step with its change log: it
// fills them from one state of the store when the collection is opened, then
// follows the log from that state's sequence number. The log is the only way
// into the indexes, so they can always be made again from the store. Snapshots
// of the index of vectors and of that of words save making them: what the log
// tells since is all that is left to do.
type applier struct {
	stored  *storage.Collection
	maker   indexMaker
	index   atomic.Pointer[index.Index]
	fields  *field.Index
	words   *lexical.Index
	logger  *slog.Logger
	cancel  context.CancelFunc
	running sync.WaitGroup
	damaged chan chan<- bool // gets one when the index is to be made anew, to be told whether it is
	tuner   tuner
	vectors keeper // of the snapshot of index
	texts   keeper // of the snapshot of words

	mu      sync.Mutex    // guards the rest
	applied uint64        // the last change that the indexes hold
	moved   chan struct{} // closed and replaced when applied grows
	closed  bool
}

// startApplier fills the indexes and starts following the log.
func startApplier(stored *storage.Collection, maker indexMaker, fields *field.Index, logger *slog.Logger) (*applier, error) {
	ctx, cancel := context.WithCancel(context.Background())
	a := &applier{stored: stored, maker: maker, fields: fields, logger: logger.With("collection", stored.Config().Name),
		cancel: cancel, damaged: make(chan chan<- bool), moved: make(chan struct{})}
	a.tuner.a = a
	if err := a.load(ctx); err != nil {
		cancel()
		return nil, err
	}
	a.tuner.restore()
	a.running.Go(func() { a.follow(ctx) })
	a.running.Go(func() { a.verify(ctx) })
	a.running.Go(func() { a.tuner.follow(ctx) })
	return a, nil
}

// load fills the empty indexes: those that have a snapshot from there, all
// others from one state of the store.
func (a *applier) load(ctx context.Context) error {
	a.vectors, a.texts = a.graphKeeper(), a.wordsKeeper()
	idx, seq := a.restoreVectors(ctx)
	words, wordsSeq := a.restoreWords(ctx)
	rest := sinks{fields: a.fields}
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
	a.index.Store(&idx)
	a.words = words
	return a.stored.Snapshot(func(s storage.Snapshot) error {
		f := filler{ctx: ctx, into: rest}
		if err := s.Documents(rest.vectors != nil, f.add); err != nil {
			return err
		}
		a.applied = min(seq, wordsSeq, s.Seq())
		return f.flush()
	})
}

// sinks are the indexes that something goes into; nil ones are passed over.
type sinks struct {
	vectors index.Index
	fields  *field.Index
	words   *lexical.Index
}

// insert puts documents into the indexes. Words and vectors go in beside each
// other.
func (s sinks) insert(ctx context.Context, ords []core.Ord, docs []*core.Document) error {
	var items []index.Item
	var texts []lexical.Item
	for i, doc := range docs {
		if doc == nil {
			continue
		}
		if s.fields != nil {
			s.fields.Insert(ords[i], doc)
		}
		items = append(items, index.Item{Ord: ords[i], Vector: doc.Vector})
		if doc.Text != "" {
			texts = append(texts, lexical.Item{Ord: ords[i], Text: doc.Text})
		}
	}
	var group errgroup.Group
	if s.words != nil {
		group.Go(func() error { return s.words.Insert(ctx, texts) })
	}
	var err error
	if s.vectors != nil {
		err = s.vectors.Insert(ctx, items)
	}
	return cmp.Or(group.Wait(), err)
}

func (s sinks) delete(ord core.Ord) {
	if s.vectors != nil {
		s.vectors.Delete(ord)
	}
	if s.fields != nil {
		s.fields.Delete(ord)
	}
	if s.words != nil {
		s.words.Delete(ord)
	}
}

// filler inserts documents into indexes, many at a time.
type filler struct {
	ctx  context.Context
	into sinks
	ords []core.Ord
	docs []*core.Document
}

func (f *filler) add(ord core.Ord, doc *core.Document) error {
	f.ords, f.docs = append(f.ords, ord), append(f.docs, doc)
	if len(f.docs) < applyChunk {
		return nil
	}
	return f.flush()
}

func (f *filler) flush() error {
	err := f.into.insert(f.ctx, f.ords, f.docs)
	f.ords, f.docs = f.ords[:0], f.docs[:0]
	return err
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
	a.take(ctx, sinks{vectors: *a.index.Load(), fields: a.fields, words: a.words}, changes)
	a.advance(changes[len(changes)-1].Seq)
}

// take brings changes into indexes. A document that a later change has taken
// away again is not in the store any more and is passed over.
func (a *applier) take(ctx context.Context, into sinks, changes []core.Change) {
	var ords []core.Ord
	for _, ch := range changes {
		if ch.Op == core.OpPut {
			ords = append(ords, ch.Ord)
		}
	}
	a.insert(ctx, into, ords)
	for _, ch := range changes {
		if ch.Old != core.NoOrd {
			into.delete(ch.Old)
		}
	}
}

// insert reads the documents under ords and inserts them. When one of them
// cannot be read, the others are still taken.
func (a *applier) insert(ctx context.Context, into sinks, ords []core.Ord) {
	if len(ords) == 0 {
		return
	}
	docs, err := a.stored.Documents(ords, into.vectors != nil)
	if err == nil {
		err = into.insert(ctx, ords, docs)
	}
	switch {
	case err == nil || ctx.Err() != nil:
	case len(ords) > 1:
		for i := range ords {
			a.insert(ctx, into, ords[i:i+1])
		}
	default:
		a.logger.Error("document left out of the index", "ordinal", ords[0], "error", err)
	}
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
	a.running.Wait()
	a.saveLast()
	a.tuner.last()
}
