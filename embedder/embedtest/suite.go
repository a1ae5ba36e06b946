// Package embedtest holds the suite that every embedder passes.
package embedtest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/vecdb/vecdb/embedder"
	"github.com/vecdb/vecdb/internal/core"
)

// Suite says what is tested.
type Suite struct {
	// New opens the embedder; it is closed by the test that asked for it or by
	// t's clean-up.
	New func(t *testing.T) embedder.Embedder
	// Bound is the least cosine between the vectors of one text in different
	// batches; an int8 model that scales by the whole batch has less than 1.
	Bound float64
}

// texts are of different lengths and kinds, some of them equal.
func texts() []string {
	return []string{
		"a father looks for his son", "stock markets fell sharply", "", " ", "a father looks for his son",
		"北京的秋天很美", strings.Repeat("long text about trains and stations. ", 40), "x", "naïve café 👍", "\x00\x01 control",
	}
}

// Cosine returns the cosine of two vectors of equal length.
func Cosine(a, b []float32) float64 {
	var dot, aa, bb float64
	for i := range a {
		x, y := float64(a[i]), float64(b[i])
		dot, aa, bb = dot+x*y, aa+x*x, bb+y*y
	}
	return dot / math.Sqrt(aa*bb)
}

// Run runs the suite as subtests of t.
func Run(t *testing.T, s Suite) {
	for name, test := range map[string]func(*testing.T, Suite){
		"shape":      testShape,
		"batches":    testBatches,
		"meaning":    testMeaning,
		"bad input":  testBadInput,
		"cancel":     testCancel,
		"concurrent": testConcurrent,
		"close":      testClose,
	} {
		t.Run(name, func(t *testing.T) { test(t, s) })
	}
}

func embed(t *testing.T, e embedder.Embedder, kind embedder.Kind, texts ...string) embedder.Result {
	t.Helper()
	r, err := e.Embed(t.Context(), kind, texts)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func testShape(t *testing.T, s Suite) {
	e := s.New(t)
	all := texts()
	r := embed(t, e, embedder.Passage, all...)
	if len(r.Vectors) != len(all) || len(r.Usage) != len(all) {
		t.Fatalf("%d vectors and %d usages for %d texts", len(r.Vectors), len(r.Usage), len(all))
	}
	for i, v := range r.Vectors {
		if len(v) != e.Dim() {
			t.Errorf("vector %d has %d numbers, want %d", i, len(v), e.Dim())
		}
		if n := math.Sqrt(Cosine(v, v)); math.Abs(n-1) > 1e-5 {
			t.Errorf("vector %d holds no numbers", i)
		}
		var square float64
		for _, x := range v {
			square += float64(x) * float64(x)
		}
		if math.Abs(square-1) > 1e-4 {
			t.Errorf("vector %d has length² %v", i, square)
		}
		if u := r.Usage[i]; u.Used > u.Total || u.Used < 0 {
			t.Errorf("text %d: usage %+v", i, u)
		}
	}
	if r := embed(t, e, embedder.Query); len(r.Vectors) != 0 {
		t.Errorf("no texts give %d vectors", len(r.Vectors))
	}
	r.Vectors[0][0] = 9
	if r.Vectors[4][0] == 9 {
		t.Error("equal texts share a vector")
	}
}

func testBatches(t *testing.T, s Suite) {
	e := s.New(t)
	all := texts()
	together := embed(t, e, embedder.Passage, all...)
	for i, text := range all {
		alone := embed(t, e, embedder.Passage, text)
		if cos := Cosine(alone.Vectors[0], together.Vectors[i]); cos < s.Bound {
			t.Errorf("%.40q alone and in a batch: cosine %.6f, want at least %g", text, cos, s.Bound)
		}
		if alone.Usage[0] != together.Usage[i] {
			t.Errorf("%.40q alone uses %+v, in a batch %+v", text, alone.Usage[0], together.Usage[i])
		}
	}
	again := embed(t, e, embedder.Passage, all...)
	for i := range all {
		if !slices.Equal(again.Vectors[i], together.Vectors[i]) && Cosine(again.Vectors[i], together.Vectors[i]) < s.Bound {
			t.Errorf("%.40q gives another vector the second time", all[i])
		}
	}
}

func testMeaning(t *testing.T, s Suite) {
	e := s.New(t)
	r := embed(t, e, embedder.Query, "how do I cook rice", "cook the rice slowly", "the football match ended in a draw")
	near, far := Cosine(r.Vectors[0], r.Vectors[1]), Cosine(r.Vectors[0], r.Vectors[2])
	if near <= far {
		t.Errorf("rice and rice have cosine %.3f, rice and football %.3f", near, far)
	}
}

func testBadInput(t *testing.T, s Suite) {
	e := s.New(t)
	for _, bad := range []string{"\xff", "caf\xc3", "a\xed\xa0\x80"} {
		if _, err := e.Embed(t.Context(), embedder.Passage, []string{"good", bad}); !errors.Is(err, core.ErrInvalid) {
			t.Errorf("%q gives error %v, want ErrInvalid", bad, err)
		}
	}
	embed(t, e, embedder.Passage, "still works")
}

func testCancel(t *testing.T, s Suite) {
	e := s.New(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := e.Embed(ctx, embedder.Passage, texts()); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled context gives %v", err)
	}
	ctx, cancel = context.WithCancel(t.Context())
	many := make([]string, 2000)
	for i := range many {
		many[i] = fmt.Sprintf("text number %d about nothing in particular", i)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		if _, err := e.Embed(ctx, embedder.Passage, many); err != nil && !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled half-way: %v", err)
		}
	})
	embed(t, e, embedder.Query, "a query meanwhile")
	cancel()
	wg.Wait()
}

func testConcurrent(t *testing.T, s Suite) {
	e := s.New(t)
	all := texts()
	want := embed(t, e, embedder.Query, all...)
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			for i := range all {
				kind := embedder.Kind((w + i) % 2)
				r, err := e.Embed(t.Context(), kind, all[i:i+1])
				if err != nil {
					t.Error(err)
					return
				}
				if kind == embedder.Query && Cosine(r.Vectors[0], want.Vectors[i]) < s.Bound {
					t.Errorf("%.40q among others: cosine %.6f", all[i], Cosine(r.Vectors[0], want.Vectors[i]))
				}
			}
		})
	}
	wg.Wait()
}

func testClose(t *testing.T, s Suite) {
	e := s.New(t)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			if _, err := e.Embed(t.Context(), embedder.Passage, texts()); err != nil && !errors.Is(err, core.ErrClosed) {
				t.Errorf("while closing: %v", err)
			}
		})
	}
	if err := e.Close(); err != nil {
		t.Error(err)
	}
	wg.Wait()
	if _, err := e.Embed(t.Context(), embedder.Passage, []string{"x"}); !errors.Is(err, core.ErrClosed) {
		t.Errorf("a closed embedder gives %v, want ErrClosed", err)
	}
	if err := e.Close(); err != nil {
		t.Errorf("closing twice: %v", err)
	}
}
