package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/vecdb/vecdb/client"
)

// cancelGrace is how long an interrupted command waits for its task to end.
const cancelGrace = 5 * time.Second

// await waits for the end of a task, shows how it goes and decodes its result. When
// ctx ends before, the task is cancelled.
func (a *app) await(ctx context.Context, s *session, t client.Task, result any) error {
	v := taskView{a: a}
	defer v.stop()
	done, err := s.WaitTask(ctx, t.ID, v.show)
	if err != nil {
		if ctx.Err() != nil {
			grace, stop := context.WithTimeout(context.WithoutCancel(ctx), cancelGrace)
			defer stop()
			_, _ = s.CancelTask(grace, t.ID) // a server that cannot be reached goes on
		}
		return err
	}
	if err := done.Err(); err != nil {
		return err
	}
	if err := json.Unmarshal(done.Result, result); err != nil {
		return fmt.Errorf("read the result of task %s: %w", t.ID, err)
	}
	return nil
}

// taskView shows how a task goes, with a meter for each phase.
type taskView struct {
	a     *app
	of    client.Task // when the meter began
	meter *meter
}

func (v *taskView) show(t client.Task) {
	if t.State != client.TaskRunning {
		return
	}
	if v.meter == nil || t.Phase != v.of.Phase || t.Total != v.of.Total {
		v.stop()
		v.of = t
		v.meter = v.a.newMeter(t.Kind, int64(t.Total), func(m *meter) string {
			if t.Total == 0 {
				return t.Phase
			}
			return fmt.Sprintf("%s  %s of %s", t.Phase, count(int(m.done)), count(t.Total))
		})
	}
	v.meter.set(int64(t.Done), t.Done)
}

func (v *taskView) stop() {
	if v.meter != nil {
		v.meter.stop()
	}
}
