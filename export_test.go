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
