package query

import (
	"context"
	"time"

	"github.com/vecdb/vecdb/index"
	"github.com/vecdb/vecdb/internal/core"
)

// Search returns the documents nearest to a text, a vector or a stored
// document.
func (e *Engine) Search(ctx context.Context, r Request) (Response, error) {
	start := time.Now()
	if err := r.validate(e.dim); err != nil {
		return Response{}, err
	}
	if len(r.Like)+len(r.Dislike) > 0 && given(r.Text != "", r.Vector != nil, r.ID != "") == 0 {
		return e.Recommend(ctx, r)
	}
	if given(r.Text != "", r.Vector != nil, r.ID != "") != 1 || len(r.Like)+len(r.Dislike) > 0 {
		return Response{}, core.Invalid("", `for instance {"text":"sad film"}`, `a search needs exactly one of "text", "vector", "id", or examples`)
	}
	var took Took
	t, err := e.searchTarget(ctx, &r, &took)
	if err != nil {
		return Response{}, err
	}
	return e.answer(ctx, &r, t, took, start)
}

// answer searches for the target and makes the hits of a response.
func (e *Engine) answer(ctx context.Context, r *Request, t target, took Took, start time.Time) (Response, error) {
	begin := time.Now()
	found, err := e.candidates(ctx, r, t)
	if err != nil {
		return Response{}, err
	}
	took.Search = since(begin)
	begin = time.Now()
	hits, err := e.hits(ctx, r, t, found)
	if err != nil {
		return Response{}, err
	}
	took.Fetch = since(begin)
	took.Total = since(start)
	return Response{Hits: hits, Took: took}, nil
}

// candidates asks the index for the nearest documents that the filter and the
// exclusions leave.
func (e *Engine) candidates(ctx context.Context, r *Request, t target) ([]index.Neighbor, error) {
	allow, err := e.Matching(r.Filter)
	if err != nil {
		return nil, err
	}
	skip, err := e.skipped(ctx, r, t)
	if err != nil {
		return nil, err
	}
	o := index.Options{K: r.Limit, Allow: allow, Ef: r.Params.Ef}
	if allow != nil {
		allow.AndNot(skip)
		if allow.Len() == 0 {
			return nil, nil
		}
	} else {
		o.K += skip.Len()
	}
	found, err := e.source.Nearest(ctx, t.vector, o, r.Params.Exact)
	if err != nil {
		return nil, err
	}
	kept := found[:0]
	for _, n := range found {
		if r.MinScore != nil && n.Score < *r.MinScore {
			break
		}
		if !skip.Contains(n.Ord) && len(kept) < r.Limit {
			kept = append(kept, n)
		}
	}
	return kept, nil
}

// skipped returns what must not be among the hits: what the query was made
// from, and what the request excludes.
func (e *Engine) skipped(ctx context.Context, r *Request, t target) (*core.Set, error) {
	skip := core.NewSet(t.made...)
	if len(r.Exclude) == 0 {
		return skip, nil
	}
	ords, err := e.source.Ordinals(ctx, r.Exclude)
	if err != nil {
		return nil, err
	}
	for _, ord := range ords {
		if ord != core.NoOrd {
			skip.Add(ord)
		}
	}
	return skip, nil
}

// hits fetches the documents of the found ordinals. One that was deleted
// meanwhile is left out.
func (e *Engine) hits(ctx context.Context, r *Request, t target, found []index.Neighbor) ([]Hit, error) {
	hits := make([]Hit, 0, len(found))
	if len(found) == 0 {
		return hits, nil
	}
	ords := make([]core.Ord, len(found))
	for i, n := range found {
		ords[i] = n.Ord
	}
	docs, err := e.source.Documents(ctx, ords, r.WithVector || r.Explain)
	if err != nil {
		return nil, err
	}
	for i, doc := range docs {
		if doc == nil {
			continue
		}
		hit := Hit{ID: doc.ID, Score: found[i].Score}
		if r.Explain {
			hit.Explain = e.explain(found[i].Score, doc, t)
		}
		hit.Document = shape(doc, r)
		hits = append(hits, hit)
	}
	return hits, nil
}

// shape leaves of a document what the request asks for. The document is the
// caller's to change.
func shape(doc *core.Document, r *Request) *core.Document {
	if !r.WithVector {
		doc.Vector = nil
	}
	if len(r.Fields) == 0 {
		return doc
	}
	out := &core.Document{ID: doc.ID, Vector: doc.Vector}
	for _, name := range r.Fields {
		switch v, there := doc.Fields[name]; {
		case name == "text":
			out.Text = doc.Text
		case there:
			if out.Fields == nil {
				out.Fields = make(map[string]any)
			}
			out.Fields[name] = v
		}
	}
	return out
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

func since(t time.Time) float64 { return milliseconds(time.Since(t)) }
