package vecdb

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"

	"golang.org/x/sync/errgroup"

	"github.com/vecdb/vecdb/embedder"
	"github.com/vecdb/vecdb/internal/core"
	"github.com/vecdb/vecdb/storage"
)

// The policies for texts with more tokens than the model takes at once.
const (
	LongChunk    = core.LongChunk
	LongTruncate = core.LongTruncate
	LongError    = core.LongError
)

// Passage is a part of a document's text that has a vector of its own.
type Passage = core.Passage

// Reading tells what a model read of a long text.
type Reading = core.Reading

// likelyLong is from how many bytes on it is counted how many tokens a text has
// before it is embedded. Shorter ones are seldom long for a model, and what is
// found out afterwards costs one embedding in vain.
const likelyLong = 1024

// arrivals are documents on their way in, with what becomes of them.
type arrivals struct {
	docs     []Document
	readings []*core.Reading // of long texts
	results  []ItemResult
	long     string // what becomes of those
	asked    bool   // whether the call says so, not the collection
}

// refuse notes why a document is not stored.
func (a *arrivals) refuse(i int, err error) { a.results[i].Err = core.At("/text", err) }

// cut reports whether the i-th text is cut into passages.
func (a *arrivals) cut(i int) bool { return a.readings[i] != nil && len(a.readings[i].Passages) > 0 }

// remaining returns the positions that are not refused.
func (a *arrivals) remaining(positions []int) []int {
	var rest []int
	for _, i := range positions {
		if a.results[i].Err == nil {
			rest = append(rest, i)
		}
	}
	return rest
}

// fillVectors embeds the texts of the documents at the given positions that have
// no vector, and returns the positions that remain to be stored.
func (c *Collection) fillVectors(ctx context.Context, a *arrivals, positions []int) ([]int, error) {
	var texts []int
	for _, i := range positions {
		if a.docs[i].Vector == nil {
			texts = append(texts, i)
		}
	}
	if len(texts) == 0 {
		return positions, nil
	}
	emb, err := c.model(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := emb.Split(ctx, "", 1); errors.Is(err, embedder.ErrNoSpans) && a.long == LongChunk {
		if a.asked {
			return nil, core.Invalid("/long", "use truncate or error, or a model of the BERT family", "%v", err)
		}
		a.long = LongTruncate
	}
	var likely []int
	for _, i := range texts {
		if len(a.docs[i].Text) > likelyLong && a.long == LongChunk {
			likely = append(likely, i)
		}
	}
	if err := c.cut(ctx, emb, a, likely); err != nil {
		return nil, err
	}
	late, err := c.embedTexts(ctx, a, a.remaining(texts), false)
	if err != nil {
		return nil, err
	}
	if err := c.cut(ctx, emb, a, late); err != nil {
		return nil, err
	}
	if _, err := c.embedTexts(ctx, a, a.remaining(late), true); err != nil {
		return nil, err
	}
	return a.remaining(positions), nil
}

// cut finds out into which passages the texts at the given positions are to be
// cut.
func (c *Collection) cut(ctx context.Context, emb embedder.Embedder, a *arrivals, positions []int) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for _, i := range positions {
		group.Go(func() error {
			parts, err := emb.Split(ctx, a.docs[i].Text, storage.MaxPassages(c.Info().Dim))
			var in *core.InputError
			if errors.As(err, &in) {
				a.refuse(i, err)
				return nil
			}
			if err == nil && len(parts.Spans) > 1 {
				x := &core.Reading{TokensTotal: parts.Total, Passages: make([]core.Passage, len(parts.Spans))}
				for j, s := range parts.Spans {
					x.Passages[j] = core.Passage{Start: s.Start, End: s.End}
				}
				a.readings[i] = x
			}
			return err
		})
	}
	return group.Wait()
}

// embedTexts embeds the texts at the given positions, or their passages. Unless
// it is for good, it returns the positions of texts that are long after all and
// are to be cut.
func (c *Collection) embedTexts(ctx context.Context, a *arrivals, positions []int, forGood bool) (late []int, err error) {
	var texts []string
	passages := 0
	for _, i := range positions {
		if a.readings[i] == nil {
			texts = append(texts, a.docs[i].Text)
			continue
		}
		for _, p := range a.readings[i].Passages {
			texts = append(texts, a.docs[i].Text[p.Start:p.End])
		}
		passages += len(a.readings[i].Passages)
	}
	if len(texts) == 0 {
		return nil, nil
	}
	if err := c.checkPassages(passages); err != nil {
		return nil, err
	}
	r, err := c.embed(ctx, embedder.Passage, texts)
	if err != nil {
		return nil, err
	}
	next := 0
	for _, i := range positions {
		n, doc := 1, &a.docs[i]
		if x := a.readings[i]; x != nil {
			n = len(x.Passages)
			doc.Vector = join(x, r.Vectors[next:next+n], r.Usage[next:next+n])
			a.results[i].TokensTotal, a.results[i].TokensUsed = x.TokensTotal, x.TokensUsed
		} else if u := r.Usage[next]; u.Used == u.Total || a.long == LongTruncate || forGood {
			a.take(i, r.Vectors[next], u)
		} else if a.long == LongError {
			a.refuse(i, tooLong(u))
		} else {
			late = append(late, i)
		}
		next += n
	}
	return late, nil
}

// take keeps the vector of a text that was embedded as a whole, or truncated.
func (a *arrivals) take(i int, vector []float32, u embedder.Usage) {
	a.docs[i].Vector = vector
	a.results[i].TokensTotal, a.results[i].TokensUsed = u.Total, u.Used
	if u.Used < u.Total {
		a.readings[i] = &core.Reading{TokensTotal: u.Total, TokensUsed: u.Used}
	}
}

// readWhole counts the tokens of a text that the model took as a whole.
func (c *Collection) readWhole(ctx context.Context, text string) (Reading, error) {
	if c.Info().Model == "" || text == "" {
		return Reading{}, nil
	}
	emb, err := c.model(ctx)
	if err != nil {
		return Reading{}, err
	}
	parts, err := emb.Split(ctx, text, storage.MaxPassages(c.Info().Dim))
	if errors.Is(err, embedder.ErrNoSpans) || errors.Is(err, core.ErrTooLarge) {
		err = nil // it came with its vector
	}
	return Reading{TokensTotal: parts.Total, TokensUsed: parts.Total}, err
}

// tooLong refuses a text of so many tokens.
func tooLong(u embedder.Usage) error {
	return &core.InputError{Cause: core.ErrTooLarge, Hint: "shorten it, or use long=chunk or long=truncate",
		Detail: fmt.Sprintf("the text has %d tokens, the model takes %d", u.Total, u.Used)}
}

// join gives the passages of a text their vectors and returns the one that stands
// for the whole: their mean, each by its tokens, of unit length.
func join(x *core.Reading, vectors [][]float32, usage []embedder.Usage) []float32 {
	sum := make([]float64, len(vectors[0]))
	x.TokensUsed = x.TokensTotal
	for i, v := range vectors {
		p, u := &x.Passages[i], usage[i]
		p.Vector, p.Tokens = v, u.Used
		x.TokensUsed -= u.Total - u.Used
		for j, f := range v {
			sum[j] += float64(u.Used) * float64(f)
		}
	}
	var square float64
	for _, f := range sum {
		square += f * f
	}
	if square < 1e-12 {
		return vectors[0]
	}
	mean := make([]float32, len(sum))
	for j, f := range sum {
		mean[j] = float32(f / math.Sqrt(square))
	}
	return mean
}
