package vecdb

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/vecdb/vecdb/internal/core"
	"github.com/vecdb/vecdb/query"
	"github.com/vecdb/vecdb/recommender"
	"github.com/vecdb/vecdb/storage"
)

// Event is something that a user did with a document.
type Event = core.Event

// EventFilter names events: those of a user, with an item, or of a user with an
// item.
type EventFilter = storage.EventFilter

// EventsResult tells what became of events.
type EventsResult struct {
	Accepted     int // stored, or there already
	Duplicates   int // of them there already: equal user, item, action and time
	UnknownItems int // of them with an item that is no document (yet)
}

// AddEvents stores what users did. Events without a time get the present one.
// When one is refused, with a pointer relative to the list, none is stored; an
// event that is there already is passed over. Events with unknown items are
// kept, since the documents may come later. Recommendations to the users know of
// the events at once; with WaitTrained what goes together is learnt from them
// too.
func (c *Collection) AddEvents(ctx context.Context, events []Event, w Wait) (EventsResult, error) {
	now := time.Now().UTC().Truncate(time.Microsecond)
	ready := slices.Clone(events)
	for i := range ready {
		if err := ready[i].Check(); err != nil {
			return EventsResult{}, core.At("/"+strconv.Itoa(i), err)
		}
		if ready[i].Time.IsZero() {
			ready[i].Time = now
		}
	}
	out := EventsResult{}
	for len(ready) > 0 {
		part := ready[:eventChunk(ready)]
		ready = ready[len(part):]
		fresh, err := c.stored.CommitEvents(ctx, part, c.advisor.add)
		if err != nil {
			return out, fmt.Errorf("store events in %s: %w", c.Name(), err)
		}
		ids := make([]string, len(part))
		for i := range part {
			ids[i] = part[i].Item
		}
		unknown, err := c.unknownItems(ids)
		if err != nil {
			return out, err
		}
		out.Accepted += len(part)
		out.Duplicates += len(part) - len(fresh)
		out.UnknownItems += unknown
	}
	if w == WaitTrained {
		return out, c.relearn(ctx, nil)
	}
	return out, nil
}

// eventChunk returns how many of the first events one commit takes.
func eventChunk(events []Event) int {
	const maxBytes = 1 << 20
	n, size := 0, 0
	for n < len(events) && n < storage.MaxEvents && size < maxBytes {
		size += len(events[n].User) + len(events[n].Item)
		n++
	}
	return n
}

// unknownItems counts the ids of no document.
func (c *Collection) unknownItems(ids []string) (int, error) {
	ords, err := c.stored.Ords(ids)
	n := 0
	for _, ord := range ords {
		if ord == core.NoOrd {
			n++
		}
	}
	return n, err
}

// DeleteEvents deletes the events that f names and returns how many there were.
// A filter that names nothing is refused.
func (c *Collection) DeleteEvents(ctx context.Context, f EventFilter) (int, error) {
	if f == (EventFilter{}) {
		return 0, core.Invalid("", `for instance {"user":"u1"}`, "name a user, an item or both")
	}
	n, err := c.stored.DeleteEvents(ctx, f, func(seq uint64) { c.advisor.forget(f, seq) })
	if err != nil {
		return n, fmt.Errorf("delete events of %s: %w", c.Name(), err)
	}
	return n, nil
}

// Events returns the latest events that f names, newest first, at most limit,
// and how many there are in all.
func (c *Collection) Events(ctx context.Context, f EventFilter, limit int) (events []Event, total int, err error) {
	if limit < 1 || limit > query.MaxLimit {
		return nil, 0, core.Invalid("/limit", "", "the limit must be from 1 to %d", query.MaxLimit)
	}
	newest := func(a, b Event) int {
		if n := b.Time.Compare(a.Time); n != 0 {
			return n
		}
		return int(int64(b.Seq) - int64(a.Seq))
	}
	keep := func(n int) {
		slices.SortFunc(events, newest)
		events = events[:min(n, len(events))]
	}
	err = c.stored.Events(f, func(e Event) error {
		total++
		if events = append(events, e); len(events) >= 2*query.MaxLimit {
			keep(limit)
		}
		return ctx.Err()
	})
	keep(limit)
	return events, total, err
}

// loadBehavior reads the events of a collection that is being opened.
func loadBehavior(stored *storage.Collection) (*recommender.Behavior, error) {
	b := recommender.NewBehavior()
	var events []Event // of one user
	err := stored.Events(EventFilter{}, func(e Event) error {
		if len(events) > 0 && events[0].User != e.User {
			b.Load(events)
			events = events[:0]
		}
		events = append(events, e)
		return nil
	})
	b.Load(events)
	b.Reach(stored.EventSeq())
	return b, err
}
