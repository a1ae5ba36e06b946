package server

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/vecdb/vecdb"
	"github.com/vecdb/vecdb/client"
	"github.com/vecdb/vecdb/internal/core"
	"github.com/vecdb/vecdb/train"
)

// What is kept of tasks: so many run at once, so many that have ended are
// remembered, and so many bytes of their results.
const (
	maxRunning  = 4
	keptTasks   = 100
	keptResults = 64 << 20
)

// errManyTasks tells that as many tasks run as may.
var errManyTasks = errors.New("too many tasks run")

// work is what a task does, or a request that waits for it. The result is what is
// replied with.
type work func(ctx context.Context, tell train.Progress) (any, error)

// perform does work and replies with its result; where the request prefers that,
// it replies with a task that does the work.
func (s *Server) perform(c *gin.Context, col *vecdb.Collection, kind string, do work) {
	if !prefersAsync(c.Request.Header) {
		result, err := do(c.Request.Context(), nil)
		if err != nil {
			s.fail(c, err)
			return
		}
		reply(c, http.StatusOK, result)
		return
	}
	t, err := s.tasks.start(kind, col.Name(), do)
	switch {
	case errors.Is(err, errManyTasks):
		c.Header("Retry-After", "10")
		s.refuse(c, http.StatusTooManyRequests, client.CodeBusy, fmt.Sprintf("%d tasks run already", maxRunning), "wait until one has ended, or cancel one with DELETE /v1/tasks/{id}")
	case err != nil:
		s.fail(c, err)
	default:
		c.Header("Preference-Applied", "respond-async")
		c.Header("Location", "/v1/tasks/"+t.ID)
		reply(c, http.StatusAccepted, t)
	}
}

// prefersAsync tells whether a request asks for a task (RFC 7240).
func prefersAsync(h http.Header) bool {
	for _, line := range h.Values("Prefer") {
		for p := range strings.SplitSeq(line, ",") {
			name, _, _ := strings.Cut(p, ";")
			if strings.EqualFold(strings.TrimSpace(name), "respond-async") {
				return true
			}
		}
	}
	return false
}

// tasks are what is done beside requests. The zero value is ready to use but for
// its logger.
type tasks struct {
	logger  *slog.Logger
	running sync.WaitGroup

	mu     sync.Mutex // guards the rest, and all tasks
	list   []*task    // in the order of their start
	past   []*task    // those that have ended, in that order
	closed bool
}

type task struct {
	client.Task
	phaseSince time.Time
	cancel     context.CancelFunc
	ended      chan struct{} // closed when it has ended
}

// start starts a task. The error matches core.ErrClosed when the server is on its
// way out, or errManyTasks.
func (ts *tasks) start(kind, collection string, do work) (client.Task, error) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	if ts.closed {
		return client.Task{}, core.ErrClosed
	}
	if len(ts.list)-len(ts.past) >= maxRunning {
		return client.Task{}, errManyTasks
	}
	ctx, cancel := context.WithCancel(context.Background())
	now := time.Now()
	t := &task{phaseSince: now, cancel: cancel, ended: make(chan struct{}), Task: client.Task{ID: rand.Text(), Kind: kind, Collection: collection,
		State: client.TaskRunning, Phase: vecdb.PhaseWait, Created: now.UTC().Truncate(time.Millisecond)}}
	ts.list = append(ts.list, t)
	ts.running.Go(func() { ts.run(ctx, t, do) })
	return t.Task, nil
}

// run does the work of a task and books what came of it.
func (ts *tasks) run(ctx context.Context, t *task, do work) {
	defer close(t.ended)
	defer t.cancel()
	result, err := ts.guarded(ctx, t, do)
	var body json.RawMessage
	if err == nil {
		body, err = json.Marshal(result)
	}
	cancelled := err != nil && ctx.Err() != nil
	if status, _ := classify(err); err != nil && !cancelled && status >= http.StatusInternalServerError {
		ts.logger.Error("task failed", "kind", t.Kind, "collection", t.Collection, "error", err)
	}
	ts.mu.Lock()
	defer ts.mu.Unlock()
	now := time.Now().UTC().Truncate(time.Millisecond)
	t.Ended = &now
	switch {
	case cancelled:
		t.State = client.TaskCancelled
	case err != nil:
		t.State, t.Errors = client.TaskFailed, []client.ItemError{*itemError(err)}
	default:
		t.State, t.Result = client.TaskDone, body
	}
	ts.past = append(ts.past, t)
	ts.forget()
}

// guarded does the work and turns a panic into an error.
func (ts *tasks) guarded(ctx context.Context, t *task, do work) (result any, err error) {
	defer func() {
		if p := recover(); p != nil {
			ts.logger.Error("task panicked", "kind", t.Kind, "panic", p, "stack", string(debug.Stack()))
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return do(ctx, func(phase string, done, total int) {
		ts.mu.Lock()
		defer ts.mu.Unlock()
		if phase != t.Phase {
			t.phaseSince = time.Now()
		}
		t.Phase, t.Done, t.Total = phase, done, total
	})
}

// forget drops the tasks that ended first, as far as there are too many, but not
// the latest.
func (ts *tasks) forget() {
	bytes := 0
	for i, t := range slices.Backward(ts.past) {
		ended := len(ts.past) - i
		if bytes += len(t.Result); ended > 1 && (ended > keptTasks || bytes > keptResults) {
			old := ts.past[:i+1]
			ts.list = slices.DeleteFunc(ts.list, func(t *task) bool { return slices.Contains(old, t) })
			ts.past = slices.Delete(ts.past, 0, i+1)
			return
		}
	}
}

// stop cancels all tasks and takes no more.
func (ts *tasks) stop() {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	ts.closed = true
	for _, t := range ts.list {
		t.cancel()
	}
}

// find returns a task, or an error that matches core.ErrNotFound.
func (ts *tasks) find(id string) (*task, error) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	i := slices.IndexFunc(ts.list, func(t *task) bool { return t.ID == id })
	if i < 0 {
		return nil, &core.InputError{Cause: core.ErrNotFound, Detail: fmt.Sprintf("there is no task %.80q", id),
			Hint: fmt.Sprintf("the last %d tasks are kept, until the server stops", keptTasks)}
	}
	return ts.list[i], nil
}

// view tells how a task goes now.
func (ts *tasks) view(t *task) client.Task {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	out := t.Task
	if seconds := time.Since(t.phaseSince).Seconds(); out.State == client.TaskRunning && out.Done > 0 && seconds > 0 {
		out.Rate = float64(out.Done) / seconds
		out.ETASeconds = max(0, float64(out.Total-out.Done)) / out.Rate
	}
	return out
}

func (s *Server) listTasks(c *gin.Context) {
	s.tasks.mu.Lock()
	list := slices.Clone(s.tasks.list)
	s.tasks.mu.Unlock()
	out := client.Tasks{Tasks: make([]client.Task, len(list))}
	for i, t := range list {
		view := s.tasks.view(t)
		view.Result = nil
		out.Tasks[len(list)-1-i] = view
	}
	reply(c, http.StatusOK, out)
}

func (s *Server) getTask(c *gin.Context) {
	t, err := s.tasks.find(c.Param("id"))
	if err != nil {
		s.fail(c, err)
		return
	}
	reply(c, http.StatusOK, s.tasks.view(t))
}

// cancelTask cancels a task and replies when it has ended.
func (s *Server) cancelTask(c *gin.Context) {
	t, err := s.tasks.find(c.Param("id"))
	if err != nil {
		s.fail(c, err)
		return
	}
	t.cancel()
	select {
	case <-t.ended:
	case <-c.Request.Context().Done():
	}
	reply(c, http.StatusOK, s.tasks.view(t))
}
