package storage_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/vecdb/vecdb/internal/core"
	"github.com/vecdb/vecdb/storage"
	"github.com/vecdb/vecdb/storage/faulty"
	"github.com/vecdb/vecdb/storage/mem"
)

func event(user, item, action string, micros int64) core.Event {
	return core.Event{User: user, Item: item, Action: action, Time: time.UnixMicro(micros).UTC()}
}

func commitEvents(t testing.TB, c *storage.Collection, events ...core.Event) []core.Event {
	t.Helper()
	fresh, err := c.CommitEvents(context.Background(), events, nil)
	if err != nil {
		t.Fatal(err)
	}
	return fresh
}

func listEvents(t testing.TB, c *storage.Collection, f storage.EventFilter) (out []string) {
	t.Helper()
	err := c.Events(f, func(e core.Event) error {
		out = append(out, fmt.Sprintf("%s %s %s %d %g #%d", e.User, e.Item, e.Action, e.Time.UnixMicro(), e.Value(), e.Seq))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestEventsAreStoredOnceAndFoundByUserAndItem(t *testing.T) {
	s := openStore(t, mem.New())
	c := create(t, s, "c")
	weight := -0.25
	given := event("u/\x001", "b", "rate", -5)
	given.Weight = &weight
	first := commitEvents(t, c, event("u1", "a", "like", 1), event("u1", "a", "like", 1), event("u1", "a", "view", 1), given)
	if len(first) != 3 || first[2].Seq != 3 {
		t.Fatalf("three events of four are new, got %+v", first)
	}
	if again := commitEvents(t, c, event("u1", "a", "like", 1), event("u2", "a", "buy", 2)); len(again) != 1 || again[0].Seq != 4 {
		t.Fatalf("one event is new, got %+v", again)
	}
	want := "u1 a like 1 1 #1|u1 a view 1 0.3 #2|u2 a buy 2 1.5 #4|u/\x001 b rate -5 -0.25 #3"
	if got := strings.Join(listEvents(t, c, storage.EventFilter{}), "|"); got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	if got := listEvents(t, c, storage.EventFilter{User: "u"}); got != nil {
		t.Errorf("a user whose name begins another's has none of its events, got %q", got)
	}
	if got := listEvents(t, c, storage.EventFilter{Item: "b"}); len(got) != 1 {
		t.Errorf("one event is about b, got %q", got)
	}
	other := create(t, s, "other")
	if got := listEvents(t, other, storage.EventFilter{}); got != nil || c.EventCount() != 4 {
		t.Errorf("events stay in their collection: %q, %d counted", got, c.EventCount())
	}
	sound(t, s)
}

func TestDeletedEventsAreGone(t *testing.T) {
	s := openStore(t, mem.New())
	c := create(t, s, "c")
	var many []core.Event
	for i := range 9_000 { // more than one batch deletes
		many = append(many, event("heavy", fmt.Sprint(i), "view", int64(i)))
	}
	for len(many) > 0 {
		n := min(len(many), storage.MaxEvents)
		commitEvents(t, c, many[:n]...)
		many = many[n:]
	}
	commitEvents(t, c, event("u", "1", "like", 1), event("u", "2", "like", 1))
	landed := uint64(0)
	n, err := c.DeleteEvents(context.Background(), storage.EventFilter{User: "heavy"}, func(seq uint64) { landed = seq })
	if err != nil || n != 9_000 || landed <= 9_002 || landed != c.EventSeq() {
		t.Fatalf("%d deleted, number %d, %v", n, landed, err)
	}
	if n, err := c.DeleteEvents(context.Background(), storage.EventFilter{Item: "1"}, nil); n != 1 || err != nil {
		t.Fatalf("%d events deleted with item 1, %v", n, err)
	}
	if got := listEvents(t, c, storage.EventFilter{}); len(got) != 1 || c.EventCount() != 1 {
		t.Errorf("one event is left, got %q, %d counted", got, c.EventCount())
	}
	sound(t, s)
	if err := s.Drop("c"); err != nil {
		t.Fatal(err)
	}
	if _, err := c.CommitEvents(context.Background(), []core.Event{event("u", "1", "like", 1)}, nil); !errors.Is(err, core.ErrNotFound) {
		t.Errorf("a dropped collection takes no events: %v", err)
	}
}

func TestEventsLandInTheOrderOfTheirNumbers(t *testing.T) {
	s := openStore(t, mem.New())
	c := create(t, s, "c")
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	var last uint64 // changed by the one goroutine that writes
	ordered := true
	done := make(chan error)
	for w := range 8 {
		go func() {
			rng := rand.New(rand.NewPCG(seed, uint64(w)))
			var err error
			for i := range 50 {
				var events []core.Event
				for range rng.IntN(5) {
					events = append(events, event(fmt.Sprint(rng.IntN(3)), fmt.Sprint(rng.IntN(20)), "view", int64(i%7)))
				}
				_, failed := c.CommitEvents(context.Background(), events, func(fresh []core.Event) {
					for _, e := range fresh {
						ordered = ordered && e.Seq == last+1
						last = e.Seq
					}
				})
				_, _, alsoFailed := c.Commit(context.Background(), put(doc(fmt.Sprint(w), "text")))
				err = errors.Join(err, failed, alsoFailed)
			}
			done <- err
		}()
	}
	for range 8 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if !ordered || last != c.EventSeq() || last != c.EventCount() {
		t.Errorf("ordered %v, last %d, %d numbers, %d events", ordered, last, c.EventSeq(), c.EventCount())
	}
	sound(t, s)
}

func TestAFailedWriteStoresNoEvents(t *testing.T) {
	e := faulty.New(mem.New())
	s := openStore(t, e)
	c := create(t, s, "c")
	e.FailApply(&faulty.Rule{Nth: 1})
	landed := false
	_, err := c.CommitEvents(context.Background(), []core.Event{event("u", "1", "like", 1)}, func([]core.Event) { landed = true })
	if err == nil || landed {
		t.Fatalf("landed %v, error %v", landed, err)
	}
	e.FailApply(nil)
	if fresh := commitEvents(t, c, event("u", "1", "like", 1)); len(fresh) != 1 || fresh[0].Seq != 1 {
		t.Errorf("the event is new at the second try, got %+v", fresh)
	}
}
