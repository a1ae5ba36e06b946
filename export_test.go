package vecdb

import (
	"testing"
	"time"
)

// MeasureClosingFor gives closing collections that long to be measured, since
// machines that test can be slow, until t ends.
func MeasureClosingFor(t *testing.T, limit time.Duration) {
	before := tuneLast
	tuneLast = limit
	t.Cleanup(func() { tuneLast = before })
}

// MeasureAfter has collections measured that soon after a change until t ends.
func MeasureAfter(t *testing.T, rest time.Duration) {
	before := tuneAfter
	tuneAfter = rest
	t.Cleanup(func() { tuneAfter = before })
}

// Importing tells of an import that is under way until the returned function is
// called.
func Importing(c *Collection) (done func()) { return c.applier.tuner.importing() }
