package train

import (
	"cmp"
	"context"
	"math"
	"runtime"
	"slices"

	"github.com/vecdb/vecdb/internal/core"
)

// Report tells how well examples that were held out were labelled.
type Report struct {
	// Method is what was evaluated; with "auto" Chosen counts what the folds
	// chose.
	Method Method         `json:"method"`
	Chosen map[Method]int `json:"chosen,omitempty"`
	// Examples is how many were labelled, Folds in how many parts.
	Examples int     `json:"examples"`
	Folds    int     `json:"folds"`
	Accuracy float64 `json:"accuracy"`
	// StandardError is that of the accuracy.
	StandardError float64 `json:"standard_error"`
	// Macro figures are means over the labels, each of the same weight.
	MacroPrecision float64 `json:"macro_precision"`
	MacroRecall    float64 `json:"macro_recall"`
	MacroF1        float64 `json:"macro_f1"`
	// ECE is the expected calibration error, in 15 intervals of confidence.
	ECE     float64 `json:"ece"`
	LogLoss float64 `json:"log_loss"`
	// Classes has a line a label in ascending order. Confusion[i][j] is how many
	// examples of label i were given label j, in the same order.
	Classes   []ClassReport `json:"classes"`
	Confusion [][]int       `json:"confusion"`
}

// ClassReport tells how well one label is told from the others.
type ClassReport struct {
	Label     string  `json:"label"`
	Precision float64 `json:"precision"` // 0 when the label was never given
	Recall    float64 `json:"recall"`
	F1        float64 `json:"f1"`
	Support   int     `json:"support"` // examples of the label
}

// Auto is the method that cross-validation chooses.
const Auto Method = "auto"

// Bounds of an evaluation.
const (
	DefaultFolds = 5
	MaxFolds     = 100
	// MaxEvaluated is how many examples are evaluated; of more a sample is.
	MaxEvaluated = 20_000
)

// Evaluation says what to evaluate.
type Evaluation struct {
	// Method is Auto when empty: each fold then chooses by cross-validation
	// within what is not held out, so that nothing is chosen on what is judged.
	Method Method
	// Folds is from 2 to MaxFolds, 0 is DefaultFolds.
	Folds int
	// LeaveOneOut holds out one example at a time, by neighbors or centroids
	// only, since the others would be trained as often as there are examples.
	LeaveOneOut bool
	// Progress, when not nil, is told after each fold how many are done.
	Progress func(done, total int)
}

// Evaluate has every example labelled by what was learnt from the other folds.
// Errors match core.ErrInvalid as those of Train do.
func Evaluate(ctx context.Context, examples []Example, e Evaluation, o Options) (*Report, error) {
	if err := e.Validate(); err != nil {
		return nil, err
	}
	if o.Workers <= 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	examples = sample(examples, MaxEvaluated, o.Seed)
	s, err := newSet(examples, o)
	if err != nil {
		return nil, err
	}
	if s.dim == 0 && (e.Method == Neighbors || e.Method == Centroid) {
		return nil, core.Invalid("/method", "use linear", "without vectors there are no %s", e.Method)
	}
	if e.LeaveOneOut {
		return s.leaveOneOut(ctx, e)
	}
	e.Folds = min(e.Folds, len(examples))
	fold := s.folds(e.Folds, o.Seed)
	probabilities := make([][]float64, len(examples))
	r := &Report{Method: e.Method, Folds: e.Folds}
	for f := range e.Folds {
		h, err := s.learnWithout(ctx, examples, fold, f, o)
		if err != nil {
			return nil, err
		}
		m := e.Method
		if m == Auto {
			m = h.info.Method
			if r.Chosen == nil {
				r.Chosen = make(map[Method]int)
			}
			r.Chosen[m]++
		}
		s.label(h, m, examples, fold, f, probabilities)
		if e.Progress != nil {
			e.Progress(f+1, e.Folds)
		}
	}
	s.fill(r, probabilities)
	return r, nil
}

// Validate fills in the defaults and checks the rest.
func (e *Evaluation) Validate() error {
	e.Method, e.Folds = cmp.Or(e.Method, Auto), cmp.Or(e.Folds, DefaultFolds)
	switch {
	case !slices.Contains([]Method{Auto, Linear, Centroid, Neighbors}, e.Method):
		return core.Invalid("/method", "use auto, neighbors, centroid or linear", "unknown method %.40q", e.Method)
	case e.Folds < 2 || e.Folds > MaxFolds:
		return core.Invalid("/folds", "leave it out for 5", "there are %d folds, 2 to %d are allowed", e.Folds, MaxFolds)
	case e.LeaveOneOut && e.Method != Neighbors && e.Method != Centroid:
		return core.Invalid("/leave_one_out", "use folds, or the method neighbors or centroid",
			"the method %s would be trained as often as there are examples", e.Method)
	}
	return nil
}

// learnWithout trains on all examples but those of a fold.
func (s *set) learnWithout(ctx context.Context, examples []Example, fold []int, held int, o Options) (*Head, error) {
	var rest []Example
	for i, e := range examples {
		if fold[i] != held {
			rest = append(rest, e)
		}
	}
	return Train(ctx, rest, o)
}

// label fills in the probabilities for the examples of a fold, by label of the
// set.
func (s *set) label(h *Head, m Method, examples []Example, fold []int, held int, out [][]float64) {
	at := make([]int, len(h.info.Labels)) // place of the head's labels among the set's
	for i, l := range h.info.Labels {
		at[i], _ = slices.BinarySearch(s.labels, l)
	}
	c, _ := h.Candidate(m)
	for i, e := range examples {
		if fold[i] != held {
			continue
		}
		out[i] = make([]float64, len(s.labels))
		if m == Neighbors {
			if v := s.rows[i].vector; v != nil {
				list := nearest(v, s.rows, func(j int) bool { return fold[j] != held })
				copy(out[i], c.Calibrate(vote(list, s.rows, len(s.labels), c.K, c.Temperature)))
			}
			continue
		}
		for j, p := range h.Predict(m, e.Text, e.Vector) {
			out[i][at[j]] = p
		}
	}
}

// leaveOneOut labels each example by all others.
func (s *set) leaveOneOut(ctx context.Context, e Evaluation) (*Report, error) {
	probabilities := make([][]float64, len(s.rows))
	sums := s.sums(func(int) bool { return true })
	c := s.presets()[len(s.presets())-1]
	for i, r := range s.rows {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		probabilities[i] = make([]float64, len(s.labels))
		switch {
		case r.vector == nil:
		case e.Method == Neighbors:
			list := nearest(r.vector, s.rows, func(j int) bool { return j != i })
			copy(probabilities[i], vote(list, s.rows, len(s.labels), c.K, c.Temperature))
		default:
			probabilities[i] = s.centroidWithout(sums, r)
		}
	}
	out := &Report{Method: e.Method, Folds: len(s.rows)}
	s.fill(out, probabilities)
	return out, nil
}

// centroidWithout labels an example by centroids that do not hold it.
func (s *set) centroidWithout(sums []float32, r *row) []float64 {
	logits := make([]float32, len(s.labels))
	for c := range logits {
		at := slices.Clone(sums[c*s.dim:][:s.dim])
		if c == r.label {
			add(at, -1, r.vector)
		}
		if u := unit(at, s.dim); u != nil {
			centroidScores(u, r.vector, logits[c:c+1])
		}
	}
	return softmax(logits, 1)
}

// fill computes the figures. An example that nothing could be said about has
// probabilities of 0, and its label was not found.
func (s *set) fill(r *Report, probabilities [][]float64) {
	labels := make([]int, len(s.rows))
	r.Examples = len(s.rows)
	r.Confusion = make([][]int, len(s.labels))
	for i := range r.Confusion {
		r.Confusion[i] = make([]int, len(s.labels))
	}
	right := 0
	for i, row := range s.rows {
		labels[i] = row.label
		given := argmax(probabilities[i])
		r.Confusion[row.label][given]++
		if given == row.label {
			right++
		}
	}
	n := float64(len(labels))
	r.Accuracy = float64(right) / n
	r.StandardError = math.Sqrt(r.Accuracy * (1 - r.Accuracy) / n)
	r.LogLoss, r.ECE = logLoss(probabilities, labels), calibrationError(probabilities, labels)
	for i, label := range s.labels {
		c := ClassReport{Label: label}
		given := 0
		for j := range s.labels {
			c.Support += r.Confusion[i][j]
			given += r.Confusion[j][i]
		}
		hit := float64(r.Confusion[i][i])
		c.Precision, c.Recall = hit/float64(max(given, 1)), hit/float64(max(c.Support, 1))
		if hit > 0 {
			c.F1 = 2 * c.Precision * c.Recall / (c.Precision + c.Recall)
		}
		r.Classes = append(r.Classes, c)
		k := float64(len(s.labels))
		r.MacroPrecision, r.MacroRecall, r.MacroF1 = r.MacroPrecision+c.Precision/k, r.MacroRecall+c.Recall/k, r.MacroF1+c.F1/k
	}
}
