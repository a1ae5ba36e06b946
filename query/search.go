package query

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/vecdb/vecdb/index"
	"github.com/vecdb/vecdb/internal/core"
)

// Search returns the documents nearest to what r asks for, best first. Errors
// about r are *core.InputError; an unknown id gives one that matches
// core.ErrNotFound.
func (e *Engine) Search(ctx context.Context, r Request) (Response, error) {
	if err := r.Validate(e.dim); err != nil {
		return Response{}, err
	}
	return e.respond(ctx, r, e.point)
}

// respond takes a checked request through all stages; makePoint is the one in
// which search and recommendation differ.
func (e *Engine) respond(ctx context.Context, r Request, makePoint func(context.Context, Request, *Took) (point, error)) (Response, error) {
	start := time.Now()
	r = r.withDefaults()
	var took Took
	turn, err := e.turn(r)
	if err != nil {
		return Response{}, err
	}
	p, err := makePoint(ctx, r, &took)
	if err != nil {
		return Response{}, err
	}
	ranked, s, err := e.ranked(ctx, r, p, &turn, &took)
	if err != nil {
		return Response{}, err
	}
	vectors := r.WithVector || r.Diversity > 0 || r.Explain && (len(p.liked) > 0 || p.taste != nil)
	var list []found
	if r.onlySorted() {
		list, err = e.sorted(ctx, r, ranked.neighbors, s, &turn, vectors, &took)
	} else {
		if list, err = e.fetch(ctx, ranked.neighbors, s, turn.fetched(r), vectors, &took); err != nil {
			return Response{}, err
		}
		turn.found = ordinals(list)
		list, err = e.shape(ctx, turn.shape(r, len(list)), ranked, list, &took)
	}
	if err != nil {
		return Response{}, err
	}
	if err := e.passages(ctx, p, list, &took); err != nil {
		return Response{}, err
	}
	if err := e.highlight(ctx, r, p, list, &took); err != nil {
		return Response{}, err
	}
	hits, err := e.hits(ctx, r, p, ranked, list)
	if err != nil {
		return Response{}, err
	}
	out := Response{Hits: hits}
	if r.GroupBy != "" {
		out.Groups = turn.inGroups(list, hits)
		out.Hits = []Hit{}
	}
	if out.Facets, err = e.facets(ctx, r, turn.counted); err != nil {
		return Response{}, err
	}
	out.Cursor = turn.next(r, list)
	if len(hits) == 0 {
		out.Warnings = append(e.untold(), e.warnings(r.Filter)...)
	}
	took.Total = milliseconds(time.Since(start))
	out.Took = took
	return out, nil
}

func (r Request) withDefaults() Request {
	if r.Limit == 0 {
		r.Limit = DefaultLimit
	}
	if r.GroupBy != "" && r.GroupSize == 0 {
		r.GroupSize = DefaultGroupSize
	}
	for _, name := range r.Fields {
		r.WithVector = r.WithVector || name == "vector"
	}
	return r
}

// candidates finds what may become the hits of a request around p, among the
// documents within, nil for all.
func (e *Engine) candidates(ctx context.Context, r Request, p point, within *core.Set, took *Took) (ranking, scope, error) {
	done := stopwatch(&took.Search)
	allow, err := e.matching(ctx, r.Filter)
	done()
	if err != nil {
		return ranking{}, scope{}, core.At("/filter", err)
	}
	s, err := e.newScope(ctx, intersect(allow, within), append(p.without, r.Exclude...))
	if err != nil {
		return ranking{}, scope{}, err
	}
	ranked, err := e.rank(ctx, r, p, s, took)
	return ranked, s, err
}

// rank ranks the documents of a scope.
func (e *Engine) rank(ctx context.Context, r Request, p point, s scope, took *Took) (ranked ranking, err error) {
	defer stopwatch(&took.Search)()
	switch {
	case p.nothing:
		ranked.mode = Behavioral
	case p.taste != nil:
		ranked, err = e.behavioral(ctx, r, p, s)
	case p.words == nil:
		ranked.mode = Dense
		ranked.neighbors, err = e.nearest(ctx, p.vector, s, r.Limit, r)
	case p.vector == nil:
		ranked, err = e.lexical(ctx, r, p, s)
	default:
		ranked, err = e.hybrid(ctx, r, p, s)
	}
	return ranked, err
}

// nearest returns at least the k nearest neighbors of q within s that score
// r.MinScore or more, as far as there are so many, best first.
func (e *Engine) nearest(ctx context.Context, q []float32, s scope, k int, r Request) ([]index.Neighbor, error) {
	if s.allow != nil && s.allow.Len() == 0 || e.dim == 0 {
		return nil, nil
	}
	o := index.Options{K: k + s.surplus(), Allow: s.allow, Ef: r.Params.Ef, Recall: r.Params.Recall}
	neighbors, err := e.source.Nearest(ctx, q, o, r.Params.Exact)
	if err != nil {
		return nil, fmt.Errorf("search the index: %w", err)
	}
	for i := range neighbors {
		neighbors[i].Score = e.bounded(neighbors[i].Score)
	}
	return s.kept(atLeast(neighbors, r.MinScore)), nil
}

// bounded returns the number nearest to a score within the range of the
// metric: rounding takes cosines past 1, huge vectors overflow, and JSON has no
// infinity.
func (e *Engine) bounded(score float32) float32 {
	limit := float32(math.MaxFloat32)
	if e.metric == index.Cosine {
		limit = 1
	}
	if math.IsNaN(float64(score)) {
		return -limit
	}
	return min(max(score, -limit), limit)
}

// found is a document with its score.
type found struct {
	doc       *core.Document
	ord       core.Ord
	score     float32
	relevance float32      // the score before it was adjusted
	adjusted  []Adjustment // by what
	picked    bool         // among the hits, while those are chosen
	passage   *Passage
	highlight *Highlight
}

// fetch reads the documents of the first k neighbors. A document that was
// deleted or replaced since the search is dropped and the next one read
// instead.
func (e *Engine) fetch(ctx context.Context, neighbors []index.Neighbor, s scope, k int, withVectors bool, took *Took) ([]found, error) {
	defer stopwatch(&took.Fetch)()
	list := make([]found, 0, min(k, len(neighbors)))
	for len(list) < k && len(neighbors) > 0 {
		batch := neighbors[:min(len(neighbors), k-len(list))]
		neighbors = neighbors[len(batch):]
		docs, err := e.source.Documents(ctx, nearestOrds(batch), withVectors)
		if err != nil {
			return nil, fmt.Errorf("read the documents found: %w", err)
		}
		for i, doc := range docs {
			if doc != nil && !s.leavesOut(doc.ID) {
				list = append(list, found{doc: doc, ord: batch[i].Ord, score: batch[i].Score, relevance: batch[i].Score})
			}
		}
	}
	return list, nil
}

// hits turns what was found into the hits that the request asked for. Many
// hits explained by many examples take a while, hence the context.
func (e *Engine) hits(ctx context.Context, r Request, p point, ranked ranking, list []found) ([]Hit, error) {
	hits := make([]Hit, len(list))
	for i, f := range list {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		hits[i] = Hit{ID: f.doc.ID, Score: f.score, Document: shown(f.doc, r), Passage: f.passage, Highlight: f.highlight}
		if r.Explain {
			hits[i].Explain = e.explain(f, ranked, p.liked)
		}
	}
	if r.Explain && p.taste != nil {
		return hits, e.reasons(ctx, p.taste, list, hits)
	}
	return hits, nil
}

// shown returns the part of doc that the request asked for.
func shown(doc *core.Document, r Request) *core.Document {
	out := *doc
	if !r.WithVector {
		out.Vector = nil
	}
	if len(r.Fields) == 0 {
		return &out
	}
	out.Text, out.Fields = "", make(map[string]any, len(r.Fields))
	for _, name := range r.Fields {
		if name == "text" {
			out.Text = doc.Text
		} else if v, ok := doc.Fields[name]; ok {
			out.Fields[name] = v
		}
	}
	return &out
}
