package train

import (
	"cmp"
	"context"
	"math"
	"runtime"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// Options of Train. The zero value is ready to use.
type Options struct {
	// Names holds the embedded names of labels (NameOf), where there are any.
	Names map[string][]float32
	// Seed decides folds and orders: the same examples and seed give the same
	// head.
	Seed uint64
	// Workers is how many goroutines compute; 0 is one a processor.
	Workers int
	// Progress is told how far it has come, in the phases Compare and Fit.
	Progress Progress
}

// Progress is told how many parts of a phase are done of how many there are, one
// call at a time; total is 0 while that is not known. It does not wait. Nil is
// told nothing.
type Progress func(phase string, done, total int)

// The phases of Train.
const (
	Compare = "compare" // the methods, on examples that are held out
	Fit     = "fit"     // the head
)

// Tell tells a Progress that may be nil.
func (p Progress) Tell(phase string, done, total int) {
	if p != nil {
		p(phase, done, total)
	}
}

const (
	// judgeFrom is the mean number of examples a label from which on examples
	// are held out; below, the settings are preset, since two in three are too
	// unlike three in three.
	judgeFrom = 3
	// calibrateFrom is the number of examples from which on presets are
	// calibrated.
	calibrateFrom = 30
	// judgeMost is how many examples are held out at most.
	judgeMost = 6_000
	// judgeScores bounds the examples held out times the labels, as long as
	// there are judgeLeast.
	judgeScores = 250_000
	judgeLeast  = 2_000
)

// preset is the linear setting where no example can be held out: the vector
// tells most then.
var preset = setting{Terms: 1, Vector: 4, C: 1}

// presetCalibration suits preset: few examples make it too unsure.
const presetCalibration = 0.5

// paths are the linear settings that are tried, those of one scale together with
// growing C, each from where the one before ended. docs/decisions tells how they
// were chosen.
func paths(vectors, terms bool) [][]setting {
	switch {
	case !vectors:
		return [][]setting{{{Terms: 1, C: 1}, {Terms: 1, C: 3}, {Terms: 1, C: 10}}}
	case !terms:
		return [][]setting{{{Vector: 1, C: 1}, {Vector: 1, C: 10}, {Vector: 1, C: 30}}}
	}
	return [][]setting{
		{{Terms: 1, C: 1}, {Terms: 1, C: 3}, {Terms: 1, C: 10}},
		{{Terms: 1, Vector: 0.5, C: 3}, {Terms: 1, Vector: 0.5, C: 10}},
		{{Terms: 1, Vector: 1, C: 1}, {Terms: 1, Vector: 1, C: 3}, {Terms: 1, Vector: 1, C: 10}},
		{{Terms: 1, Vector: 2, C: 1}, {Terms: 1, Vector: 2, C: 3}},
		{{Terms: 1, Vector: 4, C: 0.3}, {Terms: 1, Vector: 4, C: 1}},
		{{Vector: 1, C: 3}, {Vector: 1, C: 10}},
	}
}

// Train learns from examples and chooses a method. An error matches
// core.ErrInvalid when the examples have fewer than two labels, or more than
// MaxLabels.
func Train(ctx context.Context, examples []Example, o Options) (*Head, error) {
	start := time.Now()
	if o.Workers <= 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	s, err := newSet(examples, o)
	if err != nil {
		return nil, err
	}
	h := &Head{words: s.words, dim: s.dim}
	h.info = Info{Method: Linear, Labels: s.labels, Examples: len(s.rows), Features: len(s.words.hashes), Named: len(s.names) > 0}
	if err := s.choose(ctx, h, o); err != nil {
		return nil, err
	}
	o.Progress.Tell(Fit, 0, 1)
	best, _ := h.Candidate(Linear)
	if h.linear, err = s.fit(ctx, best.parts(), o); err != nil {
		return nil, err
	}
	if s.dim > 0 {
		h.centroid = s.centroids(func(int) bool { return true })
	}
	h.info.Trained, h.info.Took = start.UTC().Truncate(time.Second), time.Since(start).Seconds()
	return h, nil
}

// fit sums up the parts, each learnt from all rows.
func (s *set) fit(ctx context.Context, parts []Part, o Options) (*linear, error) {
	rows := append(slices.Clone(s.rows), s.names...)
	models := make([]*linear, len(parts))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(o.Workers)
	for i, p := range parts {
		group.Go(func() (err error) {
			solver := newSolver(rows, len(s.labels), s.words.features(), s.dim, o.Seed)
			models[i], err = solver.fit(ctx, p.Setting)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return sum(models, parts), nil
}

// choose compares the methods on examples that are held out, where there are
// enough, and sets what came out.
func (s *set) choose(ctx context.Context, h *Head, o Options) error {
	judged := s.part(min(judgeMost, max(judgeLeast, judgeScores/len(s.labels))), o.Seed)
	if len(judged.rows) < judgeFrom*len(s.labels) || len(judged.rows) < 10 {
		h.info.Candidates = s.presets()
		return s.calibratePresets(ctx, h.info.Candidates, o)
	}
	n := 5
	switch {
	case len(judged.rows) < 300:
		n = 10
	case len(judged.rows) > 3_000:
		n = 3
	}
	fold := judged.folds(n, o.Seed)
	outcomes, scope, err := judged.try(ctx, fold, n, o)
	if err != nil {
		return err
	}
	h.info.Folds, h.info.Judged = n, len(judged.rows)
	h.info.Candidates = rank(outcomes, len(judged.rows))
	h.info.Method = h.info.Candidates[0].Method
	if scope != nil {
		h.info.Scope = leastScope(scope)
	}
	return nil
}

// presets are the candidates where none can be compared.
func (s *set) presets() []Candidate {
	p := preset
	if s.dim == 0 {
		p.Vector = 0
	}
	list := []Candidate{{Method: Linear, Setting: &p, Calibration: presetCalibration}}
	if s.dim > 0 {
		list = append(list, Candidate{Method: Centroid, Calibration: 1}, Candidate{Method: Neighbors, K: 20, Temperature: 0.05, Calibration: 1})
	}
	return list
}

// calibratePresets calibrates the candidates that cannot be compared, where names
// stand in for the examples that are held out.
func (s *set) calibratePresets(ctx context.Context, list []Candidate, o Options) error {
	const folds = 5
	if len(s.names) < len(s.labels) || len(s.rows) < calibrateFrom {
		return nil
	}
	fold := s.folds(folds, o.Seed)
	linear, err := s.tryLinear(ctx, [][]setting{{*list[0].Setting}}, fold, folds, o)
	if err != nil {
		return err
	}
	labels := s.labelNumbers()
	for i, c := range list {
		switch c.Method {
		case Linear:
			list[i].Calibration = calibrate(linear[0].logits, labels)
		case Centroid:
			list[i].Calibration = calibrate(s.tryCentroid(fold, folds).logits, labels)
		}
	}
	return nil
}

func (s *set) labelNumbers() []int {
	labels := make([]int, len(s.rows))
	for i, r := range s.rows {
		labels[i] = r.label
	}
	return labels
}

// part returns a sample of the set with the same vocabulary.
func (s *set) part(n int, seed uint64) *set {
	out := *s
	if len(s.rows) > n {
		out.rows = nil
		for _, i := range stratify(len(s.rows), func(i int) int { return s.rows[i].label }, seed)[:n] {
			out.rows = append(out.rows, s.rows[i])
		}
	}
	return &out
}

// try has each candidate label each example, learnt from the other folds.
func (s *set) try(ctx context.Context, fold []int, folds int, o Options) (outcomes []*outcome, scope []float32, err error) {
	if s.dim > 0 {
		if outcomes, scope, err = s.tryNeighbors(ctx, fold, o.Workers); err != nil {
			return nil, nil, err
		}
		outcomes = append(outcomes, s.tryCentroid(fold, folds))
	}
	linear, err := s.tryLinear(ctx, paths(s.dim > 0, len(s.words.hashes) > 0), fold, folds, o)
	if err != nil {
		return nil, nil, err
	}
	outcomes = append(outcomes, linear...)
	labels := s.labelNumbers()
	for _, out := range outcomes {
		out.score(labels)
	}
	outcomes = contenders(outcomes, len(labels))
	group := new(errgroup.Group)
	group.SetLimit(o.Workers)
	for _, out := range outcomes {
		group.Go(func() error { out.judge(labels); return ctx.Err() })
	}
	if err := group.Wait(); err != nil {
		return nil, nil, err
	}
	if b := blend(outcomes, labels); b != nil {
		outcomes = append(outcomes, b)
	}
	return outcomes, scope, nil
}

func (s *set) tryLinear(ctx context.Context, paths [][]setting, fold []int, folds int, o Options) ([]*outcome, error) {
	var out []*outcome
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(o.Workers)
	fits := &fitted{of: folds * len(paths), tell: o.Progress}
	for _, path := range paths {
		of := make([]*outcome, len(path))
		for i, p := range path {
			of[i] = &outcome{Candidate: Candidate{Method: Linear, Setting: &p}, logits: make([][]float32, len(s.rows))}
		}
		out = append(out, of...)
		for f := range folds {
			group.Go(func() error {
				defer fits.add()
				return s.tryPath(ctx, path, of, fold, f, o.Seed)
			})
		}
	}
	return out, group.Wait()
}

// fitted tells how many fits of a comparison are done.
type fitted struct {
	of   int
	tell Progress

	mu   sync.Mutex // guards the rest, and calls of tell
	done int
}

func (f *fitted) add() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.done++
	f.tell.Tell(Compare, f.done, f.of)
}

// tryPath fits the settings of a path without one fold and labels that.
func (s *set) tryPath(ctx context.Context, path []setting, out []*outcome, fold []int, held int, seed uint64) error {
	rows := slices.Clone(s.names)
	for i, r := range s.rows {
		if fold[i] != held {
			rows = append(rows, r)
		}
	}
	solver := newSolver(rows, len(s.labels), s.words.features(), s.dim, seed)
	for i, p := range path {
		model, err := solver.fit(ctx, p)
		if err != nil {
			return err
		}
		for j, r := range s.rows {
			if fold[j] == held {
				logits := make([]float32, len(s.labels))
				model.scores(r.terms, r.vector, logits)
				out[i].logits[j] = logits
			}
		}
	}
	return nil
}

func (s *set) tryCentroid(fold []int, folds int) *outcome {
	out := &outcome{Candidate: Candidate{Method: Centroid}, logits: make([][]float32, len(s.rows))}
	for f := range folds {
		c := s.centroids(func(i int) bool { return fold[i] != f })
		for i, r := range s.rows {
			if fold[i] != f {
				continue
			}
			out.logits[i] = make([]float32, len(s.labels))
			if r.vector != nil {
				centroidScores(c, r.vector, out.logits[i])
			}
		}
	}
	return out
}

// centroids returns the direction of the mean of each label's vectors.
func (s *set) centroids(use func(i int) bool) []float32 {
	sums := s.sums(use)
	for c := range s.labels {
		at := sums[c*s.dim:][:s.dim]
		if u := unit(at, s.dim); u != nil {
			copy(at, u)
		}
	}
	return sums
}

// sums adds up each label's vectors, and its name where names are used.
func (s *set) sums(use func(i int) bool) []float32 {
	sums := make([]float32, len(s.labels)*s.dim)
	of := func(r *row) []float32 { return sums[r.label*s.dim:][:s.dim] }
	for i, r := range s.rows {
		if r.vector != nil && use(i) {
			add(of(r), 1, r.vector)
		}
	}
	for _, r := range s.names {
		add(of(r), nameInCentroid, r.vector)
	}
	return sums
}

// kind is what candidates have in common that err in the same places.
type kind struct {
	Method
	reads
}

func kindOf(o *outcome) kind {
	if o.Setting == nil {
		return kind{Method: o.Method}
	}
	return kind{o.Method, o.Setting.reads()}
}

// contenders returns the outcomes whose accuracy is within half a standard
// error of the highest of their kind. Among these, and then among the methods,
// the least log loss decides, which tells more.
func contenders(outcomes []*outcome, n int) []*outcome {
	var out []*outcome
	for _, of := range grouped(outcomes, kindOf) {
		out = append(out, level(of, n)...)
	}
	return out
}

// grouped returns the outcomes with the same key together, in the order of the
// first ones.
func grouped[K comparable](outcomes []*outcome, key func(*outcome) K) (out [][]*outcome) {
	at := make(map[K]int)
	for _, o := range outcomes {
		k := key(o)
		if _, known := at[k]; !known {
			at[k] = len(out)
			out = append(out, nil)
		}
		out[at[k]] = append(out[at[k]], o)
	}
	return out
}

// level returns the outcomes whose accuracy is about the highest.
func level(list []*outcome, n int) []*outcome {
	var top float64
	for _, o := range list {
		top = max(top, o.Accuracy)
	}
	slack := math.Sqrt(top*(1-top)/float64(n)) / 2
	return slices.DeleteFunc(slices.Clone(list), func(o *outcome) bool { return o.Accuracy < top-slack })
}

func byLoss(a, b *outcome) int { return cmp.Compare(a.LogLoss, b.LogLoss) }

// rank returns the best candidate of each method, the best method first. Of the
// linear ones it is the sum where there is one, since its parts are the best of
// their kinds.
func rank(contenders []*outcome, n int) []Candidate {
	var firsts []*outcome
	for _, of := range grouped(contenders, func(o *outcome) Method { return o.Method }) {
		firsts = append(firsts, slices.MinFunc(of, byLoss))
	}
	var out []Candidate
	for len(firsts) > 0 {
		next := slices.MinFunc(level(firsts, n), byLoss)
		out = append(out, next.Candidate)
		firsts = slices.DeleteFunc(firsts, func(o *outcome) bool { return o == next })
	}
	return out
}
