package query

import (
	"cmp"
	"context"
	"fmt"
	"runtime"
	"slices"

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
	// Scores returns what Search would score the documents under ords, which rise:
	// 0 for one without words of the text.
	Scores(ords []core.Ord) []float32
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
	parts     map[core.Ord]parts // in hybrid mode, where hits are explained
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
	dense, words, err := e.legs(ctx, r, p, s, k)
	if err != nil {
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

// legs returns at least the k best candidates of either way. Where there are
// processors for both, they run beside each other.
func (e *Engine) legs(ctx context.Context, r Request, p point, s scope, k int) (dense, words []index.Neighbor, err error) {
	if runtime.GOMAXPROCS(0) == 1 {
		if words, err = e.wording(ctx, p.words, s, k); err != nil {
			return nil, nil, err
		}
		dense, err = e.nearest(ctx, p.vector, s, k, r)
		return dense, words, err
	}
	group, both := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		words, err = e.wording(both, p.words, s, k)
		return err
	})
	dense, err = e.nearest(both, p.vector, s, k, r)
	return dense, words, cmp.Or(group.Wait(), err)
}

// combine scores the candidates of both ways both ways and fuses the scores.
func (e *Engine) combine(ctx context.Context, r Request, p point, dense, words []index.Neighbor, least *float32) (ranking, error) {
	out := ranking{mode: Hybrid, words: p.words, fusion: e.fusionOf(r)}
	vector := p.vector
	union, others := unionOf(words, dense)
	if out.fusion == FusionWeighted {
		var err error
		out.feedback = firstRanks(union, dense, words)
		if vector, err = e.feedback(ctx, p.vector, out.feedback); err != nil {
			return ranking{}, err
		}
	}
	words = scored(p.words, words, others)
	dense, err := e.nearest(ctx, vector, scope{allow: core.NewSet(union...)}, len(union), r)
	if err != nil {
		return ranking{}, err
	}
	list := fuse(out.fusion, p.words.Bound(), union, dense, words)
	out.take(list, dense, words, r.Explain)
	out.neighbors = atLeast(out.neighbors, least)
	return out, nil
}

// unionOf returns the ordinals that are in either list, and those that are in the
// second one only, both rising.
func unionOf(a, b []index.Neighbor) (union, others []core.Ord) {
	first := nearestOrds(a)
	slices.Sort(first)
	for _, n := range b {
		if _, there := slices.BinarySearch(first, n.Ord); !there {
			others = append(others, n.Ord)
		}
	}
	slices.Sort(others)
	union = append(first, others...)
	slices.Sort(union)
	return union, others
}

// scored adds to the documents found by words those of others that have any, and
// returns all of them best first.
func scored(w Words, found []index.Neighbor, others []core.Ord) []index.Neighbor {
	for i, score := range w.Scores(others) {
		if score > 0 {
			found = append(found, index.Neighbor{Ord: others[i], Score: score})
		}
	}
	index.Sort(found)
	return found
}

// fusionOf returns how the scores of a request are fused. Where they have no
// common scale, only their ranks can be.
func (e *Engine) fusionOf(r Request) Fusion {
	if e.metric != index.Cosine || r.Params.Fusion == FusionRRF {
		return FusionRRF
	}
	return FusionWeighted
}

// feedback returns the query vector moved towards the vectors of some documents.
func (e *Engine) feedback(ctx context.Context, q []float32, ords []core.Ord) ([]float32, error) {
	all, err := e.source.Vectors(ctx, ords)
	if err != nil {
		return nil, fmt.Errorf("read the first candidates: %w", err)
	}
	var vectors [][]float32
	for _, v := range all {
		if len(v) == len(q) {
			vectors = append(vectors, v)
		}
	}
	return nearer(q, vectors), nil
}

// take keeps the candidates and, where they are to be explained, what does that.
func (k *ranking) take(list []fused, dense, words []index.Neighbor, explain bool) {
	k.neighbors = bestFirst(list)
	if !explain {
		return
	}
	k.parts = make(map[core.Ord]parts, len(list))
	for _, f := range list {
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
