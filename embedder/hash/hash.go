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
		words := split(text)
		r.Vectors = append(r.Vectors, e.vector(words))
		r.Usage = append(r.Usage, embedder.Usage{Total: len(words), Used: len(words)})
	}
	r.Run = time.Since(start)
	return r, nil
}

// split returns the words of text in lower case.
func split(text string) []string {
	var words []string
	for _, w := range strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
		start := 0
		for i, r := range w {
			if unicode.Is(unicode.Han, r) {
				if start < i {
					words = append(words, w[start:i])
				}
				start = i + utf8.RuneLen(r)
				words = append(words, w[i:start])
			}
		}
		if start < len(w) {
			words = append(words, w[start:])
		}
	}
	return words
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
