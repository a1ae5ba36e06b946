package vecdb

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/vecdb/vecdb/query"
)

// MeasureClosingFor gives closing collections that long to be measured, since
// machines that test can be slow, until t ends.
func MeasureClosingFor(t *testing.T, limit time.Duration) {
	before := tuneLast
	tuneLast = limit
	t.Cleanup(func() { tuneLast = before })
}

// MeasureAfter has collections measured that soon after a change, or when an import
// has ended that may keep them from it for so long, until t ends.
func MeasureAfter(t *testing.T, rest, latest time.Duration) {
	after, before := tuneAfter, tuneLatest
	tuneAfter, tuneLatest = rest, latest
	t.Cleanup(func() { tuneAfter, tuneLatest = after, before })
}

// MeasureRests returns what a measurement of c that begins now does between its
// pieces of work, in which imports go first until latest.
func MeasureRests(c *Collection, latest time.Time) func(context.Context, time.Duration) error {
	return c.applier.tuner.rest(latest)
}

// ErrOutgrown ends a measurement of a collection that has become another one.
var ErrOutgrown = errOutgrown

// Busy takes the turns of all who learn from a collection or measure it, until
// the returned function is called.
func Busy(t *testing.T, c *Collection) (done func()) {
	t.Helper()
	var all []func()
	for _, turn := range []turn{c.trainer.turn, c.advisor.turn, c.answerer.turn, c.applier.tuner.turn} {
		release, err := turn.take(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, release)
	}
	return func() {
		for _, release := range all {
			release()
		}
	}
}

// LearnBesideTheFirstChange lets the labels of a collection be learnt, and its
// answers be calibrated, as if its first change was on its way into the indexes.
func LearnBesideTheFirstChange(t *testing.T, c *Collection) {
	t.Helper()
	a := c.applier
	a.mu.Lock()
	applied := a.applied
	a.applied = 0
	a.mu.Unlock()
	err := errors.Join(c.trainer.update(t.Context(), "label", always, 1, nil), c.answerer.calibrate(t.Context(), query.DefaultAnswerField, true))
	a.advance(applied)
	if err != nil {
		t.Fatal(err)
	}
}

// Importing tells of an import that is under way until the returned function is
// called.
func Importing(c *Collection) (done func()) { return c.applier.tuner.importing() }
