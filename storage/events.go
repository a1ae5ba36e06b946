package storage

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"time"

	"github.com/vecdb/vecdb/internal/core"
)

// MaxEvents is how many events, and maxEventBytes how many bytes of them, one
// call of CommitEvents takes, so that a batch holds all of them.
const (
	MaxEvents     = 1024
	maxEventBytes = 2 << 20
)

// EventFilter names events to delete: those of a user, those with an item, or
// those of a user with an item. One of them is not empty.
type EventFilter struct {
	User, Item string
}

// Matches reports whether the filter names events of that user and item.
func (f EventFilter) Matches(user, item string) bool {
	return (f.User == "" || f.User == user) && (f.Item == "" || f.Item == item)
}

// tally are the running numbers of a collection's events.
type tally struct {
	seq   uint64 // number of the last event or deletion
	count uint64 // events present
}

func (c *Collection) tally() tally {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.events
}

func (c *Collection) setTally(t tally) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.events = t
}

// EventCount returns the number of events.
func (c *Collection) EventCount() uint64 { return c.tally().count }

// EventSeq returns the number of the last event, or of the last deletion of
// events, which takes a number too; 0 when there was none.
func (c *Collection) EventSeq() uint64 { return c.tally().seq }

// eventCall is what a call of CommitEvents or DeleteEvents does.
type eventCall struct {
	events []core.Event
	filter *EventFilter // deletes instead

	fresh   []core.Event // those that were not there before
	deleted int
	seq     uint64
	landed  func(*eventCall)
}

func (e *eventCall) land() {
	if e.landed != nil {
		e.landed(e)
	}
}

// CommitEvents stores events, at most MaxEvents, all at once. The caller has
// checked them and set their times. An event that is there already is passed
// over. fresh holds those that were not, in their order. Before the call
// returns, landed, where it is not nil, is called with them; calls of landed
// come one at a time in the order of the numbers, on the goroutine that writes,
// and do not wait. Numbers of events are set in fresh alone.
func (c *Collection) CommitEvents(ctx context.Context, events []core.Event, landed func(fresh []core.Event)) (fresh []core.Event, err error) {
	size := 0
	for i := range events {
		size += len(events[i].User) + len(events[i].Item)
	}
	if len(events) > MaxEvents || size > maxEventBytes && len(events) > 1 {
		return nil, fmt.Errorf("%d events of %d bytes: %w", len(events), size, core.ErrTooLarge)
	}
	call := &commitCall{ctx: ctx, c: c, done: make(chan struct{}), events: &eventCall{events: events}}
	if landed != nil {
		call.events.landed = func(e *eventCall) { landed(e.fresh) }
	}
	err = c.commit(call, len(events) == 0)
	return call.events.fresh, err
}

// DeleteEvents deletes the events that f names, all at once, and returns how
// many there were. landed is called as by CommitEvents, with the number of the
// deletion.
func (c *Collection) DeleteEvents(ctx context.Context, f EventFilter, landed func(seq uint64)) (int, error) {
	call := &commitCall{ctx: ctx, c: c, done: make(chan struct{}), events: &eventCall{filter: &f}}
	if landed != nil {
		call.events.landed = func(e *eventCall) { landed(e.seq) }
	}
	err := c.commit(call, f == EventFilter{})
	return call.events.deleted, err
}

// addEvents puts a call about events into the batch, whole.
func (g *group) addEvents(c *Collection, call *eventCall) error {
	// A batch that others have begun lands first when the call might not fit, or
	// looks for events that the batch may hold.
	if call.filter != nil || g.batch.Len()+len(call.events) > maxBatchWrites || g.batch.SizeBytes()+maxEventBytes > maxBatchBytes {
		if g.land(); g.failed != nil {
			return g.failed
		}
	}
	if call.filter != nil {
		return g.removeEvents(c, call)
	}
	d := g.draftOf(c)
	fresh, err := c.newEvents(d, call.events)
	if err != nil {
		return err
	}
	for i := range fresh {
		d.tally.seq++
		d.tally.count++
		fresh[i].Seq = d.tally.seq
		key := eventKey(c.number, &fresh[i])
		d.events[string(key)] = struct{}{}
		g.batch.Put(key, encodeEvent(key, &fresh[i], fresh[i].Seq))
	}
	call.fresh = fresh
	return nil
}

// newEvents returns the events that are neither stored nor in the batch, each
// once.
func (c *Collection) newEvents(d *draft, events []core.Event) (fresh []core.Event, err error) {
	seen := make(map[string]struct{}, len(events))
	err = c.store.engine.View(func(r Reader) error {
		for i := range events {
			key := eventKey(c.number, &events[i])
			if _, pending := d.events[string(key)]; pending {
				continue
			}
			first, err := unseen(r, seen, key)
			if err != nil {
				return err
			}
			if first {
				fresh = append(fresh, events[i])
			}
		}
		return nil
	})
	return fresh, err
}

// removeEvents deletes what a filter names.
func (g *group) removeEvents(c *Collection, call *eventCall) error {
	each := func(fn func(key []byte) error) error {
		return c.eachEvent(*call.filter, func(key []byte, _ core.Event) error { return fn(key) })
	}
	return g.deleteAll(each, func(n int) {
		d := g.draftOf(c)
		if n > 0 {
			d.tally.seq++
		}
		d.tally.count -= uint64(n)
		call.deleted += n
		call.seq = d.tally.seq
	})
}

// eachEvent calls fn for the events that f names, in the order of their keys.
// The zero filter names all.
func (c *Collection) eachEvent(f EventFilter, fn func(key []byte, e core.Event) error) error {
	return c.store.engine.View(func(r Reader) error {
		prefix := kindPrefix(c.number, kindEvent)
		if f.User != "" {
			prefix = eventPrefix(c.number, f.User)
		}
		return r.Scan(prefix, prefixEnd(prefix), func(key, value []byte) error {
			e, err := decodeEvent(key, value)
			if err != nil {
				return fmt.Errorf("event of collection %s: %w", c.Config().Name, err)
			}
			if !f.Matches(e.User, e.Item) {
				return nil
			}
			return fn(key, e)
		})
	})
}

// Events calls fn for each event that f names, those of a user together; the
// zero filter names all. It ends with fn's error, which it hands back.
func (c *Collection) Events(f EventFilter, fn func(core.Event) error) error {
	return c.eachEvent(f, func(_ []byte, e core.Event) error { return fn(e) })
}

// encodeEvent writes what the key does not tell: the number, and the weight
// with a byte before it that tells whether it was given.
func encodeEvent(key []byte, e *core.Event, seq uint64) []byte {
	r := binary.LittleEndian.AppendUint64(newRecord(kindEvent, 17), seq)
	given, weight := byte(0), 0.0
	if e.Weight != nil {
		given, weight = 1, *e.Weight
	}
	return seal(key, binary.LittleEndian.AppendUint64(append(r, given), math.Float64bits(weight)))
}

func decodeEvent(key, record []byte) (core.Event, error) {
	body, err := open(kindEvent, key, record)
	if err != nil {
		return core.Event{}, err
	}
	var parts [3]string
	rest := key[len(kindPrefix(0, kindEvent)):]
	for i := range parts {
		if parts[i], rest, err = cutPart(key, rest); err != nil {
			return core.Event{}, err
		}
	}
	if len(rest) != 8 || len(body) != 17 {
		return core.Event{}, corrupt(key, "the event has another length")
	}
	e := core.Event{Seq: binary.LittleEndian.Uint64(body)}
	e.User, e.Item, e.Action = parts[0], parts[1], parts[2]
	e.Time = time.UnixMicro(int64(binary.BigEndian.Uint64(rest))).UTC()
	if body[8] == 1 {
		w := math.Float64frombits(binary.LittleEndian.Uint64(body[9:]))
		e.Weight = &w
	}
	return e, nil
}

func encodeTally(key []byte, t tally) []byte {
	r := binary.LittleEndian.AppendUint64(newRecord(kindTally, 16), t.seq)
	return seal(key, binary.LittleEndian.AppendUint64(r, t.count))
}

// readTally reads the running numbers of the events of a collection.
func readTally(r Reader, number uint32) (tally, error) {
	key := tallyKey(number)
	record, err := r.Get(key)
	if isNotFound(err) {
		return tally{}, nil
	}
	if err != nil {
		return tally{}, err
	}
	body, err := open(kindTally, key, record)
	if err != nil {
		return tally{}, err
	}
	if len(body) != 16 {
		return tally{}, corrupt(key, "the numbers have another length")
	}
	return tally{seq: binary.LittleEndian.Uint64(body), count: binary.LittleEndian.Uint64(body[8:])}, nil
}

// events checks every event, and that they are as many as are counted.
func (v *verifier) events() error {
	want, err := readTally(v.s.r, v.c.number)
	if err != nil {
		v.report("%v", err)
		return nil
	}
	n, err := v.scan(kindEvent, func(key, value []byte) error {
		_, err := decodeEvent(key, value)
		return err
	})
	if err == nil && n != want.count {
		v.report("there are %d events, %d are counted", n, want.count)
	}
	return err
}
