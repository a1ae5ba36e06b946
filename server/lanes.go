package server

import (
	"context"
	"time"
)

// laneWait is how long a request waits for a place in its lane.
const laneWait = 30 * time.Second

// lanes bound how much is done at once, separately for imports and queries,
// so that neither keeps the other out.
type lanes struct {
	imports, queries chan struct{}
}

func newLanes(o Options) lanes {
	return lanes{imports: make(chan struct{}, o.Imports), queries: make(chan struct{}, o.Queries)}
}

// enter takes a place; leave gives it back. It waits for a while when there is
// none.
func (l lanes) enter(ctx context.Context, sc scope) (leave func(), ok bool) {
	var lane chan struct{}
	switch sc {
	case read:
		lane = l.queries
	case write, admin:
		lane = l.imports
	default:
		return func() {}, true
	}
	leave = func() { <-lane }
	select {
	case lane <- struct{}{}:
		return leave, true
	default:
	}
	wait := time.NewTimer(laneWait)
	defer wait.Stop()
	select {
	case lane <- struct{}{}:
		return leave, true
	case <-wait.C:
	case <-ctx.Done():
	}
	return nil, false
}
