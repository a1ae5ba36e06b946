package embedder_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/vecdb/vecdb/embedder"
	"github.com/vecdb/vecdb/internal/core"
)

var errBroken = errors.New("the model broke")

// breaksOn returns a hook that fails on batches with the given word.
func breaksOn(word string) func(embedder.Batch) error {
	return func(b embedder.Batch) error {
		if slices.Contains(b.IDs, wordID(word)) {
			return errBroken
		}
		return nil
	}
}

func TestErrorReachesOnlyTheCallsOfItsBatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &model{gate: make(chan struct{}), hook: breaksOn("bad")}
		e := newEncoder(t, nil, m)
		before := start(t.Context(), e, embedder.Passage, []string{"a"})
		broken := start(t.Context(), e, embedder.Passage, numbered("bad", 100, 3))
		after := start(t.Context(), e, embedder.Passage, []string{"c"})
		close(m.gate)
		synctest.Wait()
		if !errors.Is(broken.err, errBroken) || broken.res.Vectors != nil {
			t.Errorf("the broken call gives %v and %d vectors", broken.err, len(broken.res.Vectors))
		}
		for name, a := range map[string]*answer{"before": before, "after": after} {
			if !a.done || a.err != nil {
				t.Errorf("the call %s is done: %v, %v", name, a.done, a.err)
			}
		}
		if got, want := firstWords(m.ran(), "a", "bad", "c"), "a1 bad32 c1"; got != want {
			t.Errorf("batches ran as %s, want %s: the rest of a broken call is of no use", got, want)
		}
	})
}

func TestErrorOfABatchReachesItsOwnCallAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &model{gate: make(chan struct{}), hook: breaksOn("bad")}
		e := newEncoder(t, nil, m)
		start(t.Context(), e, embedder.Passage, []string{"p"})
		good := start(t.Context(), e, embedder.Query, []string{"q", "r"})
		bad := start(t.Context(), e, embedder.Query, []string{"bad", "s"})
		also := start(t.Context(), e, embedder.Query, []string{"t"})
		close(m.gate)
		synctest.Wait()
		if !errors.Is(bad.err, errBroken) {
			t.Errorf("the query that breaks the model gives %v", bad.err)
		}
		for _, a := range []*answer{good, also} {
			if !a.done || a.err != nil {
				t.Errorf("a query of the same batch is done: %v, %v", a.done, a.err)
			}
		}
		if got, want := firstWords(m.ran(), "p", "q", "bad", "t"), "p1 q5 q2 bad3 bad2 t1"; got != want {
			t.Errorf("batches ran as %s, want %s", got, want)
		}
	})
}

func TestBadRuntimesGiveErrors(t *testing.T) {
	for _, tc := range []struct {
		name      string
		m         *model
		is        error
		complaint string
	}{
		{"panic", &model{hook: func(embedder.Batch) error { panic("out of range") }}, nil, "panicked: out of range"},
		{"wrong width", &model{width: 16}, core.ErrDimension, "vectors of 16 numbers, its manifest says 32"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			e := newEncoder(t, nil, tc.m)
			_, err := e.Embed(t.Context(), embedder.Passage, []string{"a"})
			if err == nil || !strings.Contains(err.Error(), tc.complaint) || tc.is != nil && !errors.Is(err, tc.is) {
				t.Errorf("got error %v, want one with %q", err, tc.complaint)
			}
		})
	}
}

func TestCloseWaitsForCallsUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gate := make(chan struct{})
		models := []*model{{gate: gate}, {gate: gate}}
		e := newEncoder(t, nil, models...)
		passages := start(t.Context(), e, embedder.Passage, numbered("p", 100, 3))
		closed := false
		go func() {
			if err := e.Close(); err != nil {
				t.Errorf("close: %v", err)
			}
			closed = true
		}()
		synctest.Wait()
		if closed || models[0].closed+models[1].closed != 0 {
			t.Error("the encoder closed with a call under way")
		}
		if late := start(t.Context(), e, embedder.Query, []string{"q"}); !errors.Is(late.err, core.ErrClosed) {
			t.Errorf("a call after Close gives %v, want ErrClosed", late.err)
		}
		close(gate)
		synctest.Wait()
		if !closed || !passages.done || passages.err != nil {
			t.Errorf("closed: %v, the call is done: %v, %v", closed, passages.done, passages.err)
		}
		if err := e.Close(); err != nil {
			t.Errorf("closing twice: %v", err)
		}
		for i, m := range models {
			if m.closed != 1 {
				t.Errorf("runtime %d was closed %d times", i, m.closed)
			}
		}
	})
}

func TestCloseReportsTheRuntimesErrors(t *testing.T) {
	first, second := errors.New("first"), errors.New("second")
	e, err := embedder.NewEncoder(embedder.EncoderConfig{Tokenizer: words{}, Dim: dim, MaxTokens: 64, Pooling: embedder.PoolMean,
		Runtimes: []embedder.Runtime{&model{closeErr: first}, &model{closeErr: second}}})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Close(); !errors.Is(err, first) || !errors.Is(err, second) {
		t.Errorf("got %v, want both errors", err)
	}
}
