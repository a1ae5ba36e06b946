package hash_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/vecdb/vecdb/embedder"
	"github.com/vecdb/vecdb/embedder/embedtest"
	"github.com/vecdb/vecdb/embedder/hash"
	"github.com/vecdb/vecdb/internal/core"
)

func TestConformance(t *testing.T) {
	for name, dim := range map[string]int{"default": 0, "384": 384} {
		t.Run(name, func(t *testing.T) {
			embedtest.Run(t, embedtest.Suite{
				New: func(t *testing.T) embedder.Embedder {
					e := hash.New(dim)
					t.Cleanup(func() {
						if err := e.Close(); err != nil {
							t.Error(err)
						}
					})
					return e
				},
				Bound: 1 - 1e-9,
			})
		})
	}
}

func TestDim(t *testing.T) {
	for dim, want := range map[int]int{0: 64, 1: 1, 384: 384} {
		if got := hash.New(dim).Dim(); got != want {
			t.Errorf("New(%d) has %d numbers, want %d", dim, got, want)
		}
	}
}

func TestWordsAreTokens(t *testing.T) {
	for _, tc := range []struct {
		text string
		like string // a text with the same words
		want int
	}{
		{"", " .,!", 0},
		{"Red wine", "WINE, red!", 2},
		{"北京很美", "美 很 京 北", 4},
		{"go语言1.26", "26 1 言 语 GO", 5},
		{"naïve café", "CAFÉ/NAÏVE", 2},
	} {
		r, err := hash.New(64).Embed(t.Context(), embedder.Passage, []string{tc.text, tc.like})
		if err != nil {
			t.Fatal(err)
		}
		if u := r.Usage[0]; u.Total != tc.want || u.Used != tc.want {
			t.Errorf("%q: usage %+v, want %d", tc.text, u, tc.want)
		}
		if !slices.Equal(r.Vectors[0], r.Vectors[1]) {
			t.Errorf("%q and %q have different vectors", tc.text, tc.like)
		}
	}
}

func TestErrorPointsToTheText(t *testing.T) {
	_, err := hash.New(64).Embed(t.Context(), embedder.Passage, []string{"a", "b", "\xff"})
	var in *core.InputError
	if !errors.As(err, &in) || in.Pointer != "/2" {
		t.Errorf("got %v, want an InputError at /2", err)
	}
}
