package query

import (
	"context"
	"iter"
	"strings"

	"github.com/clipperhouse/uax29/v2/sentences"
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

// span is a sentence of a text.
type span struct{ start, end int }

// longSentence is from how many bytes on a sentence is cut at marks that do not
// end one in careful writing: in text all in lower case nothing else does.
const longSentence = 300

// split returns the sentences of text without the blanks around them, as
// Unicode Standard Annex 29 has them, and lines.
func split(text string) (out []span) {
	start := 0
	it := sentences.FromString(text)
	for it.Next() {
		for line := range strings.Lines(it.Value()) {
			for piece := range pieces(line) {
				from := start + len(piece) - len(strings.TrimLeft(piece, " \t\r\n"))
				to := start + len(strings.TrimRight(piece, " \t\r\n"))
				if from < to {
					out = append(out, span{from, to})
				}
				start += len(piece)
			}
		}
	}
	return out
}

// pieces yields the parts of a line: the line itself unless it is long, else
// what ends with a mark before a blank.
func pieces(line string) iter.Seq[string] {
	return func(yield func(string) bool) {
		long := len(line) > longSentence
		for line != "" {
			end := len(line)
			if long {
				end = markAfter(line, longSentence/10) // nothing shorter
			}
			if !yield(line[:end]) {
				return
			}
			line = line[end:]
		}
	}
}

// markAfter returns the place of the first blank behind a mark, from place from
// on, the length of line when there is none.
func markAfter(line string, from int) int {
	for i := from; i < len(line); i++ {
		if line[i] == ' ' && strings.IndexByte(".!?;", line[i-1]) >= 0 {
			return i
		}
	}
	return len(line)
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
			f.highlight = byWords(p.words, f.doc.Text)
		}
		if f.highlight == nil && r.Highlight != HighlightWords && p.vector != nil && f.doc.Text != "" {
			rest = append(rest, f)
		}
	}
	return e.byMeaning(ctx, p.vector, rest)
}

// byWords returns the sentence whose words weigh the most, nil when none has
// any.
func byWords(w Words, text string) (best *Highlight) {
	most := 0.0
	for _, s := range split(text) {
		if weight := w.Weight(text[s.start:s.end]); weight > most {
			most = weight
			best = &Highlight{Text: text[s.start:s.end], Start: s.start, End: s.end, By: HighlightWords, Score: share(float32(weight), w.Bound())}
		}
	}
	return best
}

// byMeaning gives each document the sentence nearest to q.
func (e *Engine) byMeaning(ctx context.Context, q []float32, list []*found) error {
	var texts []string
	var owners []*found
	var places []span
	for _, f := range list {
		for i, s := range split(f.doc.Text) {
			if i == maxSentences || len(texts) == maxAllSentences {
				break
			}
			texts, owners, places = append(texts, f.doc.Text[s.start:s.end]), append(owners, f), append(places, s)
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
			f.highlight = &Highlight{Text: texts[i], Start: places[i].start, End: places[i].end, By: HighlightMeaning, Score: score}
		}
	}
	return nil
}
