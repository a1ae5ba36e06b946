package query

import (
	"cmp"
	"slices"
	"unicode/utf8"

	"github.com/vecdb/vecdb/index"
)

// maxBecause is how many examples explain a hit.
const maxBecause = 3

// explain tells how the score of a hit came about. The vector of the hit is
// needed only when there are liked examples.
func (e *Engine) explain(f found, k ranking, liked []example) *Explain {
	x := &Explain{Mode: k.mode, Metric: string(e.metric), Dense: f.relevance, Adjusted: f.adjusted, Because: because(f.doc.Vector, liked)}
	switch k.mode {
	case Dense:
		return x
	case Behavioral:
		c := k.candidates[f.ord]
		x.Dense, x.Behavior = 0, &BehaviorPart{Items: c.Items, Text: c.Text, Popular: c.Items == 0 && c.Text == 0}
		return x
	}
	p := k.parts[f.ord]
	x.Dense = p.dense
	x.Lexical = &LexicalPart{Bound: float32(k.words.Bound()), Terms: append([]index.Match{}, k.words.Explain(f.ord)...)}
	for _, m := range x.Lexical.Terms {
		x.Lexical.Score += m.Score
	}
	if k.mode == Hybrid {
		x.Fusion = &FusionPart{Method: k.fusion, Dense: p.denseAdds, Lexical: p.lexicalAdds, Feedback: slices.Contains(k.feedback, f.ord)}
	}
	return x
}

// because returns the liked examples nearest to a hit, nearest first, nil when
// there are none.
func because(vector []float32, liked []example) []Contributor {
	if len(liked) == 0 {
		return nil
	}
	list := make([]Contributor, len(liked))
	for i, x := range liked {
		list[i] = Contributor{ID: x.ID, Text: clip(x.Text, 200), Score: cosine(vector, x.vector)}
	}
	slices.SortStableFunc(list, func(a, b Contributor) int { return cmp.Compare(b.Score, a.Score) })
	return list[:min(len(list), maxBecause)]
}

// cosine returns the cosine of the angle between a and b, 0 when either has no
// direction.
func cosine[A, B float32 | float64](a []A, b []B) float32 {
	if len(a) != len(b) {
		return 0
	}
	lengths := norm(a) * norm(b)
	if lengths == 0 {
		return 0
	}
	var dot float64
	for i := range a {
		dot += float64(a[i]) * float64(b[i])
	}
	return float32(min(max(dot/lengths, -1), 1))
}

// clip returns the first limit characters of text.
func clip(text string, limit int) string {
	if utf8.RuneCountInString(text) <= limit {
		return text
	}
	for i := range text {
		if limit == 0 {
			return text[:i] + "…"
		}
		limit--
	}
	return text
}
