package query

import (
	"context"

	"github.com/vecdb/vecdb/internal/sentence"
)

// Highlighting says how the sentence of a hit that matches best is found.
type Highlighting string

// HighlightWords looks for the sentence in which most of the query's words are.
// HighlightMeaning embeds the sentences and takes the one nearest to the query,
// which takes a while. HighlightAuto goes by words and, in documents that have
// none of them, by meaning.
const (
	HighlightAuto    Highlighting = "auto"
	HighlightWords   Highlighting = "words"
	HighlightMeaning Highlighting = "meaning"
)

// Limits of what is embedded to find sentences.
const (
	maxSentences    = 32  // of a document, from its beginning
	maxAllSentences = 256 // of all hits
)

// Highlight is the sentence of a hit that matches the query best.
type Highlight struct {
	Text  string       `json:"text"`
	Start int          `json:"start"` // where it is in the text of the document, in bytes
	End   int          `json:"end"`
	By    Highlighting `json:"by"` // HighlightWords or HighlightMeaning
	// Score is the share of what the query's words can bring, or the cosine of
	// sentence and query.
	Score float32 `json:"score"`
}

// highlight finds the best sentence of each document that was found.
func (e *Engine) highlight(ctx context.Context, r Request, p point, list []found, took *Took) error {
	if r.Highlight == "" {
		return nil
	}
	defer stopwatch(&took.Highlight)()
	var rest []*found
	for i := range list {
		f := &list[i]
		if r.Highlight != HighlightMeaning && p.words != nil {
			f.highlight = byWords(p.words, f)
		}
		if f.highlight == nil && r.Highlight != HighlightWords && p.vector != nil && f.doc.Text != "" {
			rest = append(rest, f)
		}
	}
	return e.byMeaning(ctx, p.vector, rest)
}

// byWords returns the sentence whose words weigh the most, nil when none has
// any.
func byWords(w Words, f *found) (best *Highlight) {
	most := 0.0
	text, start := f.matched()
	for _, s := range sentence.Split(text) {
		if weight := w.Weight(text[s.Start:s.End]); weight > most {
			most = weight
			best = &Highlight{Text: text[s.Start:s.End], Start: start + s.Start, End: start + s.End, By: HighlightWords, Score: share(float32(weight), w.Bound())}
		}
	}
	return best
}

// byMeaning gives each document the sentence nearest to q.
func (e *Engine) byMeaning(ctx context.Context, q []float32, list []*found) error {
	var texts []string
	var owners []*found
	var places []sentence.Span
	for _, f := range list {
		text, start := f.matched()
		for i, s := range sentence.Split(text) {
			if i == maxSentences || len(texts) == maxAllSentences {
				break
			}
			place := sentence.Span{Start: start + s.Start, End: start + s.End}
			texts, owners, places = append(texts, text[s.Start:s.End]), append(owners, f), append(places, place)
		}
	}
	if len(texts) == 0 {
		return nil
	}
	vectors, err := e.source.EmbedPassages(ctx, texts)
	if err != nil {
		return err
	}
	for i, f := range owners {
		if score := cosine(q, vectors[i]); f.highlight == nil || score > f.highlight.Score {
			f.highlight = &Highlight{Text: texts[i], Start: places[i].Start, End: places[i].End, By: HighlightMeaning, Score: score}
		}
	}
	return nil
}
