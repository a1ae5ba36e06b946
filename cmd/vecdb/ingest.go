package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/vecdb/vecdb/client"
	"github.com/vecdb/vecdb/internal/core"
	"github.com/vecdb/vecdb/internal/records"
)

const (
	// batchDocuments and batchBytes bound one request of an import: large
	// enough for the embedder to sort by length, small enough to show progress.
	batchDocuments = 1024
	batchBytes     = 8 << 20
	// A request is done with fewer documents, batchFew, once they have
	// batchEnough bytes: short texts take little time, and each request costs a
	// sync of the disk besides.
	batchFew    = 256
	batchEnough = 64 << 10
	// batchesInFlight keeps the embedder busy while a batch is being stored.
	batchesInFlight = 3
	// maxProblems is how many refused records are shown to people.
	maxProblems = 5
)

// supply is where an import takes its documents from: a file, or a list.
type supply interface {
	// Next returns a document, io.EOF behind the last, a *records.LineError
	// for a record that is left out.
	Next() (records.Record, error)
	// BytesRead tells how far it has come, of Size; -1 is not known.
	BytesRead() int64
	Size() int64
}

// problem is a record that was refused.
type problem struct {
	Line  int    `json:"line,omitempty"`
	ID    string `json:"id,omitempty"`
	Error string `json:"error"`
}

// summary is what came of an import.
type summary struct {
	Collection string    `json:"collection"`
	Created    int       `json:"created"`
	Updated    int       `json:"updated"`
	Skipped    int       `json:"skipped"`    // as duplicates
	Duplicates int       `json:"duplicates"` // found in all
	Refused    int       `json:"refused"`
	Tokens     int       `json:"tokens"`
	Truncated  int       `json:"truncated"`
	Cut        int       `json:"cut"`      // into passages
	Passages   int       `json:"passages"` // of all that is stored
	Seconds    float64   `json:"seconds"`
	Problems   []problem `json:"problems"` // the first hundred
}

// maxKept bounds the problems that are kept for the summary.
const maxKept = 100

func (s *summary) stored() int { return s.Created + s.Updated }

func (s *summary) refuse(p problem) {
	s.Refused++
	if len(s.Problems) < maxKept {
		s.Problems = append(s.Problems, p)
	}
}

// batch is what one request stores.
type batch struct {
	docs  []core.Document
	lines []int
	bytes int   // of texts and vectors
	mark  int64 // how far the supply was read when the batch was full
}

// take adds the document of a line.
func (b *batch) take(d core.Document, line int) {
	b.docs = append(b.docs, d)
	b.lines = append(b.lines, line)
	b.bytes += len(d.Text) + 4*len(d.Vector)
}

// full reports whether a request takes no more.
func (b *batch) full() bool {
	n := len(b.docs)
	return n == batchDocuments || b.bytes >= batchBytes || n >= batchFew && b.bytes >= batchEnough
}

// importer stores the documents of a supply, several batches at a time.
type importer struct {
	add   func(ctx context.Context, docs []core.Document) (client.AddResult, error)
	meter *meter
	slots chan struct{}
	wg    sync.WaitGroup

	mu     sync.Mutex // guards the rest
	sum    summary
	failed error
	busy   map[string]int // ids of batches under way
	idle   *sync.Cond     // a batch has ended
}

func newImporter(add func(context.Context, []core.Document) (client.AddResult, error), m *meter) *importer {
	im := &importer{add: add, meter: m, slots: make(chan struct{}, batchesInFlight), busy: make(map[string]int)}
	im.idle = sync.NewCond(&im.mu)
	im.sum.Problems = []problem{}
	return im
}

// run stores all documents of from. With an error the summary tells what was
// stored before it; what was acknowledged stays.
func (im *importer) run(ctx context.Context, from supply) (summary, error) {
	begun := now()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	err := im.read(ctx, cancel, from)
	im.wg.Wait()
	if im.failed != nil && !errors.Is(im.failed, context.Canceled) || err == nil {
		err = im.failed
	}
	im.sum.Seconds = now().Sub(begun).Seconds()
	return im.sum, err
}

// read cuts the supply into batches and hands them out.
func (im *importer) read(ctx context.Context, cancel func(), from supply) error {
	var b batch
	for {
		rec, err := from.Next()
		var line *records.LineError
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.As(err, &line):
			im.refuse(problem{Line: line.Line, Error: line.Err.Error()})
			continue
		case errors.Is(err, io.EOF):
			return im.send(ctx, cancel, b)
		case err != nil:
			return errors.Join(im.send(ctx, cancel, b), err)
		}
		b.take(rec.Document, rec.Line)
		b.mark = from.BytesRead()
		if b.full() {
			if err := im.send(ctx, cancel, b); err != nil {
				return err
			}
			b = batch{}
		}
	}
}

func (im *importer) refuse(p problem) {
	im.mu.Lock()
	defer im.mu.Unlock()
	im.sum.refuse(p)
}

// send stores a batch in the background as soon as there is a slot.
func (im *importer) send(ctx context.Context, cancel func(), b batch) error {
	if len(b.docs) == 0 {
		return nil
	}
	select {
	case im.slots <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	im.reserve(b)
	im.wg.Add(1)
	go func() {
		defer im.wg.Done()
		result, err := im.add(ctx, b.docs)
		if err != nil {
			cancel()
		}
		im.finish(b, result, err)
		<-im.slots
	}()
	return nil
}

// reserve waits until no batch under way holds an id of b, so that of two
// records with one id the later stays.
func (im *importer) reserve(b batch) {
	im.mu.Lock()
	defer im.mu.Unlock()
	for im.overlaps(b) {
		im.idle.Wait()
	}
	for _, d := range b.docs {
		if d.ID != "" {
			im.busy[d.ID]++
		}
	}
}

func (im *importer) overlaps(b batch) bool {
	for _, d := range b.docs {
		if d.ID != "" && im.busy[d.ID] > 0 {
			return true
		}
	}
	return false
}

// finish counts what became of a batch.
func (im *importer) finish(b batch, r client.AddResult, err error) {
	im.mu.Lock()
	defer im.mu.Unlock()
	for _, d := range b.docs {
		if im.busy[d.ID]--; im.busy[d.ID] <= 0 {
			delete(im.busy, d.ID)
		}
	}
	im.idle.Broadcast()
	if err != nil {
		if im.failed == nil || errors.Is(im.failed, context.Canceled) {
			im.failed = err
		}
		return
	}
	for i, item := range r.Results {
		im.sum.count(item, b.lines[i])
	}
	im.meter.set(b.mark, im.sum.stored())
}

func (s *summary) count(item client.ItemResult, line int) {
	s.Tokens += item.TokensUsed
	if item.TokensUsed < item.TokensTotal {
		s.Truncated++
	}
	if s.Passages += item.Passages; item.Passages > 1 {
		s.Cut++
	}
	if item.DuplicateOf != "" {
		s.Duplicates++
	}
	switch item.Status {
	case client.StatusCreated:
		s.Created++
	case client.StatusUpdated:
		s.Updated++
	case client.StatusSkipped:
		s.Skipped++
	default:
		p := problem{Line: line, ID: item.ID, Error: "refused"}
		if item.Error != nil {
			p.Error = item.Error.Detail
			if item.Error.Hint != "" {
				p.Error += " (" + item.Error.Hint + ")"
			}
		}
		s.refuse(p)
	}
}

// print tells people what came of an import.
func (s *summary) print(a *app) {
	seconds := time.Duration(s.Seconds * float64(time.Second))
	replaced := ""
	if s.Updated > 0 {
		replaced = fmt.Sprintf(" (%s new, %s replaced)", count(s.Created), count(s.Updated))
	}
	a.tell("%s stored in collection %s%s in %.1f s: %.0f docs/s, %s tokens", plural(s.stored(), "document"), s.Collection, replaced, s.Seconds,
		perSecond(s.stored(), seconds), count(s.Tokens))
	if s.Cut > 0 {
		a.tell("%s cut: %s in all", plural(s.Cut, "long text")+pick(s.Cut == 1, " was", " were"), plural(s.Passages, "passage"))
	}
	if s.Truncated > 0 {
		a.tell("%s longer than the model reads: only the beginning was embedded, all of it is stored (--long chunk cuts them into passages)", plural(s.Truncated, "text")+pick(s.Truncated == 1, " is", " are"))
	}
	if s.Duplicates > 0 {
		a.tell("%s found, %s of them skipped", plural(s.Duplicates, "duplicate"), count(s.Skipped))
	}
	if s.Refused == 0 {
		return
	}
	a.note("%s refused:", plural(s.Refused, "record")+pick(s.Refused == 1, " was", " were"))
	for _, p := range s.Problems[:min(len(s.Problems), maxProblems)] {
		a.note("  %s", p)
	}
	if more := s.Refused - maxProblems; more > 0 {
		a.note("  and %s more (all of the first %d with --json)", count(more), maxKept)
	}
}

func (p problem) String() string {
	where := fmt.Sprintf("line %d", p.Line)
	if p.ID != "" {
		where += fmt.Sprintf(" (id %s)", oneLine(p.ID, idWidth))
	}
	return where + ": " + oneLine(p.Error, 200)
}
