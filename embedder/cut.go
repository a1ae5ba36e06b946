package embedder

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/clipperhouse/uax29/v2/graphemes"

	"github.com/vecdb/vecdb/internal/core"
	"github.com/vecdb/vecdb/internal/sentence"
)

// Span is a part of a text: its bytes from Start to End. That of a token which is
// not of the text's own, such as [CLS], is empty.
type Span struct {
	Start, End int
}

// Parts tells how a text is cut for a model.
type Parts struct {
	Total int    // tokens of the text, special ones included
	Spans []Span // the passages, nil when the model takes the text as a whole
}

// ErrNoSpans is returned by Split when a tokenizer does not tell where its tokens
// stand in the text.
var ErrNoSpans = errors.New("the model's tokenizer does not tell where its tokens are")

// SpanTokenizer is a Tokenizer that tells where its tokens stand in the text.
type SpanTokenizer interface {
	Tokenizer
	// EncodeSpans does what Encode does, with a span for each id, in order.
	EncodeSpans(text string, limit int) (ids []int32, spans []Span, total int, err error)
}

// Split implements Embedder.
func (e *Encoder) Split(ctx context.Context, text string, most int) (Parts, error) {
	if !utf8.ValidString(text) {
		return Parts{}, core.Invalid("", "convert it to UTF-8", "the text is not valid UTF-8")
	}
	if err := ctx.Err(); err != nil {
		return Parts{}, err
	}
	tokens, ok := e.cfg.Tokenizer.(SpanTokenizer)
	if !ok {
		return Parts{}, ErrNoSpans
	}
	_, special, err := tokens.Encode(nil, "", e.cfg.MaxTokens)
	if err != nil {
		return Parts{}, err
	}
	_, own, err := tokens.Encode(nil, e.cfg.PassagePrefix, e.cfg.MaxTokens)
	if err != nil {
		return Parts{}, err
	}
	budget := max(1, e.cfg.MaxTokens-own)
	_, spans, total, err := tokens.EncodeSpans(text, special+most*budget+1)
	if err != nil {
		return Parts{}, err
	}
	p := Parts{Total: total - special + own}
	if p.Total <= e.cfg.MaxTokens {
		return p, nil
	}
	if total-special <= most*budget {
		p.Spans = Cut(text, spans, budget)
	}
	if p.Spans == nil || len(p.Spans) > most {
		return Parts{}, TooManyParts(p.Total, most)
	}
	return p, nil
}

// TooManyParts returns the error of Split for a text of so many tokens.
func TooManyParts(total, most int) error {
	return &core.InputError{Cause: core.ErrTooLarge, Hint: "cut it into several documents, or have its rest left out (long=truncate)",
		Detail: fmt.Sprintf("the text has %d tokens, which make more than %d passages", total, most)}
}

// How a text is cut.
const (
	overlapShare = 8 // of a passage, at most one in so many tokens is in the next one too
	atMark       = 1 // a place behind a blank or a mark within a sentence
	atSentence   = 2 // the place where a sentence begins
)

// Cut cuts a text into passages of at most budget of its tokens, whose spans are
// given in order. A passage ends where a sentence ends, or else at a blank or a
// mark, if one is in its second half, and never within a grapheme (Unicode
// Standard Annex 29); one that is too long by itself is not cut. The next passage
// begins up to an eighth of the budget before that, where a sentence begins if
// one does there; the last one begins sooner when it would be short. Blanks at
// the ends of passages are left out, all other text is in one at least.
func Cut(text string, tokens []Span, budget int) []Span {
	c := cutter{text: text, budget: max(2, budget)}
	for _, t := range tokens {
		if t.Start < t.End {
			c.tokens = append(c.tokens, t)
		}
	}
	c.grade()
	var out []Span
	for from, last := 0, 0; last < len(c.tokens); {
		to, end := c.end(from, last)
		start := 0
		if from > 0 {
			start = c.tokens[from].Start
		}
		out = append(out, Span{start, end})
		from, last = c.next(from, to), to
	}
	return out
}

// cutter cuts one text.
type cutter struct {
	text   string
	tokens []Span
	grades []uint8 // how well each token begins a passage
	budget int

	// Of the passage at hand, which begins at token from.
	from int
	ends []int // where it would end before each token behind, 0 where that is within a grapheme
}

// grade finds out which tokens begin sentences, and which stand behind a blank or
// a mark.
func (c *cutter) grade() {
	c.grades = make([]uint8, len(c.tokens))
	for i := 1; i < len(c.tokens); i++ {
		before := c.tokens[i-1]
		if before.End < c.tokens[i].Start || strings.Contains(",;:，、；：", c.text[before.Start:before.End]) {
			c.grades[i] = atMark
		}
	}
	i := 0
	for _, s := range sentence.Split(c.text) {
		for i < len(c.tokens) && c.tokens[i].Start < s.Start {
			i++
		}
		if i < len(c.tokens) {
			c.grades[i] = atSentence
		}
	}
}

// end returns the token before which the passage from a token on ends, behind
// token last, and where its text ends.
func (c *cutter) end(from, last int) (to, end int) {
	if from+c.budget >= len(c.tokens) {
		c.from, c.ends = from, nil
		return len(c.tokens), len(strings.TrimRight(c.text, " \t\r\n"))
	}
	c.look(from, last)
	best, grade := 0, -1
	for i, end := range c.ends {
		at := from + i
		if end == 0 || at <= last {
			continue
		}
		g := int(c.grades[at])
		if i <= c.budget/2 {
			g = 0 // too short to be chosen for its end
		}
		if i <= c.budget && g >= grade || best == 0 {
			best, grade = i, g
		}
	}
	if best == 0 {
		return len(c.tokens), len(strings.TrimRight(c.text, " \t\r\n"))
	}
	return from + best, c.ends[best]
}

// look goes through the graphemes from a token on, until the passage is full and
// there is a place behind token last to cut it.
func (c *cutter) look(from, last int) {
	c.from, c.ends = from, append(c.ends[:0], 0)
	found := false
	at := c.tokens[from].Start
	end, i := at, from+1
	for it := graphemes.FromString(c.text[at:]); it.Next(); {
		for i < len(c.tokens) && c.tokens[i].Start <= at {
			here := 0
			if c.tokens[i].Start == at && c.tokens[i-1].End <= at {
				here = end
				found = found || i > last
			}
			c.ends = append(c.ends, here)
			i++
		}
		if found && i > from+c.budget {
			return
		}
		at += len(it.Value())
		if strings.Trim(it.Value(), " \t\r\n") != "" {
			end = at
		}
	}
}

// next returns the token that the passage behind begins with: up to an eighth of
// the budget before to, or more when the rest is short.
func (c *cutter) next(from, to int) int {
	if to == len(c.tokens) {
		return to
	}
	overlap := c.budget / overlapShare
	if rest := len(c.tokens) - to; rest < c.budget/2 {
		overlap = max(overlap, c.budget/2-rest)
	}
	// Nothing is shared where that would not begin as well as what is not.
	best, grade := to, int(c.grades[to])-1
	for i := max(from+1, to-min(overlap, (to-from)/2)); i < to; i++ {
		if i-from < len(c.ends) && c.ends[i-from] > 0 && int(c.grades[i]) > grade {
			best, grade = i, int(c.grades[i])
		}
	}
	return best
}
