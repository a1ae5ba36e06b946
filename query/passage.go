package query

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/vecdb/vecdb/internal/core"
)

// Passage is the part of a long document that matches the query best.
type Passage struct {
	Text  string `json:"text"`
	Start int    `json:"start"` // where it is in the text of the document, in bytes
	End   int    `json:"end"`
	// Score is how well it matches by the mode of the search, before anything
	// that concerns the whole document.
	Score float32 `json:"score"`
}

// Cut tells into what a document was cut.
type Cut struct {
	Passages []core.Passage // without vectors; none where the document is one
	Scores   []float32      // their similarities to the query vector, nil without one
}

// How much text is looked through for the words of a query, in bytes for all hits
// together: looking takes longer than comparing vectors. With vectors, only the
// passages nearest to the query are looked through.
const (
	wordedBytes       = 256 << 10
	wordedBytesBeside = 32 << 10
)

// passages gives each long document that was found its best passage.
func (e *Engine) passages(ctx context.Context, p point, list []found, took *Took) error {
	if p.vector == nil && p.words == nil || len(list) == 0 {
		return nil
	}
	defer stopwatch(&took.Fetch)()
	cuts, err := e.source.Cuts(ctx, ordinals(list), p.vector)
	if err != nil {
		return fmt.Errorf("read the passages: %w", err)
	}
	long := 0
	for _, c := range cuts {
		long += min(1, len(c.Passages))
	}
	for i, c := range cuts {
		f := &list[i]
		if len(c.Passages) == 0 {
			continue
		}
		for j := range c.Scores {
			c.Scores[j] = e.bounded(c.Scores[j])
		}
		room := wordedBytes
		if c.Scores != nil {
			room = wordedBytesBeside
		}
		f.passage = best(c, f.doc.Text, p.words, room/long)
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return nil
}

// best returns the passage of a text that matches best, by vectors, by words or
// by both as in a weighted score. It looks for words in about so many bytes.
func best(c Cut, text string, words Words, room int) (out *Passage) {
	order := make([]int, len(c.Passages))
	for i := range order {
		order[i] = i
	}
	if c.Scores != nil {
		slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(c.Scores[b], c.Scores[a]) })
	}
	for _, i := range order {
		p := c.Passages[i]
		if p.Start < 0 || p.End > len(text) || p.Start > p.End {
			continue // it is of another text
		}
		if out != nil && (words == nil || room <= 0) {
			return out
		}
		score := float32(0)
		if c.Scores != nil {
			score = c.Scores[i]
		}
		if words != nil {
			room -= p.End - p.Start
			said := share(float32(words.Weight(text[p.Start:p.End])), words.Bound())
			if score = lexicalWeight*said + (1-lexicalWeight)*score; c.Scores == nil {
				score = said
			}
		}
		if out == nil || score > out.Score {
			out = &Passage{Text: text[p.Start:p.End], Start: p.Start, End: p.End, Score: score}
		}
	}
	return out
}

// matched returns the part of the text of a document in which the sentence that
// matches best is looked for, and where it begins.
func (f *found) matched() (text string, start int) {
	if f.passage == nil {
		return f.doc.Text, 0
	}
	return f.passage.Text, f.passage.Start
}
