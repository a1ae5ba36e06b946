package embedder_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/vecdb/vecdb/embedder"
	"github.com/vecdb/vecdb/embedder/embedtest"
	"github.com/vecdb/vecdb/internal/core"
)

// tokens returns the ids of the words of text between the special ones.
func tokens(text string) []int32 {
	ids := []int32{idFirst}
	for _, w := range strings.Fields(text) {
		ids = append(ids, wordID(w))
	}
	return append(ids, idLast)
}

func TestEncoderConformance(t *testing.T) {
	embedtest.Run(t, embedtest.Suite{
		New:   func(t *testing.T) embedder.Embedder { return newEncoder(t, nil, new(model), new(model)) },
		Bound: 1 - 1e-9,
	})
}

func TestPrefixesAndPoolingAreTheModels(t *testing.T) {
	for _, p := range []embedder.Pooling{embedder.PoolMean, embedder.PoolCLS} {
		for kind, prefix := range map[embedder.Kind]string{embedder.Query: "query: ", embedder.Passage: "passage: "} {
			t.Run(fmt.Sprint(p, " ", prefix), func(t *testing.T) {
				m := new(model)
				e := newEncoder(t, func(c *embedder.EncoderConfig) {
					c.Pooling, c.QueryPrefix, c.PassagePrefix = p, "query: ", "passage: "
				}, m)
				r, err := e.Embed(t.Context(), kind, []string{"red wine"})
				if err != nil {
					t.Fatal(err)
				}
				want := tokens(prefix + "red wine")
				if got := m.ran()[0].IDs; fmt.Sprint(got) != fmt.Sprint(want) {
					t.Errorf("the model reads %v, want %v", got, want)
				}
				if !near(r.Vectors[0], vectorOf(want, p)) {
					t.Errorf("the vector is not the %s of the tokens", p)
				}
				if want := (embedder.Usage{Total: 5, Used: 5}); r.Usage[0] != want {
					t.Errorf("usage %+v, want %+v: the prefix counts", r.Usage[0], want)
				}
			})
		}
	}
}

func TestLongTextsAreCutAndCounted(t *testing.T) {
	m := new(model)
	e := newEncoder(t, func(c *embedder.EncoderConfig) { c.MaxTokens = 5 }, m)
	texts := []string{"", "a b", "a b c", "a b c d", strings.Repeat("a ", 100)}
	r, err := e.Embed(t.Context(), embedder.Passage, texts)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []embedder.Usage{{Total: 2, Used: 2}, {Total: 4, Used: 4}, {Total: 5, Used: 5}, {Total: 6, Used: 5}, {Total: 102, Used: 5}} {
		if r.Usage[i] != want {
			t.Errorf("%.10q: usage %+v, want %+v", texts[i], r.Usage[i], want)
		}
	}
	if !near(r.Vectors[3], vectorOf(tokens("a b c"), embedder.PoolMean)) {
		t.Error("the cut text is not read up to the cut")
	}
}

func TestNoTextsAndTheEmptyText(t *testing.T) {
	m := new(model)
	e := newEncoder(t, nil, m)
	for _, none := range [][]string{nil, {}} {
		r, err := e.Embed(t.Context(), embedder.Query, none)
		if err != nil || len(r.Vectors) != 0 || len(r.Usage) != 0 || len(m.ran()) != 0 {
			t.Errorf("no texts give %+v, %v after %d batches", r, err, len(m.ran()))
		}
	}
	r, err := e.Embed(t.Context(), embedder.Query, []string{""})
	if err != nil || !near(r.Vectors[0], vectorOf(tokens(""), embedder.PoolMean)) {
		t.Errorf("the empty text gives %v, %v, want the vector of its special tokens", r.Vectors, err)
	}
}

func TestEqualTextsAreEmbeddedOnce(t *testing.T) {
	m := new(model)
	e := newEncoder(t, nil, m)
	r, err := e.Embed(t.Context(), embedder.Passage, []string{"a", "b", "a", "a"})
	if err != nil {
		t.Fatal(err)
	}
	if n := len(m.ran()[0].Lengths); n != 2 {
		t.Errorf("the model reads %d texts, want 2", n)
	}
	r.Vectors[0][0] = 9
	for _, i := range []int{2, 3} {
		if !near(r.Vectors[i], vectorOf(tokens("a"), embedder.PoolMean)) {
			t.Errorf("vector %d is not its own", i)
		}
	}
}

func TestErrorsPointToTheText(t *testing.T) {
	m := new(model)
	e := newEncoder(t, nil, m)
	many := make([]string, 300)
	for i := range many {
		many[i] = fmt.Sprint("text ", i)
	}
	many[217] = "refused"
	for _, tc := range []struct {
		name    string
		texts   []string
		pointer string
	}{
		{"first", []string{"refused", "a"}, "/0"},
		{"after equal ones", []string{"a", "a", "a", "refused", "refused"}, "/3"},
		{"among many", many, "/217"},
		{"not UTF-8", []string{"a", "a", "\xff"}, "/2"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := e.Embed(t.Context(), embedder.Passage, tc.texts)
			var in *core.InputError
			if !errors.As(err, &in) || in.Pointer != tc.pointer {
				t.Errorf("got %v, want an InputError at %s", err, tc.pointer)
			}
		})
	}
	if n := len(m.ran()); n != 0 {
		t.Errorf("the model ran %d times", n)
	}
}

func TestBrokenEncodersAreRefused(t *testing.T) {
	for name, change := range map[string]func(*embedder.EncoderConfig){
		"no tokenizer":        func(c *embedder.EncoderConfig) { c.Tokenizer = nil },
		"no runtime":          func(c *embedder.EncoderConfig) { c.Runtimes = nil },
		"no dimension":        func(c *embedder.EncoderConfig) { c.Dim = 0 },
		"huge dimension":      func(c *embedder.EncoderConfig) { c.Dim = core.MaxDim + 1 },
		"no room for a token": func(c *embedder.EncoderConfig) { c.MaxTokens = 2 },
		"no pooling":          func(c *embedder.EncoderConfig) { c.Pooling = "" },
		"unknown pooling":     func(c *embedder.EncoderConfig) { c.Pooling = "sum" },
	} {
		t.Run(name, func(t *testing.T) {
			cfg := embedder.EncoderConfig{Tokenizer: words{}, Runtimes: []embedder.Runtime{new(model)},
				Dim: dim, MaxTokens: 64, Pooling: embedder.PoolCLS}
			change(&cfg)
			if _, err := embedder.NewEncoder(cfg); !errors.Is(err, core.ErrInvalid) {
				t.Errorf("got %v, want ErrInvalid", err)
			}
		})
	}
}
