package embedder

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/vecdb/vecdb/internal/core"
)

// Bounds of a batch: batches of 8 to 32 texts of like length run best, and a
// query waits at most for the batches under way.
const (
	batchTexts  = 32
	batchTokens = 4096 // padded: texts times the longest
)

// queue hands batches to the workers, one a runtime. It has two lanes: a free
// worker takes queries first, all that wait and fit one batch together, and
// passages only when no query waits.
type queue struct {
	dim     int
	pooling Pooling
	workers sync.WaitGroup

	mu      sync.Mutex // guards the rest
	changed *sync.Cond // signalled when work arrives or the queue closes
	lanes   [2][]*work // by Kind; each is first in, first out
	closed  bool
	errs    []error // of closing the runtimes
}

// work is a batch of one call.
type work struct {
	call   *call
	places []int // of the sequences within the call
}

// call is one call of run.
type call struct {
	ctx     context.Context // the caller's, looked at before each batch; it lives as long as the call
	seqs    []sequence
	vectors [][]float32
	pending sync.WaitGroup // batches not yet done

	mu  sync.Mutex // guards err
	err error      // the first
}

func (c *call) fail(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err == nil {
		c.err = err
	}
}

// failure returns the first error of the call, its context's included: with
// one, there is no use in going on.
func (c *call) failure() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err == nil {
		c.err = c.ctx.Err()
	}
	return c.err
}

func startQueue(runtimes []Runtime, dim int, p Pooling) *queue {
	q := &queue{dim: dim, pooling: p}
	q.changed = sync.NewCond(&q.mu)
	for _, r := range runtimes {
		q.workers.Go(func() { q.work(r) })
	}
	return q
}

// run embeds seqs and returns their vectors. It returns when no worker uses
// them any more.
func (q *queue) run(ctx context.Context, kind Kind, seqs []sequence) ([][]float32, error) {
	c := &call{ctx: ctx, seqs: seqs, vectors: make([][]float32, len(seqs))}
	batches := cut(c)
	c.pending.Add(len(batches))
	if err := q.push(kind, batches); err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { q.drop(c) })
	defer stop()
	c.pending.Wait()
	if err := c.failure(); err != nil {
		return nil, err
	}
	return c.vectors, nil
}

// cut sorts the sequences of a call by length, longest first, and cuts them
// into batches. Beginning with the longest leaves the short ones to even out
// the workers at the end.
func cut(c *call) []*work {
	order := make([]int, len(c.seqs))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(len(c.seqs[b].ids), len(c.seqs[a].ids)) })
	var out []*work
	for len(order) > 0 {
		width := max(1, len(c.seqs[order[0]].ids))
		n := min(len(order), batchTexts, max(1, batchTokens/width))
		out = append(out, &work{call: c, places: order[:n]})
		order = order[n:]
	}
	return out
}

func (q *queue) push(kind Kind, batches []*work) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return core.ErrClosed
	}
	q.lanes[kind] = append(q.lanes[kind], batches...)
	q.changed.Broadcast()
	return nil
}

// drop takes the batches of c that wait out of the queue.
func (q *queue) drop(c *call) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for lane := range q.lanes {
		q.lanes[lane] = slices.DeleteFunc(q.lanes[lane], func(w *work) bool {
			if w.call == c {
				c.pending.Done()
			}
			return w.call == c
		})
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

func (q *queue) work(r Runtime) {
	for {
		group := q.next()
		if group == nil {
			err := r.Close()
			q.mu.Lock()
			q.errs = append(q.errs, err)
			q.mu.Unlock()
			return
		}
		q.embed(r, group)
		for _, w := range group {
			w.call.pending.Done()
		}
	}
}

// next waits for work and returns what to run together, nil when the queue is
// closed and empty.
func (q *queue) next() []*work {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.lanes[Query]) == 0 && len(q.lanes[Passage]) == 0 {
		if q.closed {
			return nil
		}
		q.changed.Wait()
	}
	if len(q.lanes[Query]) == 0 {
		w := q.lanes[Passage][0]
		q.lanes[Passage] = q.lanes[Passage][1:]
		return []*work{w}
	}
	lane, n, texts, width := q.lanes[Query], 0, 0, 0
	for n < len(lane) {
		w := lane[n]
		texts += len(w.places)
		for _, p := range w.places {
			width = max(width, len(w.call.seqs[p].ids))
		}
		if n > 0 && (texts > batchTexts || texts*width > batchTokens) {
			break
		}
		n++
	}
	q.lanes[Query] = lane[n:]
	return slices.Clone(lane[:n])
}

// embed runs the batches of group as one and puts the vectors in their places.
func (q *queue) embed(r Runtime, group []*work) {
	group = slices.DeleteFunc(slices.Clone(group), func(w *work) bool { return w.call.failure() != nil })
	var b Batch
	for _, w := range group {
		for _, p := range w.places {
			ids := w.call.seqs[p].ids
			b.IDs = append(b.IDs, ids...)
			b.Lengths = append(b.Lengths, len(ids))
		}
	}
	if len(b.Lengths) == 0 {
		return
	}
	h, err := q.compute(r, b)
	if err != nil {
		for _, w := range group {
			w.call.fail(err)
		}
		return
	}
	i := 0
	for _, w := range group {
		for _, p := range w.places {
			w.call.vectors[p] = Pool(h, i, b.Lengths[i], q.pooling)
			i++
		}
	}
}

// compute runs the model; a panic there becomes an error.
func (q *queue) compute(r Runtime, b Batch) (h Hidden, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the model's runtime panicked: %v", p)
		}
	}()
	if h, err = r.Run(b); err != nil {
		return h, err
	}
	if h.Dim != q.dim {
		return h, fmt.Errorf("the model gives vectors of %d numbers, its manifest says %d: %w", h.Dim, q.dim, core.ErrDimension)
	}
	return h, nil
}
