package vecdb

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/vecdb/vecdb/answers"
	"github.com/vecdb/vecdb/internal/core"
	"github.com/vecdb/vecdb/train"
)

// Learning tells what a collection does to learn, and what of it is in use. It is
// quickly made.
type Learning struct {
	Heads        []HeadFigures        // in the order of their fields
	Calibrations []CalibrationFigures // in the order of their fields
	// Sure and Unsure count the questions since the start that were answered, and
	// those for which no answer was sure enough.
	Sure, Unsure uint64
	Feedback     int // pairs of a question and an answer that users have judged
}

// HeadFigures tells about the head of a label field.
type HeadFigures struct {
	Field   string
	Runs    Runs
	Version int         // grows with each training
	Info    *train.Info // nil where there is no head
}

// CalibrationFigures tells about the calibration of a field of answers.
type CalibrationFigures struct {
	Field  string
	Runs   Runs
	Fitted *answers.Fitted // nil while the default is in use
}

// Runs counts how often something was learnt since the start. What was cancelled
// does not count.
type Runs struct {
	Learnt  int
	Refused int     // there was too little to learn from
	Failed  int     // an error came between
	Seconds float64 // that all of them took
}

// Learning returns what the collection does to learn.
func (c *Collection) Learning() Learning {
	out := Learning{Sure: c.answerer.sure.Load(), Unsure: c.answerer.unsure.Load(), Feedback: c.answerer.memory.Len()}
	runs := c.trainer.runs.all()
	for _, field := range sortedUnion(runs, c.trainer.fields()) {
		have, there := c.trainer.get(field)
		if _, ran := runs[field]; !there && !ran {
			continue
		}
		h := HeadFigures{Field: field, Runs: runs[field], Version: have.version}
		if have.head != nil {
			info := have.head.Info()
			h.Info = &info
		}
		out.Heads = append(out.Heads, h)
	}
	runs = c.answerer.runs.all()
	for _, field := range sortedUnion(runs, c.answerer.known()) {
		f := CalibrationFigures{Field: field, Runs: runs[field]}
		if fitted := c.answerer.fitted(field); fitted.Examples > 0 {
			f.Fitted = &fitted
		}
		out.Calibrations = append(out.Calibrations, f)
	}
	return out
}

// sortedUnion returns all fields of both, each once.
func sortedUnion(runs map[string]Runs, fields []string) []string {
	all := slices.Concat(slices.Collect(maps.Keys(runs)), fields)
	slices.Sort(all)
	return slices.Compact(all)
}

// maxTallied bounds the fields whose runs are counted.
const maxTallied = 64

// tally counts runs by field.
type tally struct {
	mu sync.Mutex // guards the rest
	of map[string]Runs
}

// book counts a run that ends now. learnt tells whether something came of it; the
// error is what it ended with.
func (t *tally) book(field string, began time.Time, learnt bool, err error) {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, core.ErrClosed) {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	r, known := t.of[field]
	if !known && len(t.of) >= maxTallied {
		return
	}
	r.Seconds += time.Since(began).Seconds()
	switch {
	case err != nil:
		r.Failed++
	case learnt:
		r.Learnt++
	default:
		r.Refused++
	}
	if t.of == nil {
		t.of = make(map[string]Runs)
	}
	t.of[field] = r
}

// all returns what was counted.
func (t *tally) all() map[string]Runs {
	t.mu.Lock()
	defer t.mu.Unlock()
	return maps.Clone(t.of)
}
