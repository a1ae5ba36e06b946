package query

import (
	"cmp"
	"slices"

	"github.com/vecdb/vecdb/internal/core"
)

// maxReasons is how many examples are named as reasons for one hit.
const maxReasons = 3

// explain tells how the score of doc, which has its vector, came about.
func (e *Engine) explain(score float32, doc *core.Document, t target) *Explain {
	out := &Explain{Metric: string(e.metric), Dense: score}
	for _, x := range t.liked {
		out.Because = append(out.Because, Contributor{ID: x.ID, Text: x.Text, Score: cosine(doc.Vector, x.vector)})
	}
	slices.SortStableFunc(out.Because, func(a, b Contributor) int { return cmp.Compare(b.Score, a.Score) })
	out.Because = out.Because[:min(maxReasons, len(out.Because))]
	return out
}
