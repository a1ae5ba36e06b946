package client

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// The kinds of tasks.
const (
	TaskTrain    = "train"    // the result is a Head, or a Behavior
	TaskEvaluate = "evaluate" // the result is a train.Report
)

// The states of tasks.
const (
	TaskRunning   = "running"
	TaskDone      = "done"
	TaskFailed    = "failed"
	TaskCancelled = "cancelled"
)

// Task is long work that a server does beside requests: what a request leads to
// that asks for it with the header Prefer: respond-async.
type Task struct {
	ID         string    `json:"id"`
	Kind       string    `json:"kind"`
	Collection string    `json:"collection"`
	State      string    `json:"state"`
	Created    time.Time `json:"created"`
	// Ended is missing while it runs.
	Ended *time.Time `json:"ended,omitempty"`
	// Phase is what it does, or did last; Done is how many parts of that are done
	// of Total, 0 where that is not known.
	Phase string `json:"phase"`
	Done  int    `json:"done"`
	Total int    `json:"total"`
	// Rate is how many parts of the phase are done in a second, ETASeconds in how
	// many the phase will end at that rate; missing where nothing tells.
	Rate       float64 `json:"rate,omitempty"`
	ETASeconds float64 `json:"eta_seconds,omitempty"`
	// Result is what the request would have been answered with, once it is done.
	// Lists leave it out.
	Result json.RawMessage `json:"result,omitempty"`
	// Errors tell why it failed.
	Errors []ItemError `json:"errors,omitempty"`
}

// Tasks is the body of the answer to GET /v1/tasks, the latest first.
type Tasks struct {
	Tasks []Task `json:"tasks"`
}

// Err returns nil unless the task failed or was cancelled. It matches the sentinel
// of vecdb that the error's code stands for.
func (t Task) Err() error {
	switch {
	case t.State == TaskFailed && len(t.Errors) > 0:
		e := t.Errors[0]
		return &Error{Problem{Code: e.Code, Detail: e.Detail, Errors: []ProblemField{{Pointer: e.Pointer, Detail: e.Detail, Hint: e.Hint}}}}
	case t.State == TaskCancelled:
		return fmt.Errorf("task %s: %w", t.ID, context.Canceled)
	}
	return nil
}

// StartTrain is Train, or TrainRecommender, as a task.
func (c *Client) StartTrain(ctx context.Context, collection string, r TrainRequest) (Task, error) {
	return c.start(ctx, path("v1", "collections", collection, "train"), r)
}

// StartEvaluate is Evaluate as a task.
func (c *Client) StartEvaluate(ctx context.Context, collection string, r EvaluateRequest) (Task, error) {
	return c.start(ctx, path("v1", "collections", collection, "evaluate"), r)
}

func (c *Client) start(ctx context.Context, target string, in any) (out Task, err error) {
	status, err := c.prefer(ctx, "respond-async", http.MethodPost, target, in, &out)
	if status != 0 && status != http.StatusAccepted {
		return Task{}, fmt.Errorf("POST %s was answered with %d %s, not with a task: the server is an older one", target, status, http.StatusText(status))
	}
	return out, err
}

// Task tells how a task goes, and its result when it is done.
func (c *Client) Task(ctx context.Context, id string) (out Task, err error) {
	_, err = c.call(ctx, http.MethodGet, path("v1", "tasks", id), nil, &out)
	return out, err
}

// Tasks lists the tasks that the server knows, the latest first.
func (c *Client) Tasks(ctx context.Context) ([]Task, error) {
	var out Tasks
	_, err := c.call(ctx, http.MethodGet, path("v1", "tasks"), nil, &out)
	return out.Tasks, err
}

// CancelTask cancels a task and returns what it has come to. One that has ended
// stays as it is.
func (c *Client) CancelTask(ctx context.Context, id string) (out Task, err error) {
	_, err = c.call(ctx, http.MethodDelete, path("v1", "tasks", id), nil, &out)
	return out, err
}

// How often WaitTask asks: seldom once it has waited for a while.
const (
	firstAsk = 20 * time.Millisecond
	mostAsk  = time.Second
)

// WaitTask asks for a task until it has ended, and tells what it hears when told
// is not nil. It does not cancel the task when ctx ends.
func (c *Client) WaitTask(ctx context.Context, id string, told func(Task)) (Task, error) {
	for pause := firstAsk; ; pause = min(2*pause, mostAsk) {
		t, err := c.Task(ctx, id)
		if err != nil {
			return t, err
		}
		if told != nil {
			told(t)
		}
		if t.State != TaskRunning {
			return t, nil
		}
		select {
		case <-ctx.Done():
			return t, ctx.Err()
		case <-time.After(pause):
		}
	}
}
