package query

import (
	"context"
	"fmt"
	"math"
	"slices"

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
	// SearchKnowing is Search that also returns what it scores the documents under
	// known, which rise and are allowed: 0 for one without words of the text. It is
	// the faster the better these are.
	SearchKnowing(ctx context.Context, o index.Options, known []core.Ord) (found []index.Neighbor, scores []float32, err error)
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
	found, _, err := e.wording(ctx, p.words, s, r.Limit, nil)
	if err != nil {
		return ranking{}, err
	}
	for i := range found {
		found[i].Score = share(found[i].Score, p.words.Bound())
	}
	return ranking{mode: Lexical, neighbors: atLeast(found, r.MinScore), words: p.words}, nil
}

// wording returns at least the k best documents by words within s, as far as
// there are so many, and the scores of those within s that are known, whose
// ordinals rise.
func (e *Engine) wording(ctx context.Context, w Words, s scope, k int, known []core.Ord) (found []index.Neighbor, scores []float32, err error) {
	if s.allow != nil && s.allow.Len() == 0 || w.Bound() == 0 {
		return nil, make([]float32, len(known)), nil
	}
	found, scores, err = w.SearchKnowing(ctx, index.Options{K: k + s.surplus(), Allow: s.allow}, known)
	if err != nil {
		return nil, nil, fmt.Errorf("search the words: %w", err)
	}
	return s.kept(found), scores, nil
}

// hybrid asks both ways for candidates, moves the query vector towards those
// that both put first, scores all of them both ways and fuses the scores. When
// one way finds nothing, what the other finds stands as it is.
func (e *Engine) hybrid(ctx context.Context, r Request, p point, s scope) (ranking, error) {
	least := r.MinScore
	r.MinScore = nil
	k := max(r.Limit, hybridBreadth)
	dense, err := e.nearest(ctx, p.vector, s, k, r)
	if err != nil {
		return ranking{}, err
	}
	// Words come last: the sooner they know good documents the fewer others they
	// look at, and what is near has the words as a rule.
	known := nearestOrds(dense)
	slices.Sort(known)
	words, scores, err := e.wording(ctx, p.words, s, k, known)
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
	both := candidates{near: dense, worded: words}
	both.ords, both.lexical = unionOf(words, known, scores)
	return e.combine(ctx, r, p, both, least)
}

// candidates are the documents that either way has found.
type candidates struct {
	near, worded []index.Neighbor // best first
	ords         []core.Ord       // of all, rising
	lexical      []float32        // their scores by words
}

// combine scores the candidates by vectors, too, and fuses the scores.
func (e *Engine) combine(ctx context.Context, r Request, p point, c candidates, least *float32) (out ranking, err error) {
	out = ranking{mode: Hybrid, words: p.words, fusion: e.fusionOf(r)}
	vector := p.vector
	if out.fusion == FusionWeighted {
		out.feedback = firstRanks(c.ords, c.near, c.worded)
		if vector, err = e.feedback(ctx, r, p.vector, out.feedback); err != nil {
			return ranking{}, err
		}
	}
	dense, err := e.source.Similarities(ctx, vector, c.ords, r.Params.Exact)
	if err != nil {
		return ranking{}, fmt.Errorf("compare the candidates: %w", err)
	}
	for i, score := range dense {
		if !math.IsNaN(float64(score)) {
			dense[i] = e.bounded(score)
		}
	}
	list := fuse(out.fusion, p.words.Bound(), c.ords, dense, c.lexical)
	out.neighbors = atLeast(bestFirst(list), least)
	if r.Explain {
		out.parts = make(map[core.Ord]parts, len(list))
		for _, f := range list {
			out.parts[f.Ord] = f.parts
		}
	}
	return out, nil
}

// unionOf returns the ordinals of what was found and of what is known, both rising,
// with their scores.
func unionOf(found []index.Neighbor, known []core.Ord, scores []float32) (ords []core.Ord, all []float32) {
	keys := make([]uint64, len(found)) // sorted without calls
	for i, n := range found {
		keys[i] = uint64(n.Ord)<<32 | uint64(math.Float32bits(n.Score))
	}
	slices.Sort(keys)
	ords, all = make([]core.Ord, 0, len(found)+len(known)), make([]float32, 0, len(found)+len(known))
	at := 0
	for _, k := range keys {
		ord := core.Ord(k >> 32)
		for ; at < len(known) && known[at] < ord; at++ {
			ords, all = append(ords, known[at]), append(all, scores[at])
		}
		if at < len(known) && known[at] == ord {
			at++
		}
		ords, all = append(ords, ord), append(all, math.Float32frombits(uint32(k)))
	}
	return append(ords, known[at:]...), append(all, scores[at:]...)
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
func (e *Engine) feedback(ctx context.Context, r Request, q []float32, ords []core.Ord) ([]float32, error) {
	read := e.source.Rounded
	if r.Params.Exact {
		read = e.source.Vectors
	}
	all, err := read(ctx, ords)
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
