package vecdb_test

import (
	"context"
	"errors"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/vecdb/vecdb"
)

// lengthy are the calls that wait for their turn and take long.
func lengthy() map[string]func(context.Context, *vecdb.Collection) error {
	return map[string]func(context.Context, *vecdb.Collection) error{
		"train": func(ctx context.Context, c *vecdb.Collection) error {
			_, err := c.Train(ctx, "")
			return err
		},
		"train the recommender": func(ctx context.Context, c *vecdb.Collection) error {
			_, err := c.TrainRecommender(ctx)
			return err
		},
		"calibrate": func(ctx context.Context, c *vecdb.Collection) error {
			_, err := c.Answer(ctx, vecdb.AnswerRequest{Request: vecdb.Request{Text: "dreadful"}, AnswerField: "label"})
			return err
		},
		"upsert": func(ctx context.Context, c *vecdb.Collection) error {
			_, err := c.Upsert(ctx, reviews(0, 1), vecdb.WaitTrained)
			return err
		},
		"tune": func(ctx context.Context, c *vecdb.Collection) error { return c.Tune(ctx) },
	}
}

func TestWhoWaitsForATurnHeedsTheContext(t *testing.T) {
	c := collection(t, open(t, "", vecdb.Options{InMemory: true}), "reviews", vecdb.CollectionOptions{})
	upsert(t, c, reviews(0, 40)...)
	defer vecdb.Busy(t, c)()
	for name, call := range lengthy() {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		if err := call(ctx, c); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v", name, err)
		}
		cancel()
	}
}

// TestWhatTakesLongEndsWithTheCollection drops a collection, and closes a database,
// while calls wait for their turn.
func TestWhatTakesLongEndsWithTheCollection(t *testing.T) {
	for name, end := range map[string]struct {
		do   func(context.Context, *vecdb.DB) error
		want error
	}{
		"dropped": {func(ctx context.Context, db *vecdb.DB) error { return db.DropCollection(ctx, "reviews") }, vecdb.ErrNotFound},
		"closed":  {func(_ context.Context, db *vecdb.DB) error { return db.Close() }, vecdb.ErrClosed},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			db := open(t, dir, vecdb.Options{})
			c := collection(t, db, "reviews", vecdb.CollectionOptions{})
			upsert(t, c, reviews(0, 40)...)
			defer vecdb.Busy(t, c)()
			var calls sync.WaitGroup
			for what, call := range lengthy() {
				calls.Go(func() {
					if err := call(t.Context(), c); !errors.Is(err, end.want) {
						t.Errorf("%s: %v", what, err)
					}
				})
			}
			if err := end.do(t.Context(), db); err != nil {
				t.Error(err)
			}
			calls.Wait()
			if left, err := filepath.Glob(filepath.Join(dir, "index", "*")); err != nil || name == "dropped" && len(left) > 0 {
				t.Errorf("left lies %v, %v", left, err)
			}
		})
	}
}
