package server

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

func TestLanesAreApartAndGiveUpInTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLanes(Options{Imports: 1, Queries: 1})
		leave, ok := l.enter(t.Context(), write)
		if !ok {
			t.Fatal("no place in an empty lane")
		}
		if leaveQuery, ok := l.enter(t.Context(), read); !ok {
			t.Error("an import keeps a query out")
		} else {
			leaveQuery()
		}
		if _, ok := l.enter(t.Context(), open); !ok {
			t.Error("health has to wait")
		}
		start := time.Now()
		if _, ok := l.enter(t.Context(), admin); ok || time.Since(start) != laneWait {
			t.Errorf("a second import: %v after %v", ok, time.Since(start))
		}
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		if _, ok := l.enter(gone, write); ok {
			t.Error("a client that went away got a place")
		}
		go func() {
			time.Sleep(laneWait / 2)
			leave()
		}()
		leave, ok = l.enter(t.Context(), write)
		if !ok {
			t.Fatal("no place though one became free")
		}
		leave()
	})
}
