package embedder_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"

	"github.com/vecdb/vecdb/embedder"
	"github.com/vecdb/vecdb/embedder/embedtest"
	"github.com/vecdb/vecdb/internal/core"
)

// shelf is a cache in a map.
type shelf struct {
	mu     sync.Mutex // guards values
	values map[embedder.CacheKey][]byte
}

func newShelf() *shelf { return &shelf{values: make(map[embedder.CacheKey][]byte)} }

func (s *shelf) Get(keys []embedder.CacheKey) [][]byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([][]byte, len(keys))
	for i, k := range keys {
		out[i] = s.values[k]
	}
	return out
}

func (s *shelf) Put(keys []embedder.CacheKey, values [][]byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, k := range keys {
		s.values[k] = values[i]
	}
}

// cached returns an encoder over the fakes with a cache.
func cached(t *testing.T, s *shelf, space string, change func(*embedder.EncoderConfig), models ...*model) *embedder.Encoder {
	t.Helper()
	e := newEncoder(t, change, models...)
	e.UseCache(s, space)
	return e
}

func embedAll(t *testing.T, e *embedder.Encoder, kind embedder.Kind, texts ...string) embedder.Result {
	t.Helper()
	r, err := e.Embed(t.Context(), kind, texts)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func textsRun(m *model) (n int) {
	for _, b := range m.ran() {
		n += len(b.Lengths)
	}
	return n
}

func TestCachedEncoderConformance(t *testing.T) {
	s := newShelf() // shared, so that all but the first find what is there
	embedtest.Run(t, embedtest.Suite{
		New:   func(t *testing.T) embedder.Embedder { return cached(t, s, "a", nil, new(model), new(model)) },
		Bound: 1 - 1e-9,
	})
}

func TestKnownTextsAreNotEmbeddedAgain(t *testing.T) {
	s, m := newShelf(), new(model)
	e := cached(t, s, "a", nil, m)
	embedAll(t, e, embedder.Passage, "red wine", "old cheese", "red wine")
	if n := textsRun(m); n != 2 {
		t.Fatalf("the model reads %d texts of which 2 differ", n)
	}
	fresh := newEncoder(t, nil, new(model))
	texts := []string{"new bread", "red wine", "new bread", "old cheese", ""}
	got, want := embedAll(t, e, embedder.Passage, texts...), embedAll(t, fresh, embedder.Passage, texts...)
	if n := textsRun(m); n != 4 {
		t.Errorf("the model has read %d texts, want 2 and 2", n)
	}
	for i := range texts {
		if !slices.Equal(got.Vectors[i], want.Vectors[i]) || got.Usage[i] != want.Usage[i] {
			t.Errorf("%q: %v %v, without a cache %v %v", texts[i], got.Vectors[i], got.Usage[i], want.Vectors[i], want.Usage[i])
		}
	}
	got.Vectors[1][0] = 99 // it is the caller's
	if again := embedAll(t, e, embedder.Passage, "red wine"); !slices.Equal(again.Vectors[0], want.Vectors[1]) {
		t.Error("a caller has changed what is kept")
	}
}

func TestVectorsAreKeptForTheirSpaceAlone(t *testing.T) {
	s := newShelf()
	embedAll(t, cached(t, s, "a", nil, new(model)), embedder.Passage, "red wine")
	for name, change := range map[string]func(*embedder.EncoderConfig){
		"prefix":   func(c *embedder.EncoderConfig) { c.PassagePrefix = "passage: " },
		"pooling":  func(c *embedder.EncoderConfig) { c.Pooling = embedder.PoolCLS },
		"longest":  func(c *embedder.EncoderConfig) { c.MaxTokens = 5 },
		"of files": nil,
	} {
		m := new(model)
		e := cached(t, s, "a"+fmt.Sprint(change == nil), change, m)
		if change != nil {
			e.UseCache(s, "a")
		}
		if embedAll(t, e, embedder.Passage, "red wine"); textsRun(m) != 1 {
			t.Errorf("%s: the vector of another space is used", name)
		}
	}
	before, m := len(s.values), new(model)
	e := cached(t, s, "a", nil, m)
	if embedAll(t, e, embedder.Query, "red wine", "other"); textsRun(m) != 2 || len(s.values) != before {
		t.Error("queries are kept")
	}
}

func TestWhatCannotBeAVectorIsEmbeddedAgain(t *testing.T) {
	s, m := newShelf(), new(model)
	e := cached(t, s, "a", nil, m)
	want := embedAll(t, e, embedder.Passage, "red wine")
	for _, cut := range []int{1, 4, 8, 1000} {
		for _, k := range slices.Collect(maps.Keys(s.values)) {
			s.values[k] = s.values[k][:max(0, len(s.values[k])-cut)]
		}
		if got := embedAll(t, e, embedder.Passage, "red wine"); !slices.Equal(got.Vectors[0], want.Vectors[0]) || got.Usage[0] != want.Usage[0] {
			t.Errorf("%d bytes short: %v", cut, got)
		}
	}
	if n := textsRun(m); n != 5 {
		t.Errorf("the text is embedded %d times, want 5", n)
	}
}

func TestErrorsPointToTextsWhateverIsKnown(t *testing.T) {
	s := newShelf()
	e := cached(t, s, "a", nil, new(model))
	embedAll(t, e, embedder.Passage, "red wine", "old cheese")
	before := len(s.values)
	_, err := e.Embed(t.Context(), embedder.Passage, []string{"red wine", "red wine", "new", "old cheese", "refused"})
	var in *core.InputError
	if !errors.As(err, &in) || in.Pointer != "/4" {
		t.Errorf("the error is %v, it must point to /4", err)
	}
	if len(s.values) != before {
		t.Error("something of a call that failed is kept")
	}
}
