package vecdb

import (
	"context"
	"errors"
	"log/slog"

	"github.com/vecdb/vecdb/internal/core"
	"github.com/vecdb/vecdb/storage"
)

// turn lets one at a time do something that takes long.
type turn chan struct{}

func newTurn() turn { return make(turn, 1) }

// take waits until nobody has the turn. The caller gives it back by release.
func (t turn) take(ctx context.Context) (release func(), err error) {
	select {
	case t <- struct{}{}:
		return func() { <-t }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// tellFailure logs an error of work in the background, without which the
// collection goes on, unless it came from the end of the collection or of the
// time for the work.
func tellFailure(to *slog.Logger, what string, err error) {
	for _, end := range []error{context.Canceled, context.DeadlineExceeded, core.ErrClosed, core.ErrNotFound} {
		if errors.Is(err, end) {
			return
		}
	}
	if err != nil {
		to.Warn(what, "error", err)
	}
}

// vectorsOf reads the vectors of documents, nil for those that are gone.
func vectorsOf(stored *storage.Collection, ords []core.Ord) ([][]float32, error) {
	docs, err := stored.Documents(ords, true)
	if err != nil {
		return nil, err
	}
	out := make([][]float32, len(docs))
	for i, doc := range docs {
		if doc != nil {
			out[i] = doc.Vector
		}
	}
	return out, nil
}

// searched reads the vectors under ordinals of the index, nil for those that are
// gone.
func (a *applier) searched(ords []core.Ord) ([][]float32, error) {
	out, err := vectorsOf(a.stored, ords)
	for i := 0; i < len(ords) && err == nil; i++ {
		if out[i] == nil && a.parts.Owner(ords[i]) != ords[i] {
			out[i], err = a.stored.PassageVector(ords[i])
		}
	}
	return out, err
}
