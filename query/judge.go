package query

import (
	"cmp"
	"slices"

	"github.com/vecdb/vecdb/index"
	"github.com/vecdb/vecdb/internal/core"
	"github.com/vecdb/vecdb/train"
)

// judge decides on the label of a text.
type judge struct {
	method Method
	head   *train.Head     // nil where votes stand as they are
	tuned  train.Candidate // what the head knows about the votes, where they are its own
	scope  *float32        // below which a text is out of scope
}

// headOnly reports whether a method needs a trained head.
func (r *ClassifyRequest) headOnly() bool {
	return r.Method == MethodLinear || r.Method == MethodCentroid
}

// restricted reports whether not all labelled documents may vote.
func (r *ClassifyRequest) restricted() bool {
	return r.Filter != nil || len(r.Exclude) > 0 || r.MinScore != nil
}

// textOf is the i-th text that is classified, "" where it is a vector.
func (r *ClassifyRequest) textOf(i int) string {
	if r.Texts != nil {
		return r.Texts[i]
	}
	return r.Text
}

// judge chooses how r is answered and fills in its defaults.
func (e *Engine) judge(r *ClassifyRequest) (judge, error) {
	r.LabelField = cmp.Or(r.LabelField, DefaultLabelField)
	j := judge{method: MethodNeighbors}
	head, why := e.source.Head(r.LabelField)
	switch {
	case head == nil && r.headOnly():
		return judge{}, core.Invalid("/method", "use neighbors, or train first", "there is no head for the labels in %q: %s", r.LabelField, why)
	case head != nil:
		j = e.withHead(head, r)
	}
	r.K = cmp.Or(r.K, DefaultNeighbors)
	r.Temperature = cmp.Or(r.Temperature, DefaultTemperature)
	return j, nil
}

// withHead chooses where there is a head.
func (e *Engine) withHead(head *train.Head, r *ClassifyRequest) judge {
	j := judge{method: MethodNeighbors}
	switch {
	case r.headOnly():
		j.method = r.Method
	case r.Method != MethodNeighbors && !r.restricted() && r.ID == "" && r.Vector == nil && r.Temperature == 0:
		j.method = Method(head.Info().Method)
	}
	if !r.restricted() && !r.AnyScope && e.metric == index.Cosine {
		j.scope = head.Info().Scope
	}
	c, known := head.Candidate(train.Neighbors)
	own := r.Temperature == 0 && (r.K == 0 || r.K == c.K) && !r.restricted() && e.metric == index.Cosine
	switch {
	case j.method != MethodNeighbors:
		j.head = head
	case known && own:
		j.head, j.tuned = head, c
		r.K, r.Temperature = c.K, c.Temperature
	}
	return j
}

// decide turns votes, and what the head says, into the answer.
func (j judge) decide(r ClassifyRequest, text string, vector []float32, v votes) Classification {
	out := Classification{Method: j.method, Scores: map[string]float64{}, Neighbors: v.neighbors}
	labels, shares := v.labels, v.shares
	switch {
	case len(v.neighbors) == 0: // all labelled documents are gone
	case j.head != nil && j.method == MethodNeighbors:
		labels, shares = j.calibrated(v)
	case j.head != nil:
		if p := j.head.Predict(train.Method(j.method), text, vector); p != nil {
			labels, shares = j.head.Info().Labels, p
		}
	}
	out.take(labels, shares)
	switch {
	case out.Label == nil:
		out.Reason = ReasonNoNeighbors
	case j.scope != nil && v.neighbors[0].Score < *j.scope:
		out.Reason = ReasonOutOfScope
	case out.Probability < r.MinProbability:
		out.Reason = ReasonMinProbability
	}
	if out.Reason != "" {
		out.Abstained, out.Label = true, nil
	}
	return out
}

// calibrated returns the votes as probabilities of all labels of the head, and
// of those that came later.
func (j judge) calibrated(v votes) ([]string, []float64) {
	labels := slices.Clone(v.labels)
	for _, label := range j.head.Info().Labels {
		if !slices.Contains(v.labels, label) {
			labels = append(labels, label)
		}
	}
	shares := append(slices.Clone(v.shares), make([]float64, len(labels)-len(v.shares))...)
	return labels, j.tuned.Calibrate(shares)
}

// take fills in the probabilities. Of equally probable labels the first wins.
func (c *Classification) take(labels []string, probabilities []float64) {
	order := make([]int, len(labels))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(probabilities[b], probabilities[a]) })
	for n, i := range order {
		if n == 0 {
			c.Label, c.Probability = &labels[i], probabilities[i]
		}
		if n < MaxScores {
			c.Scores[labels[i]] = probabilities[i]
		}
	}
}
