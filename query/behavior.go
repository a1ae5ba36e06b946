package query

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/vecdb/vecdb/index"
	"github.com/vecdb/vecdb/internal/core"
	"github.com/vecdb/vecdb/recommender"
)

const (
	// latestLiked is how many of the latest documents that a user likes count.
	latestLiked = 100
	// dislikedWeight is the weight of a disliked example beside liked ones.
	dislikedWeight = -0.25
	// smallScope is how many allowed documents are all scored, in place of going
	// through the best of all.
	smallScope = 2_000
	// coldBreadth is the least number of documents without events that are
	// looked for by their texts.
	coldBreadth = 30
)

// taste is what a recommendation by behavior looks for.
type taste struct {
	model   *recommender.Model
	scores  *recommender.Scores // nil where nothing is known: what is popular then
	ordered bool
}

// best returns the n items that fit best.
func (t *taste) best(n int) []recommender.Candidate {
	if t.scores == nil {
		return t.model.Popular(n)
	}
	return t.scores.Best(n)
}

// tastePoint makes what is looked for of a user, a session and examples: a
// taste where something was learnt from events, else a query vector.
func (e *Engine) tastePoint(ctx context.Context, r Request, took *Took) (point, error) {
	behavior, model := e.source.Behavior()
	history := behavior.History(r.User)
	seen := slices.Clone(r.Session)
	var liked []recommender.Liked
	for _, x := range history {
		seen = append(seen, x.Item)
		if x.Value > 0 {
			liked = append(liked, recommender.Liked{Item: x.Item, Weight: min(x.Value, 1)})
		}
	}
	for _, id := range r.Session {
		liked = append(liked, recommender.Liked{Item: id, Weight: 1})
	}
	liked = liked[max(0, len(liked)-latestLiked):]
	if model == nil || r.Mode == Dense {
		return e.likedPoint(ctx, r, liked, seen, took)
	}
	p := point{taste: &taste{model: model, ordered: len(liked) > 0}, without: seen}
	if len(r.Like)+len(r.Dislike) > 0 {
		examples, without, err := e.exampleTastes(ctx, r, took)
		if err != nil {
			return point{}, err
		}
		known := slices.ContainsFunc(examples, func(x recommender.Liked) bool { return x.Weight > 0 && model.Knows(x.Item) })
		if len(liked) == 0 && !known && r.User == "" {
			return e.examplePoint(ctx, r, took) // the model can tell nothing about these
		}
		liked, p.without = append(liked, examples...), append(p.without, without...)
	}
	if err := e.fillVectors(ctx, model, liked, took); err != nil {
		return point{}, err
	}
	p.taste.scores = model.Score(liked, p.taste.ordered)
	return p, nil
}

// exampleTastes turns the examples of a request into items with weights. It
// returns the ids of those that are stored documents too.
func (e *Engine) exampleTastes(ctx context.Context, r Request, took *Took) (list []recommender.Liked, without []string, err error) {
	examples := listExamples(r)
	if without, err = e.resolve(ctx, examples, took); err != nil {
		return nil, nil, err
	}
	for i, x := range examples {
		weight := float32(1)
		if i >= len(r.Like) {
			weight = dislikedWeight
		}
		list = append(list, recommender.Liked{Item: x.ID, Weight: weight, Vector: x.vector})
	}
	return list, without, nil
}

// likedPoint makes a query vector of liked documents and examples.
func (e *Engine) likedPoint(ctx context.Context, r Request, liked []recommender.Liked, seen []string, took *Took) (point, error) {
	if len(liked) > 0 {
		ids := make([]string, len(liked))
		for i, x := range liked {
			ids[i] = x.Item
		}
		ords, err := e.source.Ordinals(ctx, ids)
		if err != nil {
			return point{}, fmt.Errorf("look up what the user likes: %w", err)
		}
		for i, ord := range ords {
			if ord != core.NoOrd {
				r.Like = append(slices.Clip(r.Like), Example{ID: ids[i]})
			}
		}
	}
	if len(r.Like)+len(r.Dislike) == 0 {
		return point{nothing: true}, nil
	}
	p, err := e.examplePoint(ctx, r, took)
	if err != nil && len(liked) > 0 && errors.Is(err, core.ErrNotFound) {
		return point{nothing: true}, nil // a document went away meanwhile
	}
	p.without = append(p.without, seen...)
	return p, err
}

// fillVectors reads the vectors of liked documents that the model does not
// know, so that their texts count all the same.
func (e *Engine) fillVectors(ctx context.Context, model *recommender.Model, liked []recommender.Liked, took *Took) error {
	defer stopwatch(&took.Fetch)()
	var ids []string
	var at []int
	for i, x := range liked {
		if x.Vector == nil && !model.Knows(x.Item) {
			ids, at = append(ids, x.Item), append(at, i)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	docs, _, err := e.documentsOf(ctx, ids, true)
	if err != nil {
		return fmt.Errorf("read what the user likes: %w", err)
	}
	for k, doc := range docs {
		if doc != nil {
			liked[at[k]].Vector = doc.Vector
		}
	}
	return nil
}

// documentsOf returns the documents of ids with their ordinals, nil and
// core.NoOrd where there is none.
func (e *Engine) documentsOf(ctx context.Context, ids []string, withVectors bool) ([]*core.Document, []core.Ord, error) {
	ords, err := e.source.Ordinals(ctx, ids)
	if err != nil {
		return nil, nil, err
	}
	var there []core.Ord
	for _, ord := range ords {
		if ord != core.NoOrd {
			there = append(there, ord)
		}
	}
	found, err := e.source.Documents(ctx, there, withVectors)
	if err != nil {
		return nil, nil, err
	}
	docs := make([]*core.Document, len(ids))
	for i, ord := range ords {
		if ord != core.NoOrd {
			docs[i], found = found[0], found[1:]
		}
	}
	return docs, ords, nil
}

// behavioral finds the documents that fit a taste within s.
func (e *Engine) behavioral(ctx context.Context, r Request, p point, s scope) (ranking, error) {
	k := ranking{mode: Behavioral, candidates: make(map[core.Ord]recommender.Candidate)}
	var err error
	if s.allow != nil && s.allow.Len() <= smallScope {
		err = e.scoreAll(ctx, p.taste, s, k.candidates)
	} else if err = e.scoreBest(ctx, r, p.taste, s, k.candidates); err == nil {
		err = e.scoreCold(ctx, r, p.taste, s, k.candidates)
	}
	if err != nil {
		return ranking{}, fmt.Errorf("look for what fits a taste: %w", err)
	}
	for ord, c := range k.candidates {
		if r.MinScore == nil || c.Score >= *r.MinScore {
			k.neighbors = append(k.neighbors, index.Neighbor{Ord: ord, Score: c.Score})
		}
	}
	index.Sort(k.neighbors)
	return k, nil
}

// scoreBest goes through the best items until enough of them are allowed.
func (e *Engine) scoreBest(ctx context.Context, r Request, t *taste, s scope, into map[core.Ord]recommender.Candidate) error {
	looked := make(map[string]bool)
	for n := r.Limit + len(s.ids) + poolLeast; ; n *= 4 {
		list := t.best(n)
		var names []string
		var kept []recommender.Candidate
		for _, c := range list {
			if !looked[c.Item] && !s.leavesOut(c.Item) {
				looked[c.Item] = true
				names, kept = append(names, c.Item), append(kept, c)
			}
		}
		ords, err := e.source.Ordinals(ctx, names)
		if err != nil {
			return err
		}
		for i, ord := range ords {
			if ord != core.NoOrd && (s.allow == nil || s.allow.Contains(ord)) {
				into[ord] = kept[i]
			}
		}
		// A few more than asked for, since some may be deleted before they are read.
		if len(into) >= r.Limit+coldBreadth || len(list) < n {
			return nil
		}
	}
}

// scoreCold adds documents without events that are like what is liked.
func (e *Engine) scoreCold(ctx context.Context, r Request, t *taste, s scope, into map[core.Ord]recommender.Candidate) error {
	if t.scores == nil || t.scores.Profile() == nil || e.metric == index.L2 {
		return nil
	}
	list, err := e.nearest(ctx, t.scores.Profile(), s, min(max(r.Limit, coldBreadth), MaxLimit), Request{})
	if err != nil {
		return err
	}
	ords := nearestOrds(list)
	ids, err := e.ids(ords)
	if err != nil {
		return err
	}
	return e.addCold(ctx, t, ids, ords, s, into)
}

// ids returns the ids of the documents under ords, "" where there is none any more.
func (e *Engine) ids(ords []core.Ord) ([]string, error) {
	ids := make([]string, len(ords))
	err := e.source.Values("id", ords, func(i int, v any) { ids[i] = v.(string) })
	return ids, err
}

// addCold adds those of the documents that the model does not know; their vectors
// are all that is read of them.
func (e *Engine) addCold(ctx context.Context, t *taste, ids []string, ords []core.Ord, s scope, into map[core.Ord]recommender.Candidate) error {
	var cold []core.Ord
	for i, id := range ids {
		if id != "" && !t.model.Knows(id) && !s.leavesOut(id) {
			cold = append(cold, ords[i])
		}
	}
	vectors, err := e.source.Vectors(ctx, cold)
	if err != nil {
		return err
	}
	cosines, best := make([]float32, len(cold)), float32(0)
	for i, v := range vectors {
		if v != nil {
			cosines[i] = t.scores.Cold(v)
			best = max(best, cosines[i])
		}
	}
	for i, v := range vectors {
		if v != nil {
			into[cold[i]] = t.scores.ColdScore(cosines[i], best)
		}
	}
	return nil
}

// scoreAll scores all allowed documents.
func (e *Engine) scoreAll(ctx context.Context, t *taste, s scope, into map[core.Ord]recommender.Candidate) error {
	ords := slices.Collect(s.allow.All())
	ids, err := e.ids(ords)
	if err != nil {
		return err
	}
	popular := make(map[string]recommender.Candidate)
	if t.scores == nil {
		for _, c := range t.best(t.model.Info().Items) {
			popular[c.Item] = c
		}
	}
	for i, id := range ids {
		if s.leavesOut(id) {
			continue
		}
		c, known := popular[id]
		if t.scores != nil {
			c, known = t.scores.Of(id)
		}
		if known {
			into[ords[i]] = c
		}
	}
	if t.scores != nil && t.scores.Profile() != nil {
		return e.addCold(ctx, t, ids, ords, s, into)
	}
	return nil
}

// reasons adds to the explanations of hits what the user liked and speaks for
// them, with the beginnings of their texts.
func (e *Engine) reasons(ctx context.Context, t *taste, list []found, hits []Hit) error {
	if t.scores == nil {
		return nil
	}
	texts := make(map[string]string)
	var ids []string
	for i := range hits {
		reasons := t.scores.Because(hits[i].ID, maxBecause)
		if len(reasons) == 0 {
			reasons = t.scores.LikeIt(list[i].doc.Vector, maxBecause)
		}
		for _, x := range reasons {
			hits[i].Explain.Because = append(hits[i].Explain.Because, Contributor{ID: x.Item, Score: x.Share})
			if _, there := texts[x.Item]; !there {
				texts[x.Item] = ""
				ids = append(ids, x.Item)
			}
		}
	}
	docs, _, err := e.documentsOf(ctx, ids, false)
	if err != nil {
		return fmt.Errorf("read what speaks for the hits: %w", err)
	}
	for _, doc := range docs {
		if doc != nil {
			texts[doc.ID] = clip(doc.Text, 200)
		}
	}
	for i := range hits {
		for j := range hits[i].Explain.Because {
			b := &hits[i].Explain.Because[j]
			b.Text = cmp.Or(b.Text, texts[b.ID])
		}
	}
	return nil
}
