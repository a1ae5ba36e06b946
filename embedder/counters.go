package embedder

import (
	"sync/atomic"
	"time"
)

// WaitBounds are the upper bounds of the classes of Waits, in seconds.
var WaitBounds = []float64{0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30}

// Stats tells what an Encoder has done since it was made.
type Stats struct {
	Runtime string  // what computes the model, as Encoder.By has it
	Batches int64   // that the model has run
	Texts   int64   // in them
	Tokens  int64   // in them, special ones included
	Fill    float64 // texts of a batch as a share of the most that one holds, on average
	Lanes   [2]Lane // by Kind
}

// Lane is what waits for the model, and has waited.
type Lane struct {
	Queued int // texts that wait
	Waits  Waits
}

// Waits are times between a text's arrival and the run of its batch.
type Waits struct {
	Counts  []int64 // by class of WaitBounds, the last is of what took longer
	Seconds float64 // all together
}

// counters are added to by the workers of a queue.
type counters struct {
	batches, texts, tokens atomic.Int64
	waits                  [2]struct {
		counts [16]atomic.Int64
		nanos  atomic.Int64
	}
}

// ran books a batch.
func (c *counters) ran(b Batch) {
	c.batches.Add(1)
	c.texts.Add(int64(len(b.Lengths)))
	c.tokens.Add(int64(len(b.IDs)))
}

// waited books that a text has waited.
func (c *counters) waited(lane Kind, d time.Duration) {
	class := 0
	for class < len(WaitBounds) && d.Seconds() > WaitBounds[class] {
		class++
	}
	w := &c.waits[lane]
	w.counts[class].Add(1)
	w.nanos.Add(d.Nanoseconds())
}

// stats returns what was booked, and how long the lanes are.
func (q *queue) stats() Stats {
	c := &q.counters
	s := Stats{Batches: c.batches.Load(), Texts: c.texts.Load(), Tokens: c.tokens.Load()}
	if s.Batches > 0 {
		s.Fill = float64(s.Texts) / float64(s.Batches*batchTexts)
	}
	q.mu.Lock()
	for lane := range q.lanes {
		s.Lanes[lane].Queued = len(q.lanes[lane])
	}
	q.mu.Unlock()
	for lane := range s.Lanes {
		w := &c.waits[lane]
		out := &s.Lanes[lane].Waits
		out.Seconds = time.Duration(w.nanos.Load()).Seconds()
		for i := range len(WaitBounds) + 1 {
			out.Counts = append(out.Counts, w.counts[i].Load())
		}
	}
	return s
}

// Stats returns what the encoder has done.
func (e *Encoder) Stats() Stats {
	s := e.queue.stats()
	s.Runtime = e.By
	return s
}
