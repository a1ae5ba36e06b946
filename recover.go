package vecdb

import (
	"context"
	"errors"
	"log/slog"
	"sync"

	"github.com/vecdb/vecdb/index"
	"github.com/vecdb/vecdb/index/field"
	"github.com/vecdb/vecdb/internal/core"
	"github.com/vecdb/vecdb/storage"
)

// applyChunk is how many changes or vectors go into the index at a time.
const applyChunk = 1024

// applier keeps the indexes of a collection in step with its change log: it
// fills them from one state of the store when the collection is opened, then
// follows the log from that state's sequence number. The log is the only way
// into the indexes, so they can always be made again from the store.
type applier struct {
	stored *storage.Collection
	index  index.Index
	fields *field.Index
	logger *slog.Logger
	cancel context.CancelFunc
	done   chan struct{} // closed when the follower has ended

	mu      sync.Mutex    // guards the rest
	applied uint64        // the last change that the indexes hold
	moved   chan struct{} // closed and replaced when applied grows
	closed  bool
}

// startApplier fills the indexes and starts following the log.
func startApplier(stored *storage.Collection, idx index.Index, fields *field.Index, logger *slog.Logger) (*applier, error) {
	ctx, cancel := context.WithCancel(context.Background())
	a := &applier{stored: stored, index: idx, fields: fields, logger: logger.With("collection", stored.Config().Name),
		cancel: cancel, done: make(chan struct{}), moved: make(chan struct{})}
	if err := a.load(ctx); err != nil {
		cancel()
		return nil, err
	}
	go func() {
		defer close(a.done)
		a.follow(ctx)
	}()
	return a, nil
}

// load fills the empty indexes from one state of the store.
func (a *applier) load(ctx context.Context) error {
	return a.stored.Snapshot(func(s storage.Snapshot) error {
		items := make([]index.Item, 0, applyChunk)
		err := s.Documents(true, func(ord core.Ord, doc *core.Document) error {
			a.fields.Insert(ord, doc)
			items = append(items, index.Item{Ord: ord, Vector: doc.Vector})
			if len(items) < applyChunk {
				return nil
			}
			err := a.index.Insert(ctx, items)
			items = items[:0]
			return err
		})
		if err != nil {
			return err
		}
		a.applied = s.Seq()
		return a.index.Insert(ctx, items)
	})
}

// follow applies changes as they are committed, until ctx ends.
func (a *applier) follow(ctx context.Context) {
	for {
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
		case <-ctx.Done():
			a.stop()
			return
		}
	}
}

// apply brings changes into the indexes. A document that a later change has
// taken away again is not in the store any more and is passed over.
func (a *applier) apply(ctx context.Context, changes []core.Change) {
	var ords []core.Ord
	for _, ch := range changes {
		if ch.Op == core.OpPut {
			ords = append(ords, ch.Ord)
		}
	}
	a.insert(ctx, ords)
	for _, ch := range changes {
		if ch.Old != core.NoOrd {
			a.index.Delete(ch.Old)
			a.fields.Delete(ch.Old)
		}
	}
	a.advance(changes[len(changes)-1].Seq)
}

// insert reads the documents under ords and inserts them. When one of them
// cannot be read, the others are still taken.
func (a *applier) insert(ctx context.Context, ords []core.Ord) {
	if len(ords) == 0 {
		return
	}
	docs, err := a.stored.Documents(ords, true)
	if err == nil {
		var items []index.Item
		for i, doc := range docs {
			if doc != nil {
				a.fields.Insert(ords[i], doc)
				items = append(items, index.Item{Ord: ords[i], Vector: doc.Vector})
			}
		}
		err = a.index.Insert(ctx, items)
	}
	switch {
	case err == nil || ctx.Err() != nil:
	case len(ords) > 1:
		for i := range ords {
			a.insert(ctx, ords[i:i+1])
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

// close stops following and waits for the follower to end.
func (a *applier) close() {
	a.cancel()
	<-a.done
}
