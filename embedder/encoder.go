package embedder

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"time"
	"unicode/utf8"

	"golang.org/x/sync/errgroup"

	"github.com/vecdb/vecdb/internal/core"
)

// EncoderConfig is what an Encoder is made of.
type EncoderConfig struct {
	Tokenizer Tokenizer
	// Runtimes are sessions of one model, normally one a core with one thread
	// each. The encoder owns them.
	Runtimes []Runtime
	// Queries is a session more, for queries alone, so that they need not wait
	// for a batch of passages; nil for none. With it, the threads of the others
	// give way to it where the system can do that. The encoder owns it.
	Queries Runtime
	// Dim is the length of the vectors.
	Dim int
	// MaxTokens is how many tokens of a text the model reads, special ones
	// included.
	MaxTokens int
	Pooling   Pooling
	// QueryPrefix and PassagePrefix are put before texts of either kind.
	QueryPrefix, PassagePrefix string
}

// Encoder makes an encoder of the model with its tokenizer and sessions, the first
// of them for queries. It owns the sessions unless it returns an error.
func (m Model) Encoder(t Tokenizer, sessions []Runtime) (*Encoder, error) {
	return NewEncoder(EncoderConfig{
		Tokenizer: t, Runtimes: sessions[1:], Queries: sessions[0], Dim: m.Dim, MaxTokens: m.MaxTokens, Pooling: m.Pooling,
		QueryPrefix: m.QueryPrefix, PassagePrefix: m.PassagePrefix,
	})
}

// Encoder is the whole way from texts to vectors: tokens, model, pooling and
// normalisation.
type Encoder struct {
	// By names what computes the model, for Stats. It is set before the first use.
	By string

	cfg   EncoderConfig
	queue *queue
	cache Cache    // nil for none
	space CacheKey // what all keys begin with
}

var _ Embedder = (*Encoder)(nil)

// NewEncoder returns an encoder over cfg and starts its workers, one a
// runtime.
func NewEncoder(cfg EncoderConfig) (*Encoder, error) {
	switch {
	case cfg.Tokenizer == nil || len(cfg.Runtimes) == 0:
		return nil, core.Invalid("", "", "an encoder needs a tokenizer and at least one runtime")
	case cfg.Dim < 1 || cfg.Dim > core.MaxDim || cfg.MaxTokens < 3:
		return nil, core.Invalid("", "", "an encoder needs a dimension and room for tokens, not %d and %d", cfg.Dim, cfg.MaxTokens)
	case !cfg.Pooling.valid():
		return nil, core.Invalid("", poolings, "unknown pooling %q", cfg.Pooling)
	}
	return &Encoder{cfg: cfg, queue: startQueue(cfg.Runtimes, cfg.Queries, cfg.Dim, cfg.Pooling)}, nil
}

// Dim implements Embedder.
func (e *Encoder) Dim() int { return e.cfg.Dim }

// Close implements Embedder.
func (e *Encoder) Close() error { return e.queue.close() }

// Embed implements Embedder. Equal texts of one call are embedded once.
func (e *Encoder) Embed(ctx context.Context, kind Kind, texts []string) (Result, error) {
	for i, text := range texts {
		if !utf8.ValidString(text) {
			return Result{}, core.Invalid(fmt.Sprintf("/%d", i), "convert it to UTF-8", "the text is not valid UTF-8")
		}
	}
	if err := ctx.Err(); err != nil {
		return Result{}, err
	}
	first, distinct := dedupe(texts)
	own := Result{Vectors: make([][]float32, 0, len(distinct)), Usage: make([]Usage, 0, len(distinct))}
	for len(own.Vectors) < len(distinct) {
		if err := e.window(ctx, kind, distinct, first, &own); err != nil {
			return Result{}, err
		}
	}
	r := Result{Vectors: make([][]float32, len(texts)), Usage: make([]Usage, len(texts)), Tokenize: own.Tokenize, Run: own.Run}
	shared := make([]bool, len(distinct))
	for i, d := range first {
		r.Vectors[i], r.Usage[i] = own.Vectors[d], own.Usage[d]
		if shared[d] {
			r.Vectors[i] = slices.Clone(r.Vectors[i]) // each belongs to the caller alone
		}
		shared[d] = true
	}
	return r, nil
}

// windowTexts bounds the texts of a call that are held as tokens at a time.
const windowTexts = 4096

// window embeds the next texts of a call, as far as the cache does not have them,
// and appends what it has of them to r.
func (e *Encoder) window(ctx context.Context, kind Kind, texts []string, places []int, r *Result) error {
	from := len(r.Vectors)
	texts = texts[from:min(from+windowTexts, len(texts))]
	start := time.Now()
	known, missing := e.lookUp(kind, texts)
	seqs, err := e.tokenize(ctx, kind, selected(texts, missing), func(i int) int { return slices.Index(places, from+missing[i]) })
	if err != nil {
		return err
	}
	r.Tokenize += time.Since(start)
	start = time.Now()
	vectors, err := e.queue.run(ctx, kind, seqs)
	if err != nil {
		return err
	}
	r.Run += time.Since(start)
	usage := make([]Usage, len(seqs))
	for i, s := range seqs {
		usage[i] = Usage{Total: s.total, Used: len(s.ids)}
	}
	if known.keys != nil {
		for j, i := range missing {
			known.vectors[i], known.usage[i] = vectors[j], usage[j]
		}
		e.keep(known, missing)
		vectors, usage = known.vectors, known.usage
	}
	r.Vectors = append(r.Vectors, vectors...)
	r.Usage = append(r.Usage, usage...)
	return nil
}

// selected returns the texts at the given places.
func selected(texts []string, places []int) []string {
	out := make([]string, len(places))
	for j, i := range places {
		out[j] = texts[i]
	}
	return out
}

// dedupe returns the distinct texts, and for each text its place among them.
func dedupe(texts []string) (first []int, distinct []string) {
	first = make([]int, len(texts))
	seen := make(map[string]int, len(texts))
	for i, text := range texts {
		d, there := seen[text]
		if !there {
			d = len(distinct)
			seen[text] = d
			distinct = append(distinct, text)
		}
		first[i] = d
	}
	return first, distinct
}

// sequence is one text as tokens.
type sequence struct {
	ids   []int32
	total int
}

// tokenize turns distinct texts into tokens, on all cores when there are many.
// Errors point to the place that a text has with the caller.
func (e *Encoder) tokenize(ctx context.Context, kind Kind, texts []string, place func(int) int) ([]sequence, error) {
	prefix := e.cfg.PassagePrefix
	if kind == Query {
		prefix = e.cfg.QueryPrefix
	}
	seqs := make([]sequence, len(texts))
	const share = 64 // texts a goroutine
	var g errgroup.Group
	g.SetLimit(runtime.GOMAXPROCS(0))
	for from := 0; from < len(texts); from += share {
		g.Go(func() error {
			for i := from; i < min(from+share, len(texts)); i++ {
				if err := ctx.Err(); err != nil {
					return err
				}
				ids, total, err := e.cfg.Tokenizer.Encode(nil, prefix+texts[i], e.cfg.MaxTokens)
				if err != nil {
					return core.At(fmt.Sprintf("/%d", place(i)), err)
				}
				seqs[i] = sequence{ids, total}
			}
			return nil
		})
	}
	return seqs, g.Wait()
}
