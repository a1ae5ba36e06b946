package server

import (
	"context"
	"log/slog"
	"testing"

	"github.com/vecdb/vecdb/train"
)

func TestTheTasksThatEndedFirstAreForgotten(t *testing.T) {
	ts := &tasks{logger: slog.New(slog.DiscardHandler)}
	begin := func(do work) *task {
		t.Helper()
		begun, err := ts.start("train", "c", do)
		if err != nil {
			t.Fatal(err)
		}
		got, err := ts.find(begun.ID)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	quick := func() *task {
		t.Helper()
		got := begin(func(context.Context, train.Progress) (any, error) { return 1, nil })
		<-got.ended
		return got
	}
	wait := make(chan struct{})
	long := begin(func(context.Context, train.Progress) (any, error) { <-wait; return 1, nil })
	first := quick()
	for range keptTasks - 1 {
		quick()
	}
	close(wait)
	<-long.ended
	for range keptTasks - 1 {
		if _, err := ts.find(long.ID); err != nil {
			t.Fatalf("a task is forgotten before those that ended earlier: %v", err)
		}
		quick()
	}
	for _, old := range []*task{first, long} {
		if _, err := ts.find(old.ID); (err == nil) != (old == long) {
			t.Errorf("of the first and the last but %d: %v", keptTasks-1, err)
		}
	}
	if quick(); len(ts.list) != keptTasks || len(ts.past) != keptTasks {
		t.Errorf("%d tasks are kept, %d as past", len(ts.list), len(ts.past))
	}
	if _, err := ts.find(long.ID); err == nil {
		t.Error("more tasks are kept than may be")
	}
	ts.stop()
	ts.running.Wait()
}
