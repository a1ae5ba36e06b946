package vecdb

import (
	"context"
	"errors"
	"log/slog"
	"sync"

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

// lifetime is that of a collection. Calls that take long end with it.
type lifetime struct {
	ctx  context.Context // its cause tells why the collection has ended
	end  context.CancelCauseFunc
	mu   sync.Mutex // held while a call begins and while the lifetime ends
	long sync.WaitGroup
}

func newLifetime() *lifetime {
	l := new(lifetime)
	l.ctx, l.end = context.WithCancelCause(context.Background())
	return l
}

// why tells why the collection has ended; nil while it has not.
func (l *lifetime) why() error { return context.Cause(l.ctx) }

// during calls do with a context that ends with ctx and with the lifetime. When it
// is the latter that has ended do, the error tells why.
func (l *lifetime) during(ctx context.Context, do func(context.Context) error) error {
	l.mu.Lock()
	if err := l.why(); err != nil {
		l.mu.Unlock()
		return err
	}
	l.long.Add(1)
	l.mu.Unlock()
	defer l.long.Done()
	both, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(l.ctx, cancel)()
	return l.tell(ctx, do(both))
}

// tell returns err, or why the collection has ended where err comes from that.
func (l *lifetime) tell(ctx context.Context, err error) error {
	ended := errors.Is(err, core.ErrClosed) || errors.Is(err, context.Canceled) && ctx.Err() == nil
	if why := l.why(); ended && why != nil {
		return why
	}
	return err
}

// close ends the lifetime and waits until all calls have.
func (l *lifetime) close(why error) {
	l.mu.Lock()
	l.end(why)
	l.mu.Unlock()
	l.long.Wait()
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
