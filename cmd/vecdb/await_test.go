package main

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/vecdb/vecdb/client"
)

func TestATaskIsShownPhaseByPhase(t *testing.T) {
	a, _ := plainApp("80")
	v := taskView{a: a}
	for _, step := range []struct {
		task client.Task
		want string
	}{
		{client.Task{State: client.TaskRunning, Phase: "wait"}, "wait"},
		{client.Task{State: client.TaskRunning, Phase: "compare", Total: 1000, Done: 300}, " 30 %  compare  300 of 1,000"},
		{client.Task{State: client.TaskRunning, Phase: "compare", Total: 1000, Done: 500}, " 50 %  compare  500 of 1,000"},
		{client.Task{State: client.TaskRunning, Phase: "fit", Total: 1}, "  0 %  fit  0 of 1"},
		{client.Task{State: client.TaskDone, Phase: "fit", Total: 1, Done: 1}, "  0 %  fit  0 of 1"},
	} {
		v.show(step.task)
		if got := v.meter.line(); !strings.HasPrefix(got, step.want) {
			t.Errorf("%+v is shown as %q, want %q", step.task, got, step.want)
		}
	}
	v.stop()
}

func TestAnInterruptedCommandCancelsItsTask(t *testing.T) {
	ctx, interrupt := context.WithCancel(t.Context())
	var cancelled atomic.Bool
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodDelete && r.URL.Path == "/v1/tasks/7" {
			cancelled.Store(true)
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(client.Task{ID: "7", State: client.TaskRunning}) // a client that went away
		interrupt()
	}))
	defer web.Close()
	c, err := client.New(web.URL, client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	a, _ := plainApp("80")
	if err := a.await(ctx, &session{Client: c}, client.Task{ID: "7"}, nil); !errors.Is(err, context.Canceled) || !cancelled.Load() {
		t.Errorf("error %v, cancelled: %v", err, cancelled.Load())
	}
}
