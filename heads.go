package vecdb

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"log/slog"
	"maps"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/vecdb/vecdb/index/snapshot"
	"github.com/vecdb/vecdb/internal/core"
	"github.com/vecdb/vecdb/query"
	"github.com/vecdb/vecdb/train"
)

const (
	// Heads are trained when nothing has changed for a while, and as many
	// documents with labels came or went as one in retrainShare.
	trainAfter   = 3 * time.Second
	retrainShare = 10
	// An import that pauses now and then shall not train at every pause, so
	// the next training is at least trainRest times as long away as the last
	// one took. trainLook is how often it is looked whether that has come.
	trainRest = 20
	trainLook = 10 * time.Second
	// maxHeads bounds the label fields of a collection that have heads.
	maxHeads = 16
	// trainSeed makes the same documents give the same head.
	trainSeed = 1
)

// trainer keeps the heads of a collection in step with its labels. What a head
// has learnt from is known by the ordinals of the labelled documents, since
// none is ever used twice: no label changes without them.
type trainer struct {
	c       *Collection
	logger  *slog.Logger
	cancel  context.CancelFunc
	running sync.WaitGroup
	turn    turn // of the one who trains a head
	runs    tally

	mu    sync.RWMutex // guards the rest
	heads map[string]trained
}

// trained is what came of the labels of a field.
type trained struct {
	head     *train.Head
	why      string // why there is no head
	version  int    // grows with each training
	state    uint64 // fingerprint of the labelled documents
	labelled *core.Set
	mark     snapshot.Mark // of the collection when it was trained
}

// startTrainer brings back the heads of an earlier run and starts following
// the labels.
func startTrainer(c *Collection) *trainer {
	ctx, cancel := context.WithCancel(context.Background())
	t := &trainer{c: c, logger: c.db.options.Logger.With("collection", c.Name()), cancel: cancel,
		turn: newTurn(), heads: make(map[string]trained)}
	t.restore()
	if !c.db.options.ReadOnly {
		t.running.Go(func() { t.follow(ctx) })
	}
	return t
}

func (t *trainer) close() {
	t.cancel()
	t.running.Wait()
}

// follow trains whenever labels have changed enough and the collection rests,
// until ctx ends.
func (t *trainer) follow(ctx context.Context) {
	for ctx.Err() == nil {
		moved := t.c.applier.waitMoved()
		timer := time.NewTimer(trainAfter)
		select {
		case <-ctx.Done():
		case <-moved:
		case <-timer.C:
			tellFailure(t.logger, "the labels are not learnt", t.catchUp(ctx, t.due, max(1, runtime.GOMAXPROCS(0)/2)))
			timer.Reset(trainLook)
			select {
			case <-ctx.Done():
			case <-moved:
			case <-timer.C:
			}
		}
		timer.Stop()
	}
}

// due reports whether labels have changed enough to be learnt again.
func (t *trainer) due(have trained, labelled *core.Set) bool {
	if have.labelled == nil || have.head == nil {
		return true
	}
	if i := have.head.Info(); time.Since(i.Trained).Seconds() < trainRest*i.Took {
		return false
	}
	gone, come := have.labelled.Clone(), labelled.Clone()
	gone.AndNot(labelled)
	come.AndNot(have.labelled)
	return (gone.Len()+come.Len())*retrainShare >= labelled.Len()
}

// always is the due of callers who wait for what was learnt last.
func always(trained, *core.Set) bool { return true }

// fields are the label fields that have heads, the default one among them.
func (t *trainer) fields() []string {
	t.mu.RLock()
	defer t.mu.RUnlock()
	names := slices.Sorted(maps.Keys(t.heads))
	if !slices.Contains(names, query.DefaultLabelField) {
		names = append(names, query.DefaultLabelField)
	}
	return names
}

func (t *trainer) get(field string) (trained, bool) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	have, there := t.heads[field]
	return have, there
}

func (t *trainer) set(field string, have trained) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.heads[field] = have
}

// catchUp trains the heads whose labels have changed and that due asks for.
func (t *trainer) catchUp(ctx context.Context, due func(trained, *core.Set) bool, workers int) error {
	for _, field := range t.fields() {
		if err := t.update(ctx, field, due, workers, nil); err != nil {
			return fmt.Errorf("learn the labels in %s: %w", field, err)
		}
	}
	return nil
}

// update trains the head of a field if its labels have changed and due asks
// for it, and tells how far that has come.
func (t *trainer) update(ctx context.Context, field string, due func(trained, *core.Set) bool, workers int, tell train.Progress) error {
	release, err := t.turn.take(ctx)
	if err != nil {
		return err
	}
	defer release()
	mark, err := t.c.applier.mark()
	if err != nil {
		return err
	}
	labelled, err := t.c.engine().Labelled(ctx, field)
	if err != nil {
		return err
	}
	state := fingerprint(labelled)
	have, there := t.get(field)
	switch {
	case !there && labelled.Len() == 0:
		return nil
	case mark == snapshot.Mark{}: // the first change is on its way, and nothing could be kept without it
		return nil
	case there && have.state == state:
		if have.labelled == nil { // it comes from an earlier run
			have.labelled = labelled
			t.set(field, have)
		}
		return nil
	case !due(have, labelled):
		return nil
	}
	next := trained{version: have.version + 1, state: state, labelled: labelled, mark: mark}
	began := time.Now()
	next.head, next.why, err = t.learn(ctx, field, labelled, workers, tell)
	t.runs.book(field, began, next.head != nil, err)
	if err != nil {
		return err
	}
	t.set(field, next)
	if err := t.save(); err != nil {
		t.logger.Warn("the heads are not saved, they will be trained again at the next start", "error", err)
	}
	return nil
}

// fingerprint tells sets of ordinals apart.
func fingerprint(s *core.Set) uint64 {
	h := fnv.New64a()
	var b [4]byte
	for o := range s.All() {
		b[0], b[1], b[2], b[3] = byte(o), byte(o>>8), byte(o>>16), byte(o>>24)
		_, _ = h.Write(b[:]) // it takes everything
	}
	return h.Sum64()
}

// learn trains a head, or tells why there can be none.
func (t *trainer) learn(ctx context.Context, field string, labelled *core.Set, workers int, tell train.Progress) (*train.Head, string, error) {
	tell.Tell(PhaseRead, 0, 0)
	examples, err := t.examples(ctx, field, labelled)
	if err == nil {
		o := train.Options{Seed: trainSeed, Workers: workers, Progress: tell}
		o.Names, err = t.names(ctx, examples)
		if err == nil {
			var head *train.Head
			if head, err = train.Train(ctx, examples, o); err == nil {
				i := head.Info()
				t.logger.Info("labels are learnt", "field", field, "labels", len(i.Labels), "examples", i.Examples, "method", i.Method, "seconds", i.Took)
				return head, "", nil
			}
		}
	}
	var in *core.InputError
	if errors.As(err, &in) {
		return nil, in.Detail, nil
	}
	return nil, "", err
}

// severalShare is the share of documents with several labels, one in so many,
// from which on a field is left to the neighbors. Fewer are passed over.
const severalShare = 100

// examples reads the documents with one label, of many a sample.
func (t *trainer) examples(ctx context.Context, field string, labelled *core.Set) ([]train.Example, error) {
	var ords []core.Ord
	var labels []string
	several := 0
	err := t.read(ctx, slices.Collect(labelled.All()), false, func(ord core.Ord, doc *core.Document) {
		switch list := query.LabelsOf(doc.Fields, field); len(list) {
		case 0:
		case 1:
			ords, labels = append(ords, ord), append(labels, list[0])
		default:
			several++
		}
	})
	if err != nil {
		return nil, err
	}
	if several*severalShare > len(ords) {
		return nil, core.Invalid("/label_field", "use the method neighbors", "%d documents have several labels in %q, heads tell single ones apart", several, field)
	}
	var chosen []core.Ord
	for _, i := range train.Sample(labels, train.MaxExamples, trainSeed) {
		chosen = append(chosen, ords[i])
	}
	var out []train.Example
	err = t.read(ctx, chosen, true, func(_ core.Ord, doc *core.Document) {
		if list := query.LabelsOf(doc.Fields, field); len(list) == 1 {
			out = append(out, train.Example{Text: doc.Text, Vector: doc.Vector, Label: list[0]})
		}
	})
	return out, err
}

// read calls fn for the documents under ords that are still there.
func (t *trainer) read(ctx context.Context, ords []core.Ord, withVectors bool, fn func(core.Ord, *core.Document)) error {
	for part := range slices.Chunk(ords, applyChunk) {
		if err := ctx.Err(); err != nil {
			return err
		}
		docs, err := t.c.stored.Documents(part, withVectors)
		if err != nil {
			return err
		}
		for i, doc := range docs {
			if doc != nil {
				fn(part[i], doc)
			}
		}
	}
	return nil
}

// names embeds the names of the labels where they can help. Without the model
// there are none.
func (t *trainer) names(ctx context.Context, examples []train.Example) (map[string][]float32, error) {
	labels := make(map[string]bool)
	for _, e := range examples {
		labels[e.Label] = true
	}
	if t.c.Info().Model == "" || !train.WantsNames(len(examples), len(labels)) {
		return nil, nil
	}
	var of, texts []string
	for _, label := range slices.Sorted(maps.Keys(labels)) {
		if name, ok := train.NameOf(label); ok {
			of, texts = append(of, label), append(texts, name)
		}
	}
	vectors, err := source{t.c}.EmbedPassages(ctx, texts)
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		t.logger.Info("the labels are learnt without their names", "error", err)
		return nil, nil
	}
	names := make(map[string][]float32, len(of))
	for i, label := range of {
		names[label] = vectors[i]
	}
	return names, nil
}

// Head returns the head of a label field, or why there is none.
func (s source) Head(field string) (*train.Head, string) {
	have, there := s.c.trainer.get(field)
	if !there {
		return nil, "it was not trained yet"
	}
	return have.head, have.why
}

// HeadStats describes what was learnt from the labels of a field.
type HeadStats struct {
	Field   string
	Version int         // grows with each training
	Info    *train.Info // nil where there is no head
	Why     string      // why there is none
	Pending bool        // labels have changed since
}

// Train learns the labels of a field now, whether they have changed much or
// not, and keeps them learnt from then on; "" is the field "label", which is
// learnt anyway. The error matches ErrInvalid when there is nothing to learn:
// no labels, or only one.
func (c *Collection) Train(ctx context.Context, labelField string) (HeadStats, error) {
	return c.TrainWith(ctx, TrainOptions{LabelField: labelField})
}

// The phases that come before those of train.Train.
const (
	PhaseWait = "wait" // until all labels are indexed, and others have trained
	PhaseRead = "read" // the labelled documents
)

// TrainOptions are those of TrainWith.
type TrainOptions struct {
	LabelField string // "" is the field "label"
	// Progress is told how far it has come: PhaseWait, PhaseRead and the phases of
	// train.Train. Where labels have not changed there is nothing to do but to wait.
	Progress train.Progress
}

// TrainWith is Train with options.
func (c *Collection) TrainWith(ctx context.Context, o TrainOptions) (HeadStats, error) {
	labelField := cmp.Or(o.LabelField, query.DefaultLabelField)
	o.Progress.Tell(PhaseWait, 0, 0)
	err := c.life.during(ctx, func(ctx context.Context) error {
		if err := c.checkLabelField(ctx, labelField); err != nil {
			return err
		}
		if fields := c.trainer.fields(); len(fields) >= maxHeads && !slices.Contains(fields, labelField) {
			return core.Invalid("/label_field", "use the method neighbors", "%d fields are learnt already, as many as a collection may have", maxHeads)
		}
		return c.trainer.update(ctx, labelField, always, 0, o.Progress)
	})
	if err != nil {
		return HeadStats{}, err
	}
	have, _ := c.trainer.get(labelField)
	if have.head == nil {
		return HeadStats{}, core.Invalid("/label_field", "add labelled documents, or classify by neighbors", "nothing can be learnt from %q: %s", labelField, have.why)
	}
	return c.trainer.describe(ctx, labelField, have), nil
}

// checkLabelField refuses what can be no field of labels, and waits until all
// labels are indexed.
func (c *Collection) checkLabelField(ctx context.Context, field string) error {
	if core.Reserved(field) {
		return core.Invalid("/label_field", "name the field that holds the labels", "the %s of a document is not a label", field)
	}
	if err := c.wait(ctx, c.stored.LastSeq()); err != nil {
		return err
	}
	labelled, err := c.engine().Labelled(ctx, field)
	if err != nil {
		return err
	}
	if labelled.Len() == 0 {
		return core.Invalid("/label_field", "name a field that documents have, or add documents", "no document has a label in %q", field)
	}
	return nil
}

// describe tells about a head.
func (t *trainer) describe(ctx context.Context, field string, have trained) HeadStats {
	s := HeadStats{Field: field, Version: have.version, Why: have.why}
	if have.head != nil {
		info := have.head.Info()
		s.Info = &info
	}
	labelled, err := t.c.engine().Labelled(ctx, field)
	s.Pending = err == nil && fingerprint(labelled) != have.state
	return s
}

// stats describes all heads.
func (t *trainer) stats() []HeadStats {
	var out []HeadStats
	for _, field := range t.fields() {
		if have, there := t.get(field); there {
			out = append(out, t.describe(context.Background(), field, have))
		}
	}
	return out
}

// Evaluate tells how well the labels of a field are found: all labelled
// documents, of many a sample, are labelled by what was learnt from others.
// Errors are those of Train.
func (c *Collection) Evaluate(ctx context.Context, labelField string, e train.Evaluation) (*train.Report, error) {
	if labelField == "" {
		labelField = query.DefaultLabelField
	}
	if err := e.Validate(); err != nil {
		return nil, err
	}
	var report *train.Report
	err := c.life.during(ctx, func(ctx context.Context) (err error) {
		if err := c.checkLabelField(ctx, labelField); err != nil {
			return err
		}
		report, err = c.trainer.evaluate(ctx, labelField, e)
		return err
	})
	return report, err
}

// evaluate is Collection.Evaluate of a field that has labels.
func (t *trainer) evaluate(ctx context.Context, field string, e train.Evaluation) (*train.Report, error) {
	labelled, err := t.c.engine().Labelled(ctx, field)
	if err != nil {
		return nil, err
	}
	examples, err := t.examples(ctx, field, labelled)
	if err != nil {
		return nil, err
	}
	o := train.Options{Seed: trainSeed}
	if o.Names, err = t.names(ctx, examples); err != nil {
		return nil, err
	}
	return train.Evaluate(ctx, examples, e, o)
}
