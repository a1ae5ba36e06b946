//go:build cgo && !noort && !purego

package ort_test

import (
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/vecdb/vecdb/embedder"
	"github.com/vecdb/vecdb/embedder/embedtest"
	"github.com/vecdb/vecdb/embedder/hub"
	"github.com/vecdb/vecdb/embedder/ort"
	"github.com/vecdb/vecdb/embedder/token"
)

// open opens a model of the manifest from the cache that `make setup` fills.
// Missing files are dealt with as in library.
func open(t testing.TB, name string, p embedder.Precision, sessions int) *embedder.Encoder {
	t.Helper()
	manifest, err := embedder.DefaultManifest()
	if err != nil {
		t.Fatal(err)
	}
	model, err := manifest.Model(name)
	if err != nil {
		t.Fatal(err)
	}
	files, err := hub.New(hub.DefaultHome(), manifest).Locate(name, p)
	if err != nil {
		missing(t, err)
	}
	lib := library(t)
	tokens, err := token.Load(files.Tokenizer, token.Options{Lowercase: model.Lowercase})
	if err != nil {
		t.Fatal(err)
	}
	runtimes, err := lib.NewSessions(files.Model, sessions+1, ort.Options{})
	if err != nil {
		t.Fatal(err)
	}
	e, err := model.Encoder(tokens, runtimes)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}

// fewTokens is the length up to which int8 is held to a wider bound: with two
// or three tokens, the special ones among them, there is nothing that the
// errors of rounding could average out over.
const (
	fewTokens = 4
	fewLeast  = 0.95
)

func TestVectorsAgreeWithTheReference(t *testing.T) {
	for _, tc := range []struct {
		model     string
		precision embedder.Precision
		least     float64 // cosine of every text
		mean      float64
	}{
		{"all-MiniLM-L6-v2", embedder.FP32, 0.9999, 0.9999},
		{"all-MiniLM-L6-v2", embedder.Int8, 0.97, 0.99},
		{"bge-small-zh-v1.5", embedder.FP32, 0.9999, 0.9999},
		{"bge-small-zh-v1.5", embedder.Int8, 0.97, 0.99},
	} {
		t.Run(tc.model+"/"+string(tc.precision), func(t *testing.T) {
			all := embedtest.Goldens(t, filepath.Join("testdata", "golden.jsonl"), tc.model)
			texts := make([]string, len(all))
			for i, g := range all {
				texts[i] = g.Text
			}
			// int8 scales by the whole batch, so a text's vector moves with what
			// runs beside it; alone it is the model's own.
			size := len(texts)
			if tc.precision == embedder.Int8 {
				size = 1
			}
			r := inParts(t, open(t, tc.model, tc.precision, 2), texts, size)
			sum, n, worst := 0.0, 0, 1.0
			for i, g := range all {
				cos, least := embedtest.Cosine(r.Vectors[i], g.Vector), tc.least
				if few := r.Usage[i].Total <= fewTokens; few && tc.precision == embedder.Int8 {
					least = fewLeast
				} else {
					sum, n, worst = sum+cos, n+1, min(worst, cos)
				}
				if cos < least {
					t.Errorf("%.60q: cosine %.5f to the reference, want at least %g", g.Text, cos, least)
				}
			}
			mean := sum / float64(n)
			t.Logf("%d texts: cosine mean %.5f, least %.5f", n, mean, worst)
			if mean < tc.mean {
				t.Errorf("mean cosine %.5f, want at least %g", mean, tc.mean)
			}
		})
	}
}

// inParts embeds so many texts at a time.
func inParts(t *testing.T, e embedder.Embedder, texts []string, size int) (all embedder.Result) {
	t.Helper()
	for part := range slices.Chunk(texts, size) {
		r, err := e.Embed(t.Context(), embedder.Passage, part)
		if err != nil {
			t.Fatal(err)
		}
		all.Vectors, all.Usage = append(all.Vectors, r.Vectors...), append(all.Usage, r.Usage...)
	}
	return all
}

func TestConformance(t *testing.T) {
	embedtest.Run(t, embedtest.Suite{
		New:   func(t *testing.T) embedder.Embedder { return open(t, "all-MiniLM-L6-v2", embedder.FP32, 2) },
		Bound: 0.9999,
	})
}

func BenchmarkEmbed(b *testing.B) {
	for name, words := range map[string]int{"12 tokens": 10, "92 tokens": 90, "256 tokens": 254} {
		for _, p := range []embedder.Precision{embedder.Int8, embedder.FP32} {
			b.Run(name+"/"+string(p), func(b *testing.B) {
				e := open(b, "all-MiniLM-L6-v2", p, runtime.GOMAXPROCS(0))
				texts := make([]string, 64)
				for i := range texts {
					texts[i] = strings.Repeat("city ", words-1) + string(rune('a'+i%26)) + string(rune('a'+i/26))
				}
				for b.Loop() {
					if _, err := e.Embed(b.Context(), embedder.Passage, texts); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(b.N*len(texts))/b.Elapsed().Seconds(), "texts/s")
			})
		}
	}
}
