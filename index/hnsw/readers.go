package hnsw

import (
	"sync"
	"sync/atomic"
	"time"
)

// readers counts who reads the graph, in two generations, so that what was
// taken out of it can be used again once everybody who may still hold it has
// left. Entering and leaving never waits.
type readers struct {
	generation atomic.Uint32
	inside     [2]counter
	mu         sync.Mutex // held by the one who waits
}

// counter is alone on its cache line.
type counter struct {
	n atomic.Int64
	_ [56]byte
}

// enter returns the ticket to leave with.
func (r *readers) enter() uint32 {
	for {
		g := r.generation.Load() & 1
		r.inside[g].n.Add(1)
		if r.generation.Load()&1 == g {
			return g
		}
		r.inside[g].n.Add(-1)
	}
}

func (r *readers) leave(ticket uint32) { r.inside[ticket].n.Add(-1) }

// wait returns when all that were inside have left. The caller is not inside.
func (r *readers) wait() {
	r.mu.Lock()
	defer r.mu.Unlock()
	old := r.generation.Load() & 1
	r.generation.Add(1)
	for pause := time.Microsecond; r.inside[old].n.Load() != 0; pause = min(2*pause, time.Millisecond) {
		time.Sleep(pause)
	}
}
