package query

import (
	"context"
	"fmt"
	"math"

	"github.com/vecdb/vecdb/internal/core"
)

// target is what is searched for: a vector, and the ordinals that it was made
// from, which are left out of the hits.
type target struct {
	vector []float32
	made   []core.Ord
	liked  []resolved // the liked examples, for reasons
}

// resolved is an example with its vector.
type resolved struct {
	Example
	vector []float32
}

// embed embeds texts and books the time. It asks nothing for no texts.
func (e *Engine) embed(ctx context.Context, texts []string, took *Took) ([][]float32, error) {
	if len(texts) == 0 {
		return nil, nil
	}
	r, err := e.source.Embed(ctx, texts)
	if err != nil {
		return nil, err
	}
	took.Tokenize += milliseconds(r.Tokenize)
	took.Embed += milliseconds(r.Run)
	return r.Vectors, nil
}

// stored returns the vector and the ordinal of a stored document.
func (e *Engine) stored(ctx context.Context, at, id string) ([]float32, core.Ord, error) {
	ords, err := e.source.Ordinals(ctx, []string{id})
	if err != nil {
		return nil, core.NoOrd, err
	}
	if ords[0] == core.NoOrd {
		return nil, core.NoOrd, &core.InputError{Pointer: at, Cause: core.ErrNotFound,
			Detail: fmt.Sprintf("there is no document %.80q", id), Hint: "use the id of a stored document"}
	}
	docs, err := e.source.Documents(ctx, ords, true)
	if err != nil {
		return nil, core.NoOrd, err
	}
	if docs[0] == nil {
		return nil, core.NoOrd, fmt.Errorf("document %.80q was deleted meanwhile: %w", id, core.ErrNotFound)
	}
	return docs[0].Vector, ords[0], nil
}

// searchTarget makes the vector of a search: that of a text, a vector as
// given, or that of a stored document.
func (e *Engine) searchTarget(ctx context.Context, r *Request, took *Took) (target, error) {
	switch {
	case r.Text != "":
		if err := checkText("/text", r.Text); err != nil {
			return target{}, err
		}
		vectors, err := e.embed(ctx, []string{r.Text}, took)
		if err != nil {
			return target{}, err
		}
		return target{vector: vectors[0]}, nil
	case r.Vector != nil:
		return target{vector: r.Vector}, nil
	}
	v, ord, err := e.stored(ctx, "/id", r.ID)
	return target{vector: v, made: []core.Ord{ord}}, err
}

// dislikeWeight is how strongly disliked examples push away, beside 1 for the
// liked ones: Rocchio's method with the usual weights 0.75 and 0.15 would
// hardly push at all, while on the few examples that people give an equal
// weight pushes past what they like (Manning, Raghavan and Schütze,
// Introduction to Information Retrieval, chapter 9.1).
const dislikeWeight = 0.5

// exampleTarget makes the vector of a recommendation: the mean direction of
// the liked examples less that of the disliked ones.
func (e *Engine) exampleTarget(ctx context.Context, r *Request, took *Took) (target, error) {
	var t target
	liked, err := e.resolve(ctx, "/like", r.Like, &t.made, took)
	if err != nil {
		return t, err
	}
	disliked, err := e.resolve(ctx, "/dislike", r.Dislike, &t.made, took)
	if err != nil {
		return t, err
	}
	sum := make([]float64, e.dim)
	addMean(sum, liked, 1)
	addMean(sum, disliked, -dislikeWeight)
	t.liked = liked
	t.vector = make([]float32, e.dim)
	var square float64
	for i, x := range sum {
		t.vector[i] = float32(x)
		square += x * x
	}
	if math.Sqrt(square) < 1e-6 {
		return t, core.Invalid("/dislike", "leave some examples out", "the liked and disliked examples cancel each other out")
	}
	return t, nil
}

// resolve returns the examples with their vectors and adds the ordinals of
// stored ones to made.
func (e *Engine) resolve(ctx context.Context, at string, examples []Example, made *[]core.Ord, took *Took) ([]resolved, error) {
	var texts []string
	for _, x := range examples {
		if x.Text != "" {
			texts = append(texts, x.Text)
		}
	}
	vectors, err := e.embed(ctx, texts, took)
	if err != nil {
		return nil, err
	}
	out := make([]resolved, len(examples))
	for i, x := range examples {
		out[i].Example = x
		switch {
		case x.Text != "":
			out[i].vector, vectors = vectors[0], vectors[1:]
		case x.Vector != nil:
			out[i].vector = x.Vector
		default:
			v, ord, err := e.stored(ctx, fmt.Sprintf("%s/%d", at, i), x.ID)
			if err != nil {
				return nil, err
			}
			out[i].vector = v
			*made = append(*made, ord)
		}
	}
	return out, nil
}

// addMean adds the mean of the examples' directions, times weight, to sum.
func addMean(sum []float64, examples []resolved, weight float64) {
	for _, x := range examples {
		scale := weight / float64(len(examples)) / norm(x.vector)
		for i, v := range x.vector {
			sum[i] += scale * float64(v)
		}
	}
}

func norm(v []float32) float64 {
	var square float64
	for _, x := range v {
		square += float64(x) * float64(x)
	}
	return math.Sqrt(square)
}

func cosine(a, b []float32) float32 {
	var dot float64
	for i := range a {
		dot += float64(a[i]) * float64(b[i])
	}
	return float32(dot / norm(a) / norm(b))
}
