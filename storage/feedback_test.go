package storage_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vecdb/vecdb/internal/core"
	"github.com/vecdb/vecdb/storage"
	"github.com/vecdb/vecdb/storage/faulty"
	"github.com/vecdb/vecdb/storage/mem"
)

func feedback(answer, question string, right bool, micros int64) storage.Feedback {
	v := make([]float32, dim)
	v[len(question)%dim] = 1
	return storage.Feedback{Feedback: core.Feedback{Answer: answer, Question: question, Right: right, Time: time.UnixMicro(micros).UTC()}, Vector: v}
}

func say(t testing.TB, c *storage.Collection, list ...storage.Feedback) (fresh int) {
	t.Helper()
	if err := c.CommitFeedback(context.Background(), list, func(f []storage.Feedback) { fresh = len(f) }); err != nil {
		t.Fatal(err)
	}
	return fresh
}

func said(t testing.TB, c *storage.Collection, answer string) (out []string) {
	t.Helper()
	err := c.Feedback(answer, func(f storage.Feedback) error {
		if want := feedback("", f.Question, true, 0).Vector; !slices.Equal(f.Vector, want) {
			t.Errorf("the vector of %q is %v, not %v", f.Question, f.Vector, want)
		}
		out = append(out, fmt.Sprintf("%s/%s %v %d", f.Answer, f.Question, f.Right, f.Time.UnixMicro()))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestFeedbackIsStoredOnceKeptAndDeletedByAnswer(t *testing.T) {
	engine := mem.New()
	s := openStore(t, engine)
	c := create(t, s, "c")
	other := create(t, s, "other")
	if n := say(t, c, feedback("a", "why?", true, 1), feedback("a", "why?", true, 1), feedback("a", "why?", false, 1), feedback("ab", "how\x00?", true, -2)); n != 3 {
		t.Errorf("%d of four were new, not 3", n)
	}
	if n := say(t, c, feedback("a", "why?", true, 1), feedback("a", "why?", true, 2)); n != 1 {
		t.Errorf("%d of two were new, not 1", n)
	}
	say(t, other, feedback("a", "why?", true, 1))
	if got, want := strings.Join(said(t, c, ""), "|"), "a/why? false 1|a/why? true 1|a/why? true 2|ab/how\x00? true -2"; got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	sound(t, s)
	heard := false
	n, err := c.DeleteFeedback(context.Background(), "a", func() { heard = true })
	if err != nil || n != 3 || !heard {
		t.Errorf("deleted %d, told %v: %v", n, heard, err)
	}
	if got := said(t, c, ""); len(got) != 1 || len(said(t, c, "a")) != 0 {
		t.Errorf("left: %q", got)
	}
	if n, err := c.DeleteFeedback(context.Background(), "", func() {}); n != 1 || err != nil {
		t.Errorf("deleted %d of all: %v", n, err)
	}
	if got := said(t, other, "a"); len(got) != 1 {
		t.Errorf("another collection has %q", got)
	}
	sound(t, s)
}

func TestFeedbackThatIsNotWrittenIsNotTold(t *testing.T) {
	e := faulty.New(mem.New())
	s := openStore(t, e)
	c := create(t, s, "c")
	e.FailApply(&faulty.Rule{Nth: 1})
	told := false
	if err := c.CommitFeedback(context.Background(), []storage.Feedback{feedback("a", "why?", true, 1)}, func([]storage.Feedback) { told = true }); err == nil || told {
		t.Errorf("err %v, told %v", err, told)
	}
	if got := said(t, c, ""); got != nil {
		t.Errorf("stored all the same: %q", got)
	}
}
