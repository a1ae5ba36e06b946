package embedder_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vecdb/vecdb/embedder"
)

// numbered returns n different texts that begin with name, of the given
// number of words.
func numbered(name string, n, words int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = name + strings.Repeat(fmt.Sprint(" ", i), words-1)
	}
	return out
}

// answer is what a call of Embed returned; nothing while it is under way.
type answer struct {
	done bool
	res  embedder.Result
	err  error
}

// start calls Embed in a goroutine of its own. The answer may be read when
// synctest.Wait has returned.
func start(ctx context.Context, e *embedder.Encoder, kind embedder.Kind, texts []string) *answer {
	a := new(answer)
	go func() {
		a.res, a.err = e.Embed(ctx, kind, texts)
		a.done = true
	}()
	synctest.Wait()
	return a
}

// firstWords tells for each batch which of the given words its first text
// begins with, and how many texts it has: "a32 b1".
func firstWords(batches []embedder.Batch, words ...string) string {
	var out []string
	for _, b := range batches {
		i := slices.IndexFunc(words, func(w string) bool { return wordID(w) == b.IDs[1] })
		out = append(out, fmt.Sprint(words[i], len(b.Lengths)))
	}
	return strings.Join(out, " ")
}

func TestBatchesAreOfLikeLengthAndAnswersInOrder(t *testing.T) {
	m := new(model)
	e := newEncoder(t, func(c *embedder.EncoderConfig) { c.MaxTokens = 5000 }, m)
	var texts []string
	for i := range 100 {
		texts = append(texts, numbered("t", 101, 1+i*37%200)[i])
	}
	texts = append(texts, strings.Repeat("long ", 4900))
	r, err := e.Embed(t.Context(), embedder.Passage, texts)
	if err != nil {
		t.Fatal(err)
	}
	for i, text := range texts {
		if !near(r.Vectors[i], vectorOf(tokens(text), embedder.PoolMean)) {
			t.Errorf("text %d of %d tokens has another's vector", i, r.Usage[i].Total)
		}
	}
	var lengths []int
	for _, b := range m.ran() {
		lengths = append(lengths, b.Lengths...)
		if n := len(b.Lengths); n > 32 || n > 1 && n*slices.Max(b.Lengths) > 2048 {
			t.Errorf("a batch has %d texts of up to %d tokens", n, slices.Max(b.Lengths))
		}
	}
	slices.Reverse(lengths)
	if !slices.IsSorted(lengths) {
		t.Errorf("the batches are not sorted by length, longest first: %v from the end", lengths)
	}
}

func TestQueriesOvertakePassages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &model{gate: make(chan struct{})}
		e := newEncoder(t, nil, m)
		passages := start(t.Context(), e, embedder.Passage, numbered("p", 100, 3))
		query := start(t.Context(), e, embedder.Query, []string{"q"})
		m.gate <- struct{}{} // the batch of passages that was under way
		m.gate <- struct{}{}
		synctest.Wait()
		if !query.done || query.err != nil || passages.done {
			t.Errorf("after two batches the query is done: %v (%v), the passages: %v", query.done, query.err, passages.done)
		}
		close(m.gate)
		synctest.Wait()
		if !passages.done || passages.err != nil {
			t.Errorf("the passages are done: %v, %v", passages.done, passages.err)
		}
		if got, want := firstWords(m.ran(), "p", "q"), "p32 q1 p32 p32 p4"; got != want {
			t.Errorf("batches ran as %s, want %s", got, want)
		}
	})
}

func TestQueriesThatWaitRunTogether(t *testing.T) {
	for _, tc := range []struct {
		name  string
		texts []string
		want  string
	}{
		{"all that fit", numbered("q", 5, 3), "p1 q5"},
		{"up to the count of texts", numbered("q", 40, 3), "p1 q32 q8"},
		{"up to the count of tokens", numbered("q", 6, 998), "p1 q2 q2 q2"},
		{"a long one alone", numbered("q", 2, 4998), "p1 q1 q1"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := &model{gate: make(chan struct{})}
				e := newEncoder(t, func(c *embedder.EncoderConfig) { c.MaxTokens = 5000 }, m)
				start(t.Context(), e, embedder.Passage, []string{"p"})
				var queries []*answer
				for _, text := range tc.texts {
					queries = append(queries, start(t.Context(), e, embedder.Query, []string{text}))
				}
				close(m.gate)
				synctest.Wait()
				if got := firstWords(m.ran(), "p", "q"); got != tc.want {
					t.Errorf("batches ran as %s, want %s", got, tc.want)
				}
				for i, q := range queries {
					if q.err != nil || !near(q.res.Vectors[0], vectorOf(tokens(tc.texts[i]), embedder.PoolMean)) {
						t.Errorf("query %d has another's vector (%v)", i, q.err)
					}
				}
			})
		})
	}
}

func TestTextsOfLikeLengthRunTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &model{gate: make(chan struct{})}
		e := newEncoder(t, func(c *embedder.EncoderConfig) { c.MaxTokens = 5000 }, m)
		start(t.Context(), e, embedder.Passage, []string{"p"})
		var calls []*answer
		var texts [][]string
		for range 4 {
			texts = append(texts, append(numbered("short", 4, 10), numbered("long", 4, 200)...))
			calls = append(calls, start(t.Context(), e, embedder.Passage, texts[len(texts)-1]))
		}
		close(m.gate)
		synctest.Wait()
		// 10 texts of 202 tokens are a full batch.
		if got, want := firstWords(m.ran(), "p", "short", "long"), "p1 long10 short16 long6"; got != want {
			t.Errorf("batches ran as %s, want %s", got, want)
		}
		for i, c := range calls {
			for j, text := range texts[i] {
				if c.err != nil || !near(c.res.Vectors[j], vectorOf(tokens(text), embedder.PoolMean)) {
					t.Errorf("text %d of call %d has another's vector (%v)", j, i, c.err)
				}
			}
		}
	})
}

func TestTheRuntimeForQueriesIsNeverTakenByPassages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, own := &model{gate: make(chan struct{})}, new(model)
		e := newEncoder(t, func(c *embedder.EncoderConfig) { c.Queries = own }, m)
		passages := start(t.Context(), e, embedder.Passage, numbered("p", 100, 3))
		for range 3 {
			if query := start(t.Context(), e, embedder.Query, []string{"q"}); !query.done || query.err != nil {
				t.Errorf("beside a batch that takes for ever, the query is done: %v, %v", query.done, query.err)
			}
		}
		close(m.gate)
		synctest.Wait()
		if !passages.done || passages.err != nil {
			t.Errorf("the passages are done: %v, %v", passages.done, passages.err)
		}
		if got, want := firstWords(own.ran(), "p", "q"), "q1 q1 q1"; got != want {
			t.Errorf("the runtime for queries ran %s, want %s", got, want)
		}
		if err := e.Close(); err != nil || own.closed != 1 {
			t.Errorf("closed %d times, %v", own.closed, err)
		}
	})
}

func TestOthersTakeTheQueriesThatWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, own := new(model), &model{gate: make(chan struct{})}
		e := newEncoder(t, func(c *embedder.EncoderConfig) { c.Queries = own }, m)
		first := start(t.Context(), e, embedder.Query, []string{"a"})
		second := start(t.Context(), e, embedder.Query, []string{"b"})
		if first.done || !second.done || second.err != nil {
			t.Errorf("the first query is done: %v, the second: %v, %v", first.done, second.done, second.err)
		}
		own.gate <- struct{}{}
		synctest.Wait()
		if !first.done || first.err != nil || len(own.ran()) != 1 || len(m.ran()) != 1 {
			t.Errorf("the first query is done: %v, %v, after %d and %d batches", first.done, first.err, len(own.ran()), len(m.ran()))
		}
		// More than one batch of queries: the rest does not wait for the first.
		many := start(t.Context(), e, embedder.Query, numbered("q", 64, 3))
		if len(own.ran()) != 2 || len(m.ran()) != 2 {
			t.Errorf("two batches ran as %d and %d", len(own.ran())-1, len(m.ran())-1)
		}
		close(own.gate)
		synctest.Wait()
		if !many.done || many.err != nil {
			t.Errorf("the queries are done: %v, %v", many.done, many.err)
		}
	})
}

func TestManyTextsComeInWindows(t *testing.T) {
	var most atomic.Int64
	counting := tokenizerFunc(func(dst []int32, text string, limit int) ([]int32, int, error) {
		most.Add(1)
		return words{}.Encode(dst, text, limit)
	})
	m := &model{hook: func(b embedder.Batch) error {
		most.Add(-int64(len(b.Lengths)))
		if n := most.Load(); n > 4096 {
			t.Errorf("%d texts are held as tokens", n)
		}
		return nil
	}}
	e := newEncoder(t, func(c *embedder.EncoderConfig) { c.Tokenizer = counting }, m)
	texts := append(numbered("t", 10_000, 3), numbered("t", 10_000, 3)...)
	r, err := e.Embed(t.Context(), embedder.Passage, texts)
	if err != nil || len(r.Vectors) != len(texts) || len(r.Usage) != len(texts) {
		t.Fatalf("%d vectors, %d usages, %v", len(r.Vectors), len(r.Usage), err)
	}
	for _, i := range []int{0, 4095, 4096, 9999, 10_000, 19_999} {
		if !near(r.Vectors[i], vectorOf(tokens(texts[i]), embedder.PoolMean)) || r.Usage[i].Total != 5 {
			t.Errorf("text %d has another's vector, or usage %+v", i, r.Usage[i])
		}
	}
	if len(m.ran()) < 10_000/32 || len(m.ran()) > 10_000/32+3 {
		t.Errorf("%d batches", len(m.ran()))
	}
}

func TestEachRuntimeTakesABatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gate := make(chan struct{})
		a, b := &model{gate: gate}, &model{gate: gate}
		e := newEncoder(t, nil, a, b)
		synctest.Wait() // both wait for work, so both must be woken
		passages := start(t.Context(), e, embedder.Passage, numbered("p", 64, 3))
		if len(a.ran()) != 1 || len(b.ran()) != 1 {
			t.Errorf("of two batches the runtimes took %d and %d", len(a.ran()), len(b.ran()))
		}
		close(gate)
		synctest.Wait()
		if !passages.done || passages.err != nil {
			t.Errorf("done: %v, %v", passages.done, passages.err)
		}
	})
}

func TestCancelledCallsLeaveTheQueue(t *testing.T) {
	for _, tc := range []struct {
		name string
		end  func(context.Context) (context.Context, context.CancelFunc)
		want error
	}{
		{"cancelled", func(ctx context.Context) (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancel(ctx)
			time.AfterFunc(time.Second, cancel)
			return ctx, cancel
		}, context.Canceled},
		{"out of time", func(ctx context.Context) (context.Context, context.CancelFunc) {
			return context.WithTimeout(ctx, time.Second)
		}, context.DeadlineExceeded},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := &model{gate: make(chan struct{})}
				e := newEncoder(t, nil, m)
				ctx, cancel := tc.end(t.Context())
				running := start(ctx, e, embedder.Passage, numbered("a", 100, 3))
				waiting := start(ctx, e, embedder.Query, []string{"b"})
				other := start(t.Context(), e, embedder.Passage, []string{"c"})
				<-ctx.Done() // the bubble's clock runs on when all wait
				synctest.Wait()
				if !waiting.done || !errors.Is(waiting.err, tc.want) {
					t.Errorf("the waiting call is done: %v, %v", waiting.done, waiting.err)
				}
				if !running.done || !errors.Is(running.err, tc.want) {
					t.Errorf("while the model reads its texts, the running call is done: %v, %v", running.done, running.err)
				}
				close(m.gate)
				synctest.Wait()
				cancel()
				if !other.done || other.err != nil {
					t.Errorf("the call beside is done: %v, %v", other.done, other.err)
				}
				if got, want := firstWords(m.ran(), "a", "b", "c"), "a32 c1"; got != want {
					t.Errorf("batches ran as %s, want %s", got, want)
				}
			})
		})
	}
}

func TestEndedContextRunsNothing(t *testing.T) {
	m := new(model)
	e := newEncoder(t, nil, m)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := e.Embed(ctx, embedder.Query, []string{"a"}); !errors.Is(err, context.Canceled) || len(m.ran()) != 0 {
		t.Errorf("got %v after %d batches", err, len(m.ran()))
	}
}
