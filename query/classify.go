package query

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math"
	"runtime"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/vecdb/vecdb/index"
	"github.com/vecdb/vecdb/internal/core"
)

// Classify labels texts by the labels of their nearest neighbors.
func (e *Engine) Classify(ctx context.Context, r ClassifyRequest) (ClassifyResponse, error) {
	start := time.Now()
	if err := r.complete(e.dim); err != nil {
		return ClassifyResponse{}, err
	}
	var out ClassifyResponse
	targets, err := e.classifyTargets(ctx, &r, &out.Took)
	if err != nil {
		return ClassifyResponse{}, err
	}
	begin := time.Now()
	allow, err := e.labelled(&r)
	if err != nil {
		return ClassifyResponse{}, err
	}
	out.Results = make([]Classification, len(targets))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i, t := range targets {
		g.Go(func() (err error) {
			out.Results[i], err = e.vote(ctx, &r, t, allow)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return ClassifyResponse{}, err
	}
	out.Took.Search = since(begin)
	out.Took.Total = since(start)
	return out, nil
}

// complete checks the request and fills in defaults.
func (r *ClassifyRequest) complete(dim int) error {
	if err := r.validate(dim); err != nil {
		return err
	}
	if given(r.Text != "", r.Vector != nil, r.ID != "", len(r.Texts) > 0) != 1 || len(r.Like)+len(r.Dislike) > 0 {
		return core.Invalid("", `for instance {"text":"…"} or {"texts":["…","…"]}`, `a classification needs exactly one of "text", "texts", "vector" and "id"`)
	}
	switch {
	case len(r.Texts) > MaxTexts:
		return core.Invalid("/texts", "send several requests", "at most %d texts can be classified at once", MaxTexts)
	case r.Method != "" && r.Method != MethodAuto && r.Method != MethodNeighbors:
		return core.Invalid("/method", "use auto or neighbors", "there is no method %.40q", r.Method)
	case r.K < 0 || r.K > MaxLimit:
		return core.Invalid("/k", "", "k must be from 1 to %d", MaxLimit)
	case !(r.MinProbability >= 0 && r.MinProbability <= 1):
		return core.Invalid("/min_probability", "", "a probability is from 0 to 1")
	case !(r.Temperature >= 0 && r.Temperature <= 1e6):
		return core.Invalid("/temperature", "", "the temperature must be above 0 and at most 1000000")
	}
	r.LabelField = cmp.Or(r.LabelField, DefaultLabelField)
	r.K = cmp.Or(r.K, DefaultNeighbors)
	r.Temperature = cmp.Or(r.Temperature, DefaultTemperature)
	return nil
}

// classifyTargets makes one target a text, all texts in one embedding call.
func (e *Engine) classifyTargets(ctx context.Context, r *ClassifyRequest, took *Took) ([]target, error) {
	if len(r.Texts) == 0 {
		t, err := e.searchTarget(ctx, &r.Request, took)
		return []target{t}, err
	}
	for i, text := range r.Texts {
		if err := checkText(fmt.Sprintf("/texts/%d", i), text); err != nil {
			return nil, err
		}
	}
	vectors, err := e.embed(ctx, r.Texts, took)
	if err != nil {
		return nil, err
	}
	targets := make([]target, len(vectors))
	for i, v := range vectors {
		targets[i].vector = v
	}
	return targets, nil
}

// labelled returns the documents that have a label and satisfy the filter.
func (e *Engine) labelled(r *ClassifyRequest) (*core.Set, error) {
	set, err := e.source.Lookup(core.Condition{Field: r.LabelField, Op: core.CondExists, Values: []any{true}})
	if err != nil {
		return nil, core.At("/label_field", err)
	}
	allow, err := e.Matching(r.Filter)
	if err != nil {
		return nil, err
	}
	if allow != nil {
		set.And(allow)
	}
	return set, nil
}

// vote finds the neighbors of one target among allow and lets them vote.
func (e *Engine) vote(ctx context.Context, r *ClassifyRequest, t target, allow *core.Set) (Classification, error) {
	if len(t.made) > 0 { // a stored document has no vote about itself
		allow = allow.Clone()
		allow.AndNot(core.NewSet(t.made...))
	}
	if allow.Len() == 0 {
		return tally(r, nil), nil
	}
	found, err := e.source.Nearest(ctx, t.vector, index.Options{K: r.K, Allow: allow, Ef: r.Params.Ef}, r.Params.Exact)
	if err != nil {
		return Classification{}, err
	}
	ords := make([]core.Ord, len(found))
	for i, n := range found {
		ords[i] = n.Ord
	}
	docs, err := e.source.Documents(ctx, ords, false)
	if err != nil {
		return Classification{}, err
	}
	var ballots []ballot
	for i, doc := range docs {
		if doc == nil {
			continue
		}
		if labels := labelsOf(doc.Fields[r.LabelField]); len(labels) > 0 {
			ballots = append(ballots, ballot{id: doc.ID, score: found[i].Score, labels: labels})
		}
	}
	return tally(r, ballots), nil
}

// ballot is a neighbor with its labels.
type ballot struct {
	id     string
	score  float32
	labels []string
}

// tally turns neighbors, nearest first, into probabilities: each has the
// weight exp(score/temperature), shared among its labels, and the weights are
// scaled to sum to 1. The best score is taken off all of them first, which
// changes nothing but keeps the exponentials small; so the temperature means
// the same for scores that are not bounded.
func tally(r *ClassifyRequest, ballots []ballot) Classification {
	c := Classification{Abstained: true, Scores: map[string]float64{}, Neighbors: []Voter{}}
	if len(ballots) == 0 {
		return c
	}
	var sum float64
	for _, b := range ballots {
		weight := math.Exp(float64(b.score-ballots[0].score) / r.Temperature)
		sum += weight
		for _, label := range b.labels {
			c.Scores[label] += weight / float64(len(b.labels))
		}
		c.Neighbors = append(c.Neighbors, Voter{ID: b.id, Score: b.score, Label: strings.Join(b.labels, ", ")})
	}
	best := ""
	for _, label := range slices.Sorted(maps.Keys(c.Scores)) { // in order, so that ties are settled the same way each time
		c.Scores[label] /= sum
		if best == "" || c.Scores[label] > c.Scores[best] {
			best = label
		}
	}
	c.Probability = min(1, c.Scores[best])
	if c.Probability >= r.MinProbability {
		c.Label, c.Abstained = &best, false
	}
	return c
}

// labelsOf returns a field's value as labels.
func labelsOf(v any) []string {
	switch v := v.(type) {
	case string:
		return []string{v}
	case bool, int64, float64:
		return []string{fmt.Sprint(v)}
	case []any:
		var out []string
		for _, e := range v {
			out = append(out, labelsOf(e)...)
		}
		return out
	}
	return nil
}
