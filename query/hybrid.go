package query

import (
	"context"
	"fmt"

	"golang.org/x/sync/errgroup"

	"github.com/vecdb/vecdb/index"
	"github.com/vecdb/vecdb/internal/core"
	"github.com/vecdb/vecdb/recommender"
)

// Words is a text that was looked up in a collection's index of words. It is
// used for one query.
type Words interface {
	// Search returns the documents with words of the text, best first by BM25.
	// It heeds K and Allow.
	Search(ctx context.Context, o index.Options) ([]index.Neighbor, error)
	// Bound is a score that no document reaches, 0 when no document has any
	// word of the text.
	Bound() float64
	// Weight returns how much of the bound the words in a text make up, each
	// counted once.
	Weight(text string) float64
	// Explain returns what each word adds to the score of a document, the most
	// first.
	Explain(ord core.Ord) []index.Match
}

// ranking holds the candidates of a query, best first.
type ranking struct {
	mode      Mode
	neighbors []index.Neighbor
	words     Words              // nil in dense mode
	fusion    Fusion             // in hybrid mode
	parts     map[core.Ord]parts // in hybrid mode
	feedback  []core.Ord         // in hybrid mode, what the query vector was moved towards

	candidates map[core.Ord]recommender.Candidate // in mode behavior
}

// parts are the scores of a candidate and what they add to the fused one.
type parts struct {
	dense, lexical         float32
	denseAdds, lexicalAdds float32
}

// lexical ranks by words alone. The scores are shares of their bound.
func (e *Engine) lexical(ctx context.Context, r Request, p point, s scope) (ranking, error) {
	found, err := e.wording(ctx, p.words, s, r.Limit)
	if err != nil {
		return ranking{}, err
	}
	for i := range found {
		found[i].Score = share(found[i].Score, p.words.Bound())
	}
	return ranking{mode: Lexical, neighbors: atLeast(found, r.MinScore), words: p.words}, nil
}

// wording returns at least the k best documents by words within s, as far as
// there are so many.
func (e *Engine) wording(ctx context.Context, w Words, s scope, k int) ([]index.Neighbor, error) {
	if s.allow != nil && s.allow.Len() == 0 || w.Bound() == 0 {
		return nil, nil
	}
	found, err := w.Search(ctx, index.Options{K: k + s.surplus(), Allow: s.allow})
	if err != nil {
		return nil, fmt.Errorf("search the words: %w", err)
	}
	return s.kept(found), nil
}

// hybrid asks both ways for candidates, moves the query vector towards those
// that both put first, scores all of them both ways and fuses the scores. When
// one way finds nothing, what the other finds stands as it is.
func (e *Engine) hybrid(ctx context.Context, r Request, p point, s scope) (ranking, error) {
	least := r.MinScore
	r.MinScore = nil
	k := max(r.Limit, hybridBreadth)
	var dense, words []index.Neighbor
	group, legs := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		words, err = e.wording(legs, p.words, s, k)
		return err
	})
	group.Go(func() (err error) {
		dense, err = e.nearest(legs, p.vector, s, k, r)
		return err
	})
	if err := group.Wait(); err != nil {
		return ranking{}, err
	}
	switch {
	case len(words) == 0:
		return ranking{mode: Dense, neighbors: atLeast(dense, least)}, nil
	case len(dense) == 0:
		for i := range words {
			words[i].Score = share(words[i].Score, p.words.Bound())
		}
		return ranking{mode: Lexical, neighbors: atLeast(words, least), words: p.words}, nil
	}
	return e.combine(ctx, r, p, dense, words, least)
}

// combine scores the candidates of both ways both ways and fuses the scores.
func (e *Engine) combine(ctx context.Context, r Request, p point, dense, words []index.Neighbor, least *float32) (ranking, error) {
	out := ranking{mode: Hybrid, words: p.words, fusion: e.fusionOf(r)}
	vector := p.vector
	if out.fusion == FusionWeighted {
		var err error
		if vector, out.feedback, err = e.feedback(ctx, p.vector, fuseRanks(dense, words)); err != nil {
			return ranking{}, err
		}
	}
	union := scope{allow: core.NewSet()}
	for _, list := range [][]index.Neighbor{dense, words} {
		for _, n := range list {
			union.allow.Add(n.Ord)
		}
	}
	n := union.allow.Len()
	dense, err := e.nearest(ctx, vector, union, n, r)
	if err != nil {
		return ranking{}, err
	}
	if words, err = e.wording(ctx, p.words, union, n); err != nil {
		return ranking{}, err
	}
	list := fuseRanks(dense, words)
	if out.fusion == FusionWeighted {
		list = fuseWeighted(dense, words, p.words.Bound())
	}
	out.take(list, dense, words)
	out.neighbors = atLeast(out.neighbors, least)
	return out, nil
}

// fusionOf returns how the scores of a request are fused. Where they have no
// common scale, only their ranks can be.
func (e *Engine) fusionOf(r Request) Fusion {
	if e.metric != index.Cosine || r.Params.Fusion == FusionRRF {
		return FusionRRF
	}
	return FusionWeighted
}

// feedback returns the query vector moved towards the first candidates.
func (e *Engine) feedback(ctx context.Context, q []float32, list []fused) ([]float32, []core.Ord, error) {
	var ords []core.Ord
	for _, f := range list[:min(len(list), feedbackDocuments)] {
		ords = append(ords, f.Ord)
	}
	docs, err := e.source.Documents(ctx, ords, true)
	if err != nil {
		return nil, nil, fmt.Errorf("read the first candidates: %w", err)
	}
	var vectors [][]float32
	for _, doc := range docs {
		if doc != nil && len(doc.Vector) == len(q) {
			vectors = append(vectors, doc.Vector)
		}
	}
	return nearer(q, vectors), ords, nil
}

// take keeps the candidates with what explains them.
func (k *ranking) take(list []fused, dense, words []index.Neighbor) {
	k.parts = make(map[core.Ord]parts, len(list))
	for _, f := range list {
		k.neighbors = append(k.neighbors, f.Neighbor)
		k.parts[f.Ord] = parts{denseAdds: f.dense, lexicalAdds: f.lexical}
	}
	for _, n := range dense {
		x := k.parts[n.Ord]
		x.dense = n.Score
		k.parts[n.Ord] = x
	}
	for _, n := range words {
		x := k.parts[n.Ord]
		x.lexical = n.Score
		k.parts[n.Ord] = x
	}
}

// atLeast returns the neighbors, best first, up to the last that scores least
// or more.
func atLeast(list []index.Neighbor, least *float32) []index.Neighbor {
	if least == nil {
		return list
	}
	for i, n := range list {
		if n.Score < *least {
			return list[:i]
		}
	}
	return list
}
