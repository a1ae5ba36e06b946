package vecdb

import (
	"context"
	"errors"
	"log/slog"

	"github.com/vecdb/vecdb/internal/core"
)

// turn lets one at a time do something that takes long.
type turn chan struct{}

func newTurn() turn { return make(turn, 1) }

// take waits until nobody has the turn. The caller gives it back by release.
func (t turn) take(ctx context.Context) (release func(), err error) {
	select {
	case t <- struct{}{}:
		return func() { <-t }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// tellFailure logs an error of work in the background, without which the
// collection goes on, unless it came from the end of the collection or of the
// time for the work.
func tellFailure(to *slog.Logger, what string, err error) {
	for _, end := range []error{context.Canceled, context.DeadlineExceeded, core.ErrClosed, core.ErrNotFound} {
		if errors.Is(err, end) {
			return
		}
	}
	if err != nil {
		to.Warn(what, "error", err)
	}
}
