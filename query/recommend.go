package query

import (
	"context"
	"time"

	"github.com/vecdb/vecdb/internal/core"
)

// Recommend returns the documents nearest to the liked examples and away from
// the disliked ones. A stored document alone, in ID, is taken as the one liked
// example.
func (e *Engine) Recommend(ctx context.Context, r Request) (Response, error) {
	start := time.Now()
	if r.ID != "" {
		r.Like = append([]Example{{ID: r.ID}}, r.Like...)
	}
	if err := r.validate(e.dim); err != nil {
		return Response{}, err
	}
	if r.Text != "" || r.Vector != nil {
		return Response{}, core.Invalid("", `for instance {"like":["a1",{"text":"…"}]}`, "a recommendation takes texts and vectors as examples")
	}
	if len(r.Like)+len(r.Dislike) == 0 {
		return Response{}, core.Invalid("/like", `for instance {"like":["a1","b2"],"dislike":["c3"]}`, "a recommendation needs at least one example")
	}
	var took Took
	t, err := e.exampleTarget(ctx, &r, &took)
	if err != nil {
		return Response{}, err
	}
	return e.answer(ctx, &r, t, took, start)
}
