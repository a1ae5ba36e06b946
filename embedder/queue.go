package embedder

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/vecdb/vecdb/internal/core"
)

// queue hands batches to the workers, one a runtime. It has two lanes: a free
// worker takes queries first, and passages only when no query waits. Texts of
// different calls run together where they are of like length. Nobody waits for
// a batch to fill: texts gather while all workers are busy, and not otherwise.
type queue struct {
	dim     int
	pooling Pooling
	workers sync.WaitGroup
	counters

	mu      sync.Mutex // guards the rest
	changed *sync.Cond // signalled when work arrives or the queue closes
	lanes   [2][]item  // by Kind; each is first in, first out
	closed  bool
	spare   bool    // the worker for queries alone is free
	errs    []error // of closing the runtimes
}

// call is one call of run.
type call struct {
	seqs    []sequence
	vectors [][]float32
	came    time.Time
	done    chan struct{} // closed when all vectors are there, or err is

	mu    sync.Mutex // guards the rest
	left  int        // texts without a vector
	err   error      // the first
	ended bool
}

// fail ends the call with an error, unless it has ended.
func (c *call) fail(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.ended {
		c.err, c.ended = err, true
		close(c.done)
	}
}

// give puts a vector in its place.
func (c *call) give(place int, v []float32) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended {
		return // nobody reads it
	}
	c.vectors[place] = v
	if c.left--; c.left == 0 {
		c.ended = true
		close(c.done)
	}
}

func (c *call) over() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ended
}

// startQueue starts a worker for each runtime. The one for queries alone may
// be nil.
func startQueue(runtimes []Runtime, queries Runtime, dim int, p Pooling) *queue {
	q := &queue{dim: dim, pooling: p}
	q.changed = sync.NewCond(&q.mu)
	for _, r := range runtimes {
		q.workers.Go(func() {
			if queries != nil {
				giveWay()
			}
			(&worker{q: q, r: r, lanes: []Kind{Query, Passage}}).work()
		})
	}
	if queries != nil {
		q.spare = true
		q.workers.Go(func() { (&worker{q: q, r: queries, lanes: []Kind{Query}, own: true}).work() })
	}
	return q
}

// run embeds seqs and returns their vectors, or ctx's error as soon as ctx
// ends: what is under way then finishes for nothing.
func (q *queue) run(ctx context.Context, kind Kind, seqs []sequence) ([][]float32, error) {
	if len(seqs) == 0 { // all were kept
		return nil, q.push(kind, nil)
	}
	c := &call{seqs: seqs, vectors: make([][]float32, len(seqs)), left: len(seqs), came: time.Now(), done: make(chan struct{})}
	if err := q.push(kind, ordered(c)); err != nil {
		return nil, err
	}
	select {
	case <-c.done:
	case <-ctx.Done():
		c.fail(ctx.Err())
		q.drop(c)
	}
	if c.err != nil {
		return nil, c.err
	}
	return c.vectors, nil
}

func (q *queue) push(kind Kind, items []item) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return core.ErrClosed
	}
	q.lanes[kind] = append(q.lanes[kind], items...)
	q.changed.Broadcast()
	return nil
}

// drop takes what waits of c out of the queue.
func (q *queue) drop(c *call) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for lane := range q.lanes {
		q.lanes[lane] = slices.DeleteFunc(q.lanes[lane], func(it item) bool { return it.call == c })
	}
}

// close ends the workers when the queue is empty, and closes the runtimes.
func (q *queue) close() error {
	q.mu.Lock()
	q.closed = true
	q.changed.Broadcast()
	q.mu.Unlock()
	q.workers.Wait()
	q.mu.Lock()
	defer q.mu.Unlock()
	err := errors.Join(q.errs...)
	q.errs = nil
	return err
}

// worker runs batches on one runtime. Its memory is kept between batches.
type worker struct {
	q     *queue
	r     Runtime
	lanes []Kind // that it serves, the most urgent first
	own   bool   // it is the worker for queries alone
	items []item
	batch Batch
}

func (w *worker) work() {
	for w.next() {
		w.embed(w.items)
		clear(w.items)
	}
	err := w.r.Close()
	w.q.mu.Lock()
	defer w.q.mu.Unlock()
	w.q.errs = append(w.q.errs, err)
}

// next waits for work and takes it; it returns false when the queue is closed
// and has none.
func (w *worker) next() bool {
	q := w.q
	q.mu.Lock()
	defer q.mu.Unlock()
	if w.own {
		q.spare = true
	}
	for {
		for _, lane := range w.lanes {
			if len(q.lanes[lane]) > 0 && (w.own || lane != Query || !q.spare) {
				w.take(lane)
				return true
			}
		}
		if q.closed {
			return false
		}
		q.changed.Wait()
	}
}

// take takes a batch out of a lane. Queries that the worker for queries leaves
// are for the others. The caller holds the queue's mutex.
func (w *worker) take(lane Kind) {
	q := w.q
	w.items, q.lanes[lane] = pick(w.items[:0], q.lanes[lane])
	now := time.Now()
	for _, it := range w.items {
		q.waited(lane, now.Sub(it.call.came))
	}
	if w.own {
		q.spare = false
		q.changed.Broadcast()
	}
}

// embed runs the texts of items as one batch and gives their calls the
// vectors. When that fails, each call is tried alone, so that an error reaches
// only the call that it belongs to.
func (w *worker) embed(items []item) {
	items = slices.DeleteFunc(items, func(it item) bool { return it.call.over() })
	if len(items) == 0 {
		return
	}
	w.batch.IDs, w.batch.Lengths = w.batch.IDs[:0], w.batch.Lengths[:0]
	for _, it := range items {
		ids := it.call.seqs[it.place].ids
		w.batch.IDs = append(w.batch.IDs, ids...)
		w.batch.Lengths = append(w.batch.Lengths, len(ids))
	}
	h, err := w.compute()
	if err != nil {
		w.failed(items, err)
		return
	}
	for i, it := range items {
		it.call.give(it.place, Pool(h, i, w.batch.Lengths[i], w.q.pooling))
	}
}

// failed deals with a batch that gave an error.
func (w *worker) failed(items []item, err error) {
	first := items[0].call
	mine := func(it item) bool { return it.call == first }
	if others := slices.DeleteFunc(slices.Clone(items), mine); len(others) > 0 {
		w.embed(slices.DeleteFunc(slices.Clone(items), func(it item) bool { return !mine(it) }))
		w.embed(others)
		return
	}
	first.fail(err)
	w.q.drop(first)
}

// compute runs the model; a panic there becomes an error.
func (w *worker) compute() (h Hidden, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the model's runtime panicked: %v", p)
		}
	}()
	if h, err = w.r.Run(w.batch); err != nil {
		return h, err
	}
	w.q.ran(w.batch)
	if h.Dim != w.q.dim {
		return h, fmt.Errorf("the model gives vectors of %d numbers, its manifest says %d: %w", h.Dim, w.q.dim, core.ErrDimension)
	}
	return h, nil
}
