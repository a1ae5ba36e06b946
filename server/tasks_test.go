package server_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vecdb/vecdb"
	"github.com/vecdb/vecdb/client"
	"github.com/vecdb/vecdb/server"
	"github.com/vecdb/vecdb/train"
)

// labelled stores n documents with one of two labels, which words tell.
func (r *rig) labelled(n int) {
	r.Helper()
	var lines strings.Builder
	for i := range n {
		word, label := "waves", "sea"
		if i%2 == 1 {
			word, label = "soldiers", "war"
		}
		fmt.Fprintf(&lines, `{"id":"n%d","text":"%s of number %d","label":"%s","odd":"x"}`+"\n", i, word, i%19, label)
	}
	r.want(200, "POST", "/v1/collections/films/documents?wait=indexed", lines.String(), "Content-Type", "application/x-ndjson")
}

func (r *rig) client() *client.Client {
	r.Helper()
	c, err := client.New(r.url, client.Options{Key: r.key})
	if err != nil {
		r.Fatal(err)
	}
	return c
}

func TestTasksDoWhatRequestsDo(t *testing.T) {
	const c = "/v1/collections/films"
	r := newRig(t, server.Options{})
	r.want(201, "PUT", c, "")
	r.labelled(60)
	got := r.want(202, "POST", c+"/train", "", "Prefer", "wait=5, Respond-Async ; x=1")
	begun := read[client.Task](t, got)
	if begun.State != client.TaskRunning || begun.Kind != client.TaskTrain || begun.Collection != "films" ||
		got.Header.Get("Location") != "/v1/tasks/"+begun.ID || got.Header.Get("Preference-Applied") != "respond-async" {
		t.Errorf("begun: %+v, %v", begun, got.Header)
	}
	cl := r.client()
	seen := make(map[string]bool)
	done, err := cl.WaitTask(t.Context(), begun.ID, func(task client.Task) { seen[task.State] = true })
	if err != nil || done.State != client.TaskDone || done.Err() != nil || done.Ended == nil || !seen[client.TaskDone] {
		t.Fatalf("trained: %+v, %v", done, err)
	}
	if done.Phase != train.Fit && done.Phase != vecdb.PhaseWait { // where it was learnt in the background meanwhile
		t.Errorf("the last phase is %s", done.Phase)
	}
	var h client.Head
	if err := json.Unmarshal(done.Result, &h); err != nil || h.LabelField != "label" || h.Version != 1 || h.Examples != 60 {
		t.Errorf("the head %+v, %v", h, err)
	}
	if now := read[client.Head](t, r.want(200, "POST", c+"/train", "")); now.Version != 1 {
		t.Errorf("nothing has changed, yet there is version %d", now.Version)
	}

	// A task evaluates to what a request does.
	e := client.EvaluateRequest{Folds: 3, Method: "linear"}
	task, err := cl.StartEvaluate(t.Context(), "films", e)
	if err != nil {
		t.Fatal(err)
	}
	if task, err = cl.WaitTask(t.Context(), task.ID, nil); err != nil || task.Phase != "evaluate" || task.Done != 3 || task.Total != 3 || task.Kind != client.TaskEvaluate {
		t.Errorf("evaluated: %+v, %v", task, err)
	}
	want, err := cl.Evaluate(t.Context(), "films", e)
	if err != nil {
		t.Fatal(err)
	}
	var report train.Report
	if err := json.Unmarshal(task.Result, &report); err != nil || report.Accuracy != want.Accuracy || report.Examples != want.Examples || report.LogLoss != want.LogLoss {
		t.Errorf("the task reports %+v, the request %+v (%v)", report, want, err)
	}

	// The recommender is trained by a task too, and fails without events.
	if task, err = cl.StartTrain(t.Context(), "films", client.TrainRequest{Kind: client.KindRecommender}); err != nil {
		t.Fatal(err)
	}
	if task, err = cl.WaitTask(t.Context(), task.ID, nil); err != nil || task.State != client.TaskFailed || !errors.Is(task.Err(), vecdb.ErrInvalid) {
		t.Errorf("without events: %+v, %v", task, err)
	}
	list, err := cl.Tasks(t.Context())
	if err != nil || len(list) != 3 || list[0].ID != task.ID || list[2].ID != begun.ID || list[2].Result != nil {
		t.Errorf("tasks: %+v, %v", list, err)
	}
}

func TestTasksThatCannotBe(t *testing.T) {
	const c = "/v1/collections/films"
	r := stocked(t, server.Options{})
	r.labelled(60)
	async := []string{"Prefer", "respond-async"}
	r.want(400, "POST", c+"/train", `{"kind":"rocket"}`, async...)
	r.want(400, "POST", c+"/evaluate", `{"folds":1}`, async...)
	r.want(404, "POST", "/v1/collections/nothing/train", "", async...)
	for _, prefer := range []string{"", "respond-sync", "x=respond-async", "respond-asynchronously"} {
		if got := r.want(200, "POST", c+"/train", "", "Prefer", prefer); got.Header.Get("Location") != "" {
			t.Errorf("%q makes a task", prefer)
		}
	}
	if got := r.want(404, "GET", "/v1/tasks/none", ""); read[client.Problem](t, got).Code != client.CodeNotFound {
		t.Errorf("no task: %s", got.body)
	}
	r.want(404, "DELETE", "/v1/tasks/none", "")
	if got := string(r.want(200, "GET", "/v1/tasks", "").body); got != `{"tasks":[]}`+"\n" {
		t.Errorf("no tasks: %s", got)
	}
	// What only the work finds out is told by the task.
	cl := r.client()
	for field, code := range map[string]string{"odd": client.CodeInvalid, "lable": client.CodeInvalid, "id": client.CodeInvalid} {
		task, err := cl.StartTrain(t.Context(), "films", client.TrainRequest{LabelField: field})
		if err != nil {
			t.Fatal(err)
		}
		task, err = cl.WaitTask(t.Context(), task.ID, nil)
		if err != nil || task.State != client.TaskFailed || len(task.Errors) != 1 || task.Errors[0].Code != code || task.Errors[0].Pointer != "/label_field" || task.Result != nil {
			t.Errorf("labels in %s: %+v, %v", field, task, err)
		}
	}
}

// long starts evaluations that take minutes.
func long(t *testing.T, c *client.Client) (client.Task, error) {
	t.Helper()
	return c.StartEvaluate(t.Context(), "films", client.EvaluateRequest{Folds: 100})
}

func TestTasksAreCancelledAndBounded(t *testing.T) {
	r := stocked(t, server.Options{})
	r.labelled(1000)
	c := r.client()
	var running []client.Task
	for {
		task, err := long(t, c)
		if err != nil {
			var refused *client.Error
			if !errors.As(err, &refused) || refused.Problem.Code != client.CodeBusy || refused.Problem.Status != http.StatusTooManyRequests {
				t.Fatalf("one too many: %v", err)
			}
			break
		}
		if running = append(running, task); len(running) > 20 {
			t.Fatal("tasks have no bound")
		}
	}
	if len(running) != 4 {
		t.Errorf("%d tasks run at once", len(running))
	}
	for _, task := range running[1:] {
		got, err := c.CancelTask(t.Context(), task.ID)
		if err != nil || got.State != client.TaskCancelled || got.Ended == nil || !errors.Is(got.Err(), context.Canceled) {
			t.Errorf("cancelled: %+v, %v", got, err)
		}
	}
	if got, err := c.Task(t.Context(), running[0].ID); err != nil || got.State != client.TaskRunning {
		t.Errorf("the one that was not cancelled: %+v, %v", got, err)
	}
	// There is room again, and progress is told.
	told := 0.0
	if _, err := long(t, c); err != nil {
		t.Error(err)
	}
	waited, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	_, err := c.WaitTask(waited, running[0].ID, func(task client.Task) {
		if task.Done > 0 && task.Total == 100 && task.Phase == "evaluate" && task.ETASeconds > 0 {
			told = task.Rate
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) || told <= 0 {
		t.Errorf("the rate told was %v (%v)", told, err)
	}
	if got, err := c.CancelTask(t.Context(), running[0].ID); err != nil || got.State != client.TaskCancelled {
		t.Errorf("cancelled: %+v, %v", got, err)
	}
	if got, err := c.CancelTask(t.Context(), running[0].ID); err != nil || got.State != client.TaskCancelled {
		t.Errorf("cancelled again: %+v, %v", got, err)
	}
	// The last one is cancelled by the end of the server.
}

func TestTasksEndWithTheirCollection(t *testing.T) {
	r := stocked(t, server.Options{})
	r.labelled(1000)
	c := r.client()
	task, err := long(t, c)
	if err != nil {
		t.Fatal(err)
	}
	r.want(204, "DELETE", "/v1/collections/films", "")
	task, err = c.WaitTask(t.Context(), task.ID, nil)
	if err != nil || task.State != client.TaskFailed || len(task.Errors) != 1 || task.Errors[0].Code != client.CodeNotFound {
		t.Errorf("the collection is gone, and the task is %+v, %v", task, err)
	}
}

func TestACancelledTrainingLeavesTheHead(t *testing.T) {
	r := stocked(t, server.Options{})
	r.labelled(3000)
	c := r.client()
	first, err := c.Train(t.Context(), "films", client.TrainRequest{})
	if err != nil {
		t.Fatal(err)
	}
	r.want(200, "POST", "/v1/collections/films/documents?wait=indexed", `{"id":"new","text":"waves","label":"sea"}`)
	task, err := c.StartTrain(t.Context(), "films", client.TrainRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if task, err = c.CancelTask(t.Context(), task.ID); err != nil {
		t.Fatal(err)
	}
	version := first.Version
	if task.State == client.TaskDone {
		version++ // it was quicker
	}
	st, err := c.Stats(t.Context(), "films")
	if err != nil || st.Heads[0].Version != version || task.State == client.TaskFailed || task.State == client.TaskRunning {
		t.Errorf("after %s there is %+v, %v", task.State, st.Heads, err)
	}
	if now, err := c.Train(t.Context(), "films", client.TrainRequest{}); err != nil || now.Pending || now.Examples != first.Examples+1 {
		t.Errorf("trained again: %+v, %v", now, err)
	}
}

func TestOldTasksAreForgotten(t *testing.T) {
	r := stocked(t, server.Options{})
	c := r.client()
	var all []string
	for range 110 {
		task, err := c.StartTrain(t.Context(), "films", client.TrainRequest{LabelField: "lable"}) // which fails at once
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.WaitTask(t.Context(), task.ID, nil); err != nil {
			t.Fatal(err)
		}
		all = append(all, task.ID)
	}
	list, err := c.Tasks(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var kept []string
	for _, task := range slices.Backward(list) {
		kept = append(kept, task.ID)
	}
	if !slices.Equal(kept, all[10:]) {
		t.Errorf("%d of %d tasks are kept", len(kept), len(all))
	}
	if _, err := c.Task(t.Context(), all[0]); !errors.Is(err, vecdb.ErrNotFound) {
		t.Errorf("the first one: %v", err)
	}
}

func TestShutdownCancelsTasks(t *testing.T) {
	r := stocked(t, server.Options{})
	r.labelled(1000)
	s := server.New(r.db, server.Options{})
	addr, stop, done := served(t, s)
	c, err := client.New("http://"+addr, client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	task, err := long(t, c)
	if err != nil {
		t.Fatal(err)
	}
	stop()
	if err := <-done; err != nil { // long before the task would end
		t.Errorf("Serve: %v", err)
	}
	inside, err := client.New("http://localhost", client.Options{Transport: server.InProcess(s.Handler())})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := inside.Task(t.Context(), task.ID); err != nil || got.State != client.TaskCancelled {
		t.Errorf("after the shutdown: %+v, %v", got, err)
	}
	if _, err := long(t, inside); !errors.Is(err, vecdb.ErrClosed) {
		t.Errorf("a task after the shutdown: %v", err)
	}
}
