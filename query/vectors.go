package query

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/vecdb/vecdb/internal/core"
)

// point is where a query looks in the vector space.
type point struct {
	vector  []float32 // nil when documents are found by words alone
	words   Words     // nil when they are found by vectors alone
	without []string  // ids of the stored documents it was made of, left out of the hits
	liked   []example // the examples that explain its hits
	taste   *taste    // instead of all of these, what users do; see behavior.go
	nothing bool      // nobody knows what to look for: nothing is found
}

// point makes the query vector of a search, moved away from what is disliked.
func (e *Engine) point(ctx context.Context, r Request, took *Took) (point, error) {
	p, err := e.subject(ctx, r, took)
	if err != nil || len(r.Dislike) == 0 || p.vector == nil || !r.pointed() {
		return p, err
	}
	r.Like = []Example{{Vector: p.vector}}
	moved, err := e.examplePoint(ctx, r, took)
	p.vector, p.without = moved.vector, append(p.without, moved.without...)
	return p, err
}

// subject makes the query vector of what a request is about.
func (e *Engine) subject(ctx context.Context, r Request, took *Took) (point, error) {
	switch {
	case r.Text != "":
		p := point{words: e.words(r, took)}
		if r.Mode == Lexical {
			return p, nil
		}
		vectors, err := e.embed(ctx, "/text", []string{r.Text}, took)
		if err != nil {
			return point{}, err
		}
		p.vector = vectors[0]
		return p, nil
	case r.Vector != nil:
		return point{vector: r.Vector}, nil
	case r.ID != "":
		vectors, err := e.stored(ctx, []string{"/id"}, []string{r.ID}, took)
		if err != nil {
			return point{}, err
		}
		return point{vector: vectors[0], without: []string{r.ID}}, nil
	}
	return e.examplePoint(ctx, r, took)
}

// words looks the text of a request up unless its mode is dense. Without a mode
// a text that has no known word is searched for by its vector alone.
func (e *Engine) words(r Request, took *Took) Words {
	if r.Mode == Dense {
		return nil
	}
	defer stopwatch(&took.Search)()
	w := e.source.Words(r.Text)
	if r.Mode == "" && w.Bound() == 0 {
		return nil
	}
	return w
}

// embed embeds texts as queries and adds the time to took. An error about the
// input is moved to pointer, the place that the texts come from.
func (e *Engine) embed(ctx context.Context, pointer string, texts []string, took *Took) ([][]float32, error) {
	if e.dim == 0 {
		return make([][]float32, len(texts)), nil
	}
	embedded, err := e.source.Embed(ctx, texts)
	if err != nil {
		var in *core.InputError
		if errors.As(err, &in) {
			moved := *in
			moved.Pointer = pointer
			return nil, &moved
		}
		return nil, fmt.Errorf("embed the query: %w", err)
	}
	took.Tokenize += milliseconds(embedded.Tokenize)
	took.Embed += milliseconds(embedded.Run)
	if len(embedded.Vectors) != len(texts) {
		return nil, fmt.Errorf("embed the query: %d vectors for %d texts", len(embedded.Vectors), len(texts))
	}
	for _, v := range embedded.Vectors {
		if len(v) != e.dim {
			return nil, fmt.Errorf("embed the query: %d numbers a vector, not %d: %w", len(v), e.dim, core.ErrDimension)
		}
	}
	return embedded.Vectors, nil
}

// stored returns the vectors of the documents ids and adds the time to took.
// An id that is not there gives an error that matches core.ErrNotFound, at the
// pointer of that id.
func (e *Engine) stored(ctx context.Context, pointers, ids []string, took *Took) ([][]float32, error) {
	defer stopwatch(&took.Fetch)()
	ords, err := e.source.Ordinals(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("look up the documents of the query: %w", err)
	}
	for i, ord := range ords {
		if ord == core.NoOrd {
			return nil, notFound(pointers[i], ids[i])
		}
	}
	vectors, err := e.source.Vectors(ctx, ords)
	if err != nil {
		return nil, fmt.Errorf("read the vectors of the query: %w", err)
	}
	for i, v := range vectors {
		if v == nil {
			return nil, notFound(pointers[i], ids[i])
		}
		if len(v) != e.dim {
			return nil, fmt.Errorf("document %.80q has a vector of %d numbers, not %d: %w", ids[i], len(v), e.dim, core.ErrCorrupt)
		}
	}
	return vectors, nil
}

func notFound(pointer, id string) error {
	return &core.InputError{Pointer: pointer, Cause: core.ErrNotFound,
		Detail: fmt.Sprintf("there is no document %.80q", id),
		Hint:   "use the id of a stored document, or search by text"}
}

// stopwatch returns a function that adds the milliseconds since now to sum.
func stopwatch(sum *float64) func() {
	start := time.Now()
	return func() { *sum += milliseconds(time.Since(start)) }
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
