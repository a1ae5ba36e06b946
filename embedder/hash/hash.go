// Package hash is a tiny embedder without a model: it hashes words into signed
// buckets (Weinberger et al., arXiv 0902.2206). Texts that share words get
// near vectors, always the same ones. It is meant for tests.
package hash

import (
	"context"
	"fmt"
	"hash/fnv"
	"math"
	"strings"
	"sync/atomic"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/vecdb/vecdb/embedder"
	"github.com/vecdb/vecdb/internal/core"
)

// Embedder hashes words. It is safe for concurrent use.
type Embedder struct {
	dim    int
	tokens int // that it reads of a text, 0 for all
	closed atomic.Bool
}

var _ embedder.Embedder = (*Embedder)(nil)

// New returns an embedder of dim numbers a vector; 0 is 64.
func New(dim int) *Embedder {
	if dim == 0 {
		dim = 64
	}
	return &Embedder{dim: dim}
}

// Limited returns an embedder that reads so many words of a text, as models do.
func Limited(dim, words int) *Embedder {
	e := New(dim)
	e.tokens = words
	return e
}

// Dim implements embedder.Embedder.
func (e *Embedder) Dim() int { return e.dim }

// Close implements embedder.Embedder.
func (e *Embedder) Close() error {
	e.closed.Store(true)
	return nil
}

// Embed implements embedder.Embedder. Each word counts as a token, and each
// CJK character as a word.
func (e *Embedder) Embed(ctx context.Context, _ embedder.Kind, texts []string) (embedder.Result, error) {
	if e.closed.Load() {
		return embedder.Result{}, core.ErrClosed
	}
	start := time.Now()
	r := embedder.Result{}
	for i, text := range texts {
		if err := ctx.Err(); err != nil {
			return embedder.Result{}, err
		}
		if !utf8.ValidString(text) {
			return embedder.Result{}, core.Invalid(fmt.Sprintf("/%d", i), "convert it to UTF-8", "the text is not valid UTF-8")
		}
		words, _ := split(text)
		used := words
		if e.tokens > 0 {
			used = words[:min(len(words), e.tokens)]
		}
		r.Vectors = append(r.Vectors, e.vector(used))
		r.Usage = append(r.Usage, embedder.Usage{Total: len(words), Used: len(used)})
	}
	r.Run = time.Since(start)
	return r, nil
}

// Split implements embedder.Embedder.
func (e *Embedder) Split(ctx context.Context, text string, most int) (embedder.Parts, error) {
	if !utf8.ValidString(text) {
		return embedder.Parts{}, core.Invalid("", "convert it to UTF-8", "the text is not valid UTF-8")
	}
	words, spans := split(text)
	p := embedder.Parts{Total: len(words)}
	if e.tokens > 0 && len(words) > e.tokens {
		p.Spans = embedder.Cut(text, spans, e.tokens)
	}
	if len(p.Spans) > most {
		return embedder.Parts{}, embedder.TooManyParts(p.Total, most)
	}
	return p, ctx.Err()
}

// split returns the words of text in lower case, and where they are.
func split(text string) (words []string, spans []embedder.Span) {
	begin := -1
	end := func(at int) {
		if begin >= 0 {
			words, spans = append(words, strings.ToLower(text[begin:at])), append(spans, embedder.Span{Start: begin, End: at})
		}
		begin = -1
	}
	for i, r := range text {
		switch {
		case unicode.Is(unicode.Han, r):
			end(i)
			begin = i
			end(i + utf8.RuneLen(r))
		case !unicode.IsLetter(r) && !unicode.IsDigit(r):
			end(i)
		case begin < 0:
			begin = i
		}
	}
	end(len(text))
	return words, spans
}

func (e *Embedder) vector(words []string) []float32 {
	v := make([]float32, e.dim)
	v[0] = 1e-3 // a text without words has a direction too
	for _, w := range words {
		h := fnv.New64a()
		_, _ = h.Write([]byte(w)) // never fails
		sum := h.Sum64()
		// Three buckets a word keep different words apart in few dimensions.
		for range 3 {
			sign := float32(1)
			if sum&(1<<40) != 0 {
				sign = -1
			}
			v[sum%uint64(e.dim)] += sign
			sum = sum*6364136223846793005 + 1442695040888963407
		}
	}
	var square float64
	for _, x := range v {
		square += float64(x) * float64(x)
	}
	for i := range v {
		v[i] = float32(float64(v[i]) / math.Sqrt(square))
	}
	return v
}
