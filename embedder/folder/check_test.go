package folder_test

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/vecdb/vecdb/embedder"
	"github.com/vecdb/vecdb/embedder/folder"
	"github.com/vecdb/vecdb/internal/core"
)

// fake is a model of three numbers: a function of the text and of how many
// texts there are.
type fake struct {
	vector func(text string, beside int) []float32
	err    error
}

func (f fake) Embed(_ context.Context, _ embedder.Kind, texts []string) (r embedder.Result, err error) {
	for _, text := range texts {
		r.Vectors = append(r.Vectors, f.vector(text, len(texts)))
	}
	return r, f.err
}

func (fake) Split(context.Context, string, int) (embedder.Parts, error) {
	return embedder.Parts{}, embedder.ErrNoSpans
}

func (fake) Dim() int     { return 3 }
func (fake) Close() error { return nil }

// meaning tells what the texts of the test are about, one word for each pair.
var meaning = strings.Fields("rice profit|Earnings water|fluids train|railway laptop|computer storm|winds")

func topic(text string) []float32 {
	for i, words := range meaning {
		for word := range strings.SplitSeq(words, "|") {
			if strings.Contains(text, word) {
				at := float64(i)
				return []float32{float32(math.Cos(at)), float32(math.Sin(at)), 0}
			}
		}
	}
	return []float32{0, 0, 1}
}

func TestModelsAreTried(t *testing.T) {
	broken := errors.New("broken")
	for _, tc := range []struct {
		name     string
		model    fake
		language string
		is       error
		says     string
	}{
		{"good", fake{vector: func(text string, _ int) []float32 { return topic(text) }}, "en", nil, ""},
		{"all alike", fake{vector: func(string, int) []float32 { return []float32{1, 0, 0} }}, "", core.ErrInvalid, "as near to"},
		{"no numbers", fake{vector: func(string, int) []float32 { return []float32{float32(math.NaN()), 0, 0} }}, "", core.ErrInvalid, "NaN"},
		{"all zero", fake{vector: func(string, int) []float32 { return make([]float32, 3) }}, "", core.ErrInvalid, "unit length"},
		{"another width", fake{vector: func(string, int) []float32 { return []float32{1, 0} }}, "", core.ErrInvalid, "2 numbers instead of 3"},
		{"by what is beside", fake{vector: func(text string, n int) []float32 {
			if n == 1 {
				return []float32{0, 0, 1}
			}
			return topic(text)
		}}, "", core.ErrInvalid, "beside"},
		{"an error", fake{vector: func(text string, _ int) []float32 { return topic(text) }, err: broken}, "", broken, "test the model"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			language, err := folder.Check(t.Context(), tc.model)
			if language != tc.language || !errors.Is(err, tc.is) || err != nil && !strings.Contains(err.Error(), tc.says) {
				t.Errorf("got %q and %v, want %q and %v with %q", language, err, tc.language, tc.is, tc.says)
			}
		})
	}
}
