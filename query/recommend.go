package query

import (
	"context"
	"math"
	"strconv"

	"github.com/vecdb/vecdb/index"
	"github.com/vecdb/vecdb/internal/core"
)

// dislikeWeight is how much the mean of the disliked examples counts beside
// the mean of the liked ones: Rocchio's formula with β = 0.75 and γ = 0.25, as
// in Salton and Buckley, "Improving retrieval performance by relevance
// feedback", JASIS 41 (1990).
const dislikeWeight = 0.25 / 0.75

// Recommend returns the documents that go best with what a user, a session or
// the liked examples like, best first. Where events tell which documents users
// like together, that decides, and the likeness of texts besides; elsewhere it
// returns the documents nearest to the liked examples and away from the disliked
// ones. What the user knows, and examples that are stored documents, are left
// out. An unknown id among the examples gives an error that matches
// core.ErrNotFound; a user of whom nothing is known is no error.
func (e *Engine) Recommend(ctx context.Context, r Request) (Response, error) {
	if err := r.ValidateExamples(e.dim); err != nil {
		return Response{}, err
	}
	if r.ID != "" {
		r.Like, r.ID = append([]Example{{ID: r.ID}}, r.Like...), ""
	}
	return e.respond(ctx, r, e.tastePoint)
}

// example is an example of a request with its vector.
type example struct {
	Example
	pointer string
	vector  []float32
}

// examplePoint makes the query vector of liked and disliked examples.
func (e *Engine) examplePoint(ctx context.Context, r Request, took *Took) (point, error) {
	examples := listExamples(r)
	without, err := e.resolve(ctx, examples, took)
	if err != nil {
		return point{}, err
	}
	if e.dim == 0 {
		return point{nothing: true}, nil
	}
	liked, disliked := examples[:len(r.Like)], examples[len(r.Like):]
	vector := rocchio(liked, disliked, e.dim, e.metric)
	if vector == nil {
		return point{}, core.Invalid(examples[0].pointer, "leave out examples that contradict each other",
			"the examples cancel each other out and leave no direction to look in")
	}
	return point{vector: vector, without: without, liked: liked}, nil
}

// listExamples returns the liked examples of a request, then the disliked ones.
func listExamples(r Request) []example {
	examples := make([]example, 0, len(r.Like)+len(r.Dislike))
	for i, x := range r.Like {
		examples = append(examples, example{Example: x, pointer: "/like/" + strconv.Itoa(i)})
	}
	for i, x := range r.Dislike {
		examples = append(examples, example{Example: x, pointer: "/dislike/" + strconv.Itoa(i)})
	}
	return examples
}

// resolve gives every example its vector, with one call for all texts and one
// for all ids. It returns the ids of those that are stored documents.
func (e *Engine) resolve(ctx context.Context, examples []example, took *Took) ([]string, error) {
	var ids, idPointers, texts []string
	var stored, embedded []*example
	textPointer := ""
	for i := range examples {
		switch x := &examples[i]; {
		case x.ID != "":
			stored, ids, idPointers = append(stored, x), append(ids, x.ID), append(idPointers, x.pointer)
		case x.Text != "":
			if texts == nil {
				textPointer = x.pointer + "/text"
			}
			embedded, texts = append(embedded, x), append(texts, x.Text)
		default:
			x.vector = x.Vector
		}
	}
	if len(ids) > 0 {
		vectors, err := e.stored(ctx, idPointers, ids, took)
		if err != nil {
			return nil, err
		}
		assign(stored, vectors)
	}
	if len(texts) > 0 {
		vectors, err := e.embed(ctx, textPointer, texts, took)
		if err != nil {
			return nil, err
		}
		assign(embedded, vectors)
	}
	return ids, nil
}

func assign(examples []*example, vectors [][]float32) {
	for i, x := range examples {
		x.vector = vectors[i]
	}
}

// rocchio returns the mean of the liked vectors less dislikeWeight times the
// mean of the disliked ones, nil when that is nothing but rounding errors.
//
// For cosine and dot, where a direction is looked for, all vectors count with
// unit length and so does the result. For l2, where a place is looked for, they
// count as they are, and where both kinds are given the sum is divided by
// 1-dislikeWeight: the weights then add up to 1, so the result lies on the line
// from the disliked mean through the liked one, beyond it, wherever the origin
// is.
func rocchio(liked, disliked []example, dim int, metric index.Metric) []float32 {
	sum := make([]float64, dim)
	unit := metric != index.L2
	largest := max(addMean(sum, liked, 1, unit), addMean(sum, disliked, -dislikeWeight, unit))
	scale := 1.0
	if !unit && len(liked) > 0 && len(disliked) > 0 {
		scale = 1 / (1 - dislikeWeight)
	}
	if len(liked) == 0 {
		scale = 1 / dislikeWeight
	}
	length := norm(sum)
	if length <= 1e-6*largest {
		return nil
	}
	if unit {
		scale = 1 / length
	}
	out := make([]float32, dim)
	for i, x := range sum {
		out[i] = float32(x * scale)
	}
	return out
}

// addMean adds weight times the mean of the examples' vectors to sum and
// returns the length of the longest that was added.
func addMean(sum []float64, examples []example, weight float64, unit bool) (longest float64) {
	for _, x := range examples {
		length := norm(x.vector)
		scale := weight / float64(len(examples))
		if unit {
			scale /= length
			length = 1
		}
		longest = max(longest, length)
		for i, v := range x.vector {
			sum[i] += scale * float64(v)
		}
	}
	return longest
}

// norm returns the length of v. Four sums need not wait for each other.
func norm[T float32 | float64](v []T) float64 {
	var a, b, c, d float64
	for ; len(v) >= 4; v = v[4:] {
		a += float64(v[0]) * float64(v[0])
		b += float64(v[1]) * float64(v[1])
		c += float64(v[2]) * float64(v[2])
		d += float64(v[3]) * float64(v[3])
	}
	for _, x := range v {
		a += float64(x) * float64(x)
	}
	return math.Sqrt(a + b + c + d)
}
