package vecdb

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vecdb/vecdb/answers"
	"github.com/vecdb/vecdb/embedder"
	"github.com/vecdb/vecdb/index/snapshot"
	"github.com/vecdb/vecdb/internal/core"
	"github.com/vecdb/vecdb/query"
	"github.com/vecdb/vecdb/storage"
)

type (
	// AnswerRequest is a Request plus what answering questions needs.
	AnswerRequest = query.AnswerRequest
	// AnswerResponse is the answer to an AnswerRequest.
	AnswerResponse = query.AnswerResponse
	// Message is one turn of a conversation.
	Message = query.Message
	// Feedback tells whether an answer was right for a question.
	Feedback = core.Feedback
)

const (
	// MaxFeedback is how much feedback one call takes, and maxRemembered how many
	// pairs of a question and an answer a collection remembers.
	MaxFeedback   = 1_000
	maxRemembered = 100_000
	// calibrationQuestions is how many stored questions confidence is calibrated
	// on, and as many of feedback.
	calibrationQuestions = 200
	// Confidence is calibrated again when the collection or the feedback has
	// changed by one in recalibrateShare.
	recalibrateShare = 10
)

// maxCalibrated bounds the fields of answers that a collection keeps calibrations
// of.
const maxCalibrated = 16

// answerer keeps what is known about the answers of a collection.
type answerer struct {
	c       *Collection
	memory  *answers.Memory
	logger  *slog.Logger
	ctx     context.Context // of work in the background
	cancel  context.CancelFunc
	running sync.WaitGroup
	turn    turn // of the one who calibrates
	runs    tally
	sure    atomic.Uint64 // questions that were answered
	unsure  atomic.Uint64 // questions that were not

	mu     sync.Mutex // guards the rest
	fields map[string]calibrated
	closed bool
}

// calibrated is a model with what it was fitted on.
type calibrated struct {
	answers.Fitted
	mark     snapshot.Mark // of the collection then
	feedback uint64        // version of the memory
	pairs    int           // that the memory held
	pending  bool          // it is being made anew
}

// startAnswerer reads the feedback of a collection that is being opened, and the
// calibrations of an earlier run.
func startAnswerer(c *Collection) (*answerer, error) {
	a := &answerer{c: c, memory: answers.NewMemory(), logger: c.db.options.Logger.With("collection", c.Name()), turn: newTurn(),
		fields: make(map[string]calibrated)}
	a.ctx, a.cancel = context.WithCancel(context.Background())
	err := c.stored.Feedback("", func(f storage.Feedback) error {
		a.memory.Add(f.Feedback, f.Vector)
		return nil
	})
	if err == nil {
		a.restore()
	}
	return a, err
}

func (a *answerer) close() {
	a.mu.Lock()
	a.closed = true
	a.mu.Unlock()
	a.cancel()
	a.running.Wait()
}

// fitted returns how sure scores make the answers of a field.
func (a *answerer) fitted(field string) answers.Fitted {
	a.mu.Lock()
	defer a.mu.Unlock()
	if have, there := a.fields[field]; there {
		return have.Fitted
	}
	return answers.Fitted{Model: answers.DefaultModel()}
}

// known are the fields whose answers were calibrated.
func (a *answerer) known() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Collect(maps.Keys(a.fields))
}

// prepare calibrates the answers of a field where that was never done, and does
// it again in the background where much has changed since.
func (a *answerer) prepare(ctx context.Context, field string) error {
	a.mu.Lock()
	have, there := a.fields[field]
	if there && !have.pending && !a.closed && a.stale(have) {
		have.pending = true
		a.fields[field] = have
		a.running.Go(func() {
			tellFailure(a.logger, "the confidence of answers is not calibrated anew", a.calibrate(a.ctx, field, true))
		})
	}
	a.mu.Unlock()
	if there {
		return nil
	}
	return a.c.life.during(ctx, func(ctx context.Context) error { return a.calibrate(ctx, field, false) })
}

// stale reports whether much has changed since.
func (a *answerer) stale(have calibrated) bool {
	changes, feedback := a.c.applier.position()-have.mark.Seq, a.memory.Version()-have.feedback
	return changes >= uint64(max(1, a.c.Len()/recalibrateShare)) || feedback >= uint64(max(1, a.memory.Len()/recalibrateShare))
}

// calibrate fits the model of a field to what is known now, where it is there
// already only when asked to do it again.
func (a *answerer) calibrate(ctx context.Context, field string, again bool) error {
	release, err := a.turn.take(ctx)
	if err != nil {
		return err
	}
	defer release()
	a.mu.Lock()
	_, known := a.fields[field]
	full := len(a.fields) >= maxCalibrated
	a.mu.Unlock()
	if known && !again || !known && full {
		return nil
	}
	began := time.Now()
	next, err := a.fit(ctx, field)
	a.runs.book(field, began, next.Examples > 0, err)
	a.mu.Lock()
	have, there := a.fields[field]
	have.pending = false
	switch {
	case err == nil:
		a.fields[field] = next
	case there:
		a.fields[field] = have
	}
	a.mu.Unlock()
	if err != nil {
		return fmt.Errorf("calibrate the confidence of answers: %w", err)
	}
	if err := a.save(); err != nil {
		a.logger.Warn("the calibration of answers is not saved, it will be made anew after the next start", "error", err)
	}
	return nil
}

// fit fits the model of a field to what is known now.
func (a *answerer) fit(ctx context.Context, field string) (calibrated, error) {
	mark, err := a.c.applier.mark()
	if err != nil {
		return calibrated{}, err
	}
	next := calibrated{mark: mark, feedback: a.memory.Version(), pairs: a.memory.Len()}
	examples, err := a.c.engine().AnswerExamples(ctx, field, calibrationQuestions)
	next.Fitted.Model = answers.DefaultModel()
	if len(examples) > 0 {
		next.Fitted = answers.Fit(examples)
	}
	return next, err
}

// Answer finds the best answer to a question among the documents that hold one,
// with a calibrated confidence, and passages where it is not sure enough. The
// first call of a collection takes longer, since it calibrates.
func (c *Collection) Answer(ctx context.Context, r AnswerRequest) (AnswerResponse, error) {
	if err := cmp.Or(r.Validate(c.Info().Dim), c.checkGenerate(r)); err != nil {
		return AnswerResponse{}, err
	}
	if err := c.answerer.prepare(ctx, cmp.Or(r.AnswerField, query.DefaultAnswerField)); err != nil {
		return AnswerResponse{}, err
	}
	out, err := c.engine().Answer(ctx, r)
	if err != nil {
		return out, err
	}
	if out.Answered {
		c.answerer.sure.Add(1)
	} else {
		c.answerer.unsure.Add(1)
	}
	if r.Generate {
		err = c.generate(ctx, r, &out)
	}
	return out, err
}

// FeedbackResult tells what became of feedback.
type FeedbackResult struct {
	Accepted       int // stored, or there already
	Duplicates     int // of them there already: equal question, answer, verdict and time
	UnknownAnswers int // of them about an answer that is no document (yet)
}

// AddFeedback stores whether answers were right, at most MaxFeedback at once.
// Feedback without a time gets the present one. When one is refused, with a
// pointer relative to the list, none is stored. Answers heed it at once; with
// WaitTrained their confidence is calibrated on it too.
func (c *Collection) AddFeedback(ctx context.Context, list []Feedback, w Wait) (FeedbackResult, error) {
	ready, err := c.checkFeedback(list)
	if err != nil {
		return FeedbackResult{}, err
	}
	out := FeedbackResult{}
	for part := range slices.Chunk(ready, storage.MaxFeedback) {
		texts, ids := make([]string, len(part)), make([]string, len(part))
		for i := range part {
			texts[i], ids[i] = part[i].Question, part[i].Answer
		}
		embedded, err := c.embed(ctx, embedder.Query, texts)
		if err != nil {
			return out, err
		}
		for i := range part {
			part[i].Vector = embedded.Vectors[i]
		}
		fresh := 0
		err = c.stored.CommitFeedback(ctx, part, func(list []storage.Feedback) {
			fresh = len(list)
			for _, f := range list {
				c.answerer.memory.Add(f.Feedback, f.Vector)
			}
		})
		if err != nil {
			return out, fmt.Errorf("store feedback in %s: %w", c.Name(), err)
		}
		unknown, err := c.unknownItems(ids)
		if err != nil {
			return out, err
		}
		out.Accepted += len(part)
		out.Duplicates += len(part) - fresh
		out.UnknownAnswers += unknown
	}
	if w == WaitTrained && out.Accepted > 0 {
		return out, c.life.during(ctx, func(ctx context.Context) error {
			return c.answerer.calibrate(ctx, query.DefaultAnswerField, true)
		})
	}
	return out, nil
}

// checkFeedback returns the feedback with times, or why one is refused.
func (c *Collection) checkFeedback(list []Feedback) ([]storage.Feedback, error) {
	if len(list) > MaxFeedback {
		return nil, &core.InputError{Cause: ErrTooLarge, Hint: "send several requests",
			Detail: fmt.Sprintf("there are %d feedbacks, %d are allowed at once", len(list), MaxFeedback)}
	}
	if c.answerer.memory.Len()+len(list) > maxRemembered {
		return nil, &core.InputError{Cause: ErrTooLarge, Hint: "store the questions as documents, and delete their feedback",
			Detail: fmt.Sprintf("the collection remembers up to %d pairs of a question and an answer", maxRemembered)}
	}
	now := time.Now().UTC().Truncate(time.Microsecond)
	ready := make([]storage.Feedback, len(list))
	for i, f := range list {
		if err := f.Check(); err != nil {
			return nil, core.At("/"+strconv.Itoa(i), err)
		}
		if f.Time.IsZero() {
			f.Time = now
		}
		ready[i].Feedback = f
	}
	return ready, nil
}

// DeleteFeedback deletes the feedback on an answer, all with "", and returns how
// much there was.
func (c *Collection) DeleteFeedback(ctx context.Context, answer string) (int, error) {
	n, err := c.stored.DeleteFeedback(ctx, answer, func() { c.answerer.memory.Forget(answer) })
	if err != nil {
		return n, fmt.Errorf("delete feedback of %s: %w", c.Name(), err)
	}
	return n, nil
}

// Feedback returns the latest feedback on an answer, on all with "", newest
// first, at most limit, and how much there is in all.
func (c *Collection) Feedback(ctx context.Context, answer string, limit int) (list []Feedback, total int, err error) {
	if limit < 1 || limit > query.MaxLimit {
		return nil, 0, core.Invalid("/limit", "", "the limit must be from 1 to %d", query.MaxLimit)
	}
	keep := func() {
		slices.SortStableFunc(list, func(a, b Feedback) int { return b.Time.Compare(a.Time) })
		list = list[:min(limit, len(list))]
	}
	err = c.stored.Feedback(answer, func(f storage.Feedback) error {
		total++
		if list = append(list, f.Feedback); len(list) >= 2*query.MaxLimit {
			keep()
		}
		return ctx.Err()
	})
	keep()
	return list, total, err
}

// AnswerStats tells what is known about the answers of a collection.
type AnswerStats struct {
	// Feedback is how many pairs of a question and an answer users have judged.
	Feedback int
	// Calibration is nil until a question was asked.
	Calibration *answers.Fitted
}

func (a *answerer) stats() AnswerStats {
	out := AnswerStats{Feedback: a.memory.Len()}
	a.mu.Lock()
	defer a.mu.Unlock()
	if have, there := a.fields[query.DefaultAnswerField]; there && have.Examples > 0 {
		out.Calibration = &have.Fitted
	}
	return out
}
