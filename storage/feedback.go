package storage

import (
	"context"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/vecdb/vecdb/internal/core"
)

// MaxFeedback is how much feedback one call of CommitFeedback takes, so that a
// batch holds all of it.
const MaxFeedback = 64

// Feedback is feedback as it is stored: with the vector of its question, so that
// nothing is embedded again.
type Feedback struct {
	core.Feedback
	Vector []float32 // of the collection's dimension
}

// feedbackCall is what a call of CommitFeedback or DeleteFeedback does.
type feedbackCall struct {
	list    []Feedback
	deletes bool
	answer  string // whose feedback is deleted, "" is all

	fresh   []Feedback // what was not there before
	deleted int
	landed  func()
}

// CommitFeedback stores feedback, at most MaxFeedback, all at once. The caller
// has checked it and set its times. What is there already is passed over. Before
// the call returns, landed is called with what was not there; calls of landed
// come one at a time in the order of writing, on the goroutine that writes, and
// do not wait.
func (c *Collection) CommitFeedback(ctx context.Context, list []Feedback, landed func(fresh []Feedback)) error {
	if len(list) > MaxFeedback {
		return fmt.Errorf("%d feedbacks: %w", len(list), core.ErrTooLarge)
	}
	f := &feedbackCall{list: list}
	f.landed = func() { landed(f.fresh) }
	return c.commit(&commitCall{ctx: ctx, c: c, done: make(chan struct{}), feedback: f}, len(list) == 0)
}

// DeleteFeedback deletes the feedback on an answer, all of the collection with
// "", and returns how much there was. landed is called as by CommitFeedback.
func (c *Collection) DeleteFeedback(ctx context.Context, answer string, landed func()) (int, error) {
	f := &feedbackCall{deletes: true, answer: answer, landed: landed}
	err := c.commit(&commitCall{ctx: ctx, c: c, done: make(chan struct{}), feedback: f}, false)
	return f.deleted, err
}

// addFeedback puts a call about feedback into the batch, whole.
func (g *group) addFeedback(c *Collection, call *feedbackCall) error {
	// What others have begun lands first, since this call looks for what is
	// there and may be large.
	if g.land(); g.failed != nil {
		return g.failed
	}
	if call.deletes {
		return g.removeFeedback(c, call)
	}
	seen := make(map[string]struct{}, len(call.list))
	return c.store.engine.View(func(r Reader) error {
		for i := range call.list {
			f := &call.list[i]
			key := feedbackKey(c.number, &f.Feedback)
			first, err := unseen(r, seen, key)
			if err != nil {
				return err
			}
			if !first {
				continue
			}
			g.batch.Put(key, encodeVector(kindFeedback, key, f.Vector)) // all else is in the key
			call.fresh = append(call.fresh, *f)
		}
		return nil
	})
}

// removeFeedback deletes what a call names.
func (g *group) removeFeedback(c *Collection, call *feedbackCall) error {
	each := func(fn func(key []byte) error) error {
		return c.eachFeedback(call.answer, func(key []byte, _ Feedback) error { return fn(key) })
	}
	return g.deleteAll(each, func(n int) { call.deleted += n })
}

// Feedback calls fn for the feedback on an answer, on all of the collection with
// "", that of an answer together. It ends with fn's error, which it hands back.
func (c *Collection) Feedback(answer string, fn func(Feedback) error) error {
	return c.eachFeedback(answer, func(_ []byte, f Feedback) error { return fn(f) })
}

func (c *Collection) eachFeedback(answer string, fn func(key []byte, f Feedback) error) error {
	return c.store.engine.View(func(r Reader) error {
		prefix := kindPrefix(c.number, kindFeedback)
		if answer != "" {
			prefix = feedbackPrefix(c.number, answer)
		}
		return r.Scan(prefix, prefixEnd(prefix), func(key, value []byte) error {
			f, err := decodeFeedback(key, value, c.Config().Dim)
			if err != nil {
				return fmt.Errorf("feedback of collection %s: %w", c.Config().Name, err)
			}
			return fn(key, f)
		})
	})
}

func decodeFeedback(key, record []byte, dim int) (Feedback, error) {
	vector, err := decodeVector(kindFeedback, key, record, dim)
	if err != nil {
		return Feedback{}, err
	}
	var parts [2]string
	rest := key[len(kindPrefix(0, kindFeedback)):]
	for i := range parts {
		if parts[i], rest, err = cutPart(key, rest); err != nil {
			return Feedback{}, err
		}
	}
	if len(rest) != 9 || rest[0] > 1 {
		return Feedback{}, corrupt(key, "the feedback has another length")
	}
	return Feedback{Vector: vector, Feedback: core.Feedback{Answer: parts[0], Question: parts[1], Right: rest[0] == 1,
		Time: time.UnixMicro(int64(binary.BigEndian.Uint64(rest[1:]))).UTC()}}, nil
}

// feedback checks all feedback.
func (v *verifier) feedback() error {
	_, err := v.scan(kindFeedback, func(key, value []byte) error {
		_, err := decodeFeedback(key, value, v.c.Config().Dim)
		return err
	})
	return err
}
