package recommender

import (
	"cmp"
	"slices"
	"sync"

	"github.com/vecdb/vecdb/internal/core"
)

// maxValue bounds what many events with one item add up to.
const maxValue = 2

// Behavior holds what users did with items: one entry a user and item, however
// many events there are. It is safe for concurrent use.
type Behavior struct {
	mu     sync.RWMutex // guards the rest
	users  map[string][]entry
	number map[string]uint32 // of an item
	items  []string          // by number
	pairs  int
	last   uint64 // Seq of the last event or deletion
}

// entry is what a user did with an item.
type entry struct {
	item  uint32
	value float32 // the sum of the weights since the last one below 0
	time  int64   // of the latest event, in microseconds since 1970
	seq   uint64  // of the event that arrived last
}

// Taste is what a user did with an item.
type Taste struct {
	Item string
	// Value is the sum of the weights of the events in the order of their
	// arrival, at most 2; one below 0 takes away all above 0 before it.
	Value float32
}

// NewBehavior returns an empty Behavior.
func NewBehavior() *Behavior {
	return &Behavior{users: make(map[string][]entry), number: make(map[string]uint32)}
}

// Add takes events in the order of their numbers. One that it has taken before
// must not come again.
func (b *Behavior) Add(events []core.Event) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := range events {
		e := &events[i]
		b.users[e.User] = b.with(b.users[e.User], b.numberOf(e.Item), e)
		b.last = max(b.last, e.Seq)
	}
}

// numberOf returns the number of an item, a new one where it has none. The caller
// holds the lock.
func (b *Behavior) numberOf(id string) uint32 {
	item, known := b.number[id]
	if !known {
		item = uint32(len(b.items))
		b.number[id] = item
		b.items = append(b.items, id)
	}
	return item
}

// with returns a history with one event more, in the order of time.
func (b *Behavior) with(history []entry, item uint32, e *core.Event) []entry {
	x := entry{item: item, time: e.Time.UnixMicro(), seq: e.Seq}
	at := -1
	for i := len(history) - 1; i >= 0 && at < 0; i-- {
		if history[i].item == item {
			at = i
		}
	}
	if at >= 0 {
		old := history[at]
		x.value, x.time = old.value, max(x.time, old.time)
		history = slices.Delete(history, at, at+1)
	} else {
		b.pairs++
	}
	x.value = add(x.value, float32(e.Value()))
	place, _ := slices.BinarySearchFunc(history, x, inTime)
	return slices.Insert(history, place, x)
}

// add returns the value of an item after an event of that weight.
func add(value, weight float32) float32 {
	if weight < 0 {
		value = min(value, 0)
	}
	return max(min(value+weight, maxValue), -maxValue)
}

func inTime(a, b entry) int { return cmp.Or(cmp.Compare(a.time, b.time), cmp.Compare(a.seq, b.seq)) }

// Load takes the events of one user that has none yet, in any order.
func (b *Behavior) Load(events []core.Event) {
	slices.SortFunc(events, func(x, y core.Event) int { return cmp.Or(cmp.Compare(x.Item, y.Item), cmp.Compare(x.Seq, y.Seq)) })
	b.mu.Lock()
	defer b.mu.Unlock()
	var history []entry
	for i := range events {
		e := &events[i]
		if i == 0 || events[i-1].Item != e.Item {
			history = append(history, entry{item: b.numberOf(e.Item), time: e.Time.UnixMicro()})
		}
		x := &history[len(history)-1]
		x.value, x.time, x.seq = add(x.value, float32(e.Value())), max(x.time, e.Time.UnixMicro()), e.Seq
		b.last = max(b.last, e.Seq)
	}
	slices.SortFunc(history, inTime)
	if len(events) > 0 {
		b.users[events[0].User] = history
		b.pairs += len(history)
	}
}

// Forget leaves out what users did: all of a user, all with an item, or what a
// user did with an item; "" is any. seq is the number of the deletion.
func (b *Behavior) Forget(user, item string, seq uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.last = max(b.last, seq)
	number, known := b.number[item]
	if item != "" && !known {
		return
	}
	drop := func(user string) {
		before := b.users[user]
		left := slices.DeleteFunc(before, func(x entry) bool { return item == "" || x.item == number })
		b.pairs -= len(before) - len(left)
		if b.users[user] = left; len(left) == 0 {
			delete(b.users, user)
		}
	}
	if user != "" {
		drop(user)
		return
	}
	for user := range b.users {
		drop(user)
	}
}

// Reach tells the number of the last event or deletion, where the events that
// were loaded do not.
func (b *Behavior) Reach(seq uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.last = max(b.last, seq)
}

// History returns what a user did, oldest first; nil when nothing is known.
func (b *Behavior) History(user string) []Taste {
	b.mu.RLock()
	defer b.mu.RUnlock()
	history := b.users[user]
	if len(history) == 0 {
		return nil
	}
	out := make([]Taste, len(history))
	for i, x := range history {
		out[i] = Taste{Item: b.items[x.item], Value: x.value}
	}
	return out
}

// Size describes a Behavior.
type Size struct {
	Users, Items int
	Pairs        int    // of a user and an item
	Seq          uint64 // of the last event or deletion
}

// Size returns how much there is.
func (b *Behavior) Size() Size {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return Size{Users: len(b.users), Items: len(b.items), Pairs: b.pairs, Seq: b.last}
}

// Items returns the ids of all items that events have named so far. The caller
// must not change the list.
func (b *Behavior) Items() []string {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.items[:len(b.items):len(b.items)]
}
