package native_test

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/vecdb/vecdb/embedder"
	"github.com/vecdb/vecdb/embedder/embedtest"
	"github.com/vecdb/vecdb/embedder/hub"
	"github.com/vecdb/vecdb/embedder/native"
	"github.com/vecdb/vecdb/embedder/token"
	"github.com/vecdb/vecdb/internal/simd/matrix"
)

// encoder opens a model of the manifest from the cache that `make setup` fills.
// Where a file is missing, the test is skipped, or fails if VECDB_REQUIRE_MODELS
// is set, as in `make test`.
func encoder(t testing.TB, name string, p embedder.Precision, sessions int) *embedder.Encoder {
	t.Helper()
	manifest, err := embedder.DefaultManifest()
	if err != nil {
		t.Fatal(err)
	}
	model, err := manifest.Model(name)
	if err != nil {
		t.Fatal(err)
	}
	files, err := hub.New(hub.DefaultHome(), manifest).Locate(name, embedder.FP32)
	if err != nil {
		if os.Getenv("VECDB_REQUIRE_MODELS") != "" {
			t.Fatal(err)
		}
		t.Skip(err, ": run make test")
	}
	tokens, err := token.Load(files.Tokenizer, token.Options{Lowercase: model.Lowercase})
	if err != nil {
		t.Fatal(err)
	}
	pack := filepath.Join(t.TempDir(), "pack")
	if p == embedder.Int8 {
		pack = filepath.Join(packs(t), name)
	}
	runtimes, err := native.Open(native.Files{Weights: files.Model, SHA256: model.Files["fp32"].SHA256, Pack: pack},
		native.Options{Precision: p, Dim: model.Dim, Pooling: model.Pooling}, sessions+1)
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

// packs is a folder for the packed models of all tests of this run.
func packs(t testing.TB) string {
	t.Helper()
	if dir := os.Getenv(packsDir); dir != "" {
		return dir
	}
	return t.TempDir()
}

// packsDir is the environment variable with that folder.
const packsDir = "VECDB_TEST_PACKS"

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "packs-*")
	if err != nil {
		panic(err)
	}
	if os.Getenv(packsDir) == "" {
		if err := os.Setenv(packsDir, dir); err != nil {
			panic(err)
		}
	}
	code := m.Run()
	if err := os.RemoveAll(dir); err != nil {
		panic(err)
	}
	os.Exit(code)
}

var goldenFile = filepath.Join("..", "ort", "testdata", "golden.jsonl")

func TestVectorsAgreeWithTheReference(t *testing.T) {
	for _, tc := range []struct {
		model       string
		precision   embedder.Precision
		least, mean float64 // cosine
	}{
		{"all-MiniLM-L6-v2", embedder.Int8, 0.99, 0.998},
		{"all-MiniLM-L6-v2", embedder.BF16, 0.9995, 0.9999},
		{"bge-small-zh-v1.5", embedder.Int8, 0.99, 0.998},
		{"bge-small-zh-v1.5", embedder.BF16, 0.9995, 0.9999},
	} {
		t.Run(tc.model+"/"+string(tc.precision), func(t *testing.T) {
			all := embedtest.Goldens(t, goldenFile, tc.model)
			if testing.Short() {
				all = all[:8]
			}
			texts := make([]string, len(all))
			for i, g := range all {
				texts[i] = g.Text
			}
			r, err := encoder(t, tc.model, tc.precision, 2).Embed(t.Context(), embedder.Passage, texts)
			if err != nil {
				t.Fatal(err)
			}
			if tc.precision == embedder.Int8 && matrix.Kernels() == "avx2" { // whose weights have a bit less
				tc.least, tc.mean = 0.98, 0.995
			}
			sum, worst := 0.0, 1.0
			for i, g := range all {
				cos := embedtest.Cosine(r.Vectors[i], g.Vector)
				sum, worst = sum+cos, min(worst, cos)
				if cos < tc.least {
					t.Errorf("%.60q: cosine %.5f to the reference, want at least %g", g.Text, cos, tc.least)
				}
			}
			mean := sum / float64(len(all))
			t.Logf("%d texts: cosine mean %.5f, least %.5f", len(all), mean, worst)
			if mean < tc.mean {
				t.Errorf("mean cosine %.5f, want at least %g", mean, tc.mean)
			}
		})
	}
}

func TestConformance(t *testing.T) {
	for _, model := range []string{"all-MiniLM-L6-v2", "bge-small-zh-v1.5"} {
		t.Run(model, func(t *testing.T) {
			embedtest.Run(t, embedtest.Suite{
				New:   func(t *testing.T) embedder.Embedder { return encoder(t, model, embedder.Int8, 2) },
				Bound: 0.999999,
			})
		})
	}
}

// BenchmarkEmbed goes from texts to vectors.
func BenchmarkEmbed(b *testing.B) {
	for _, words := range []int{10, 90, 254} {
		for _, p := range []embedder.Precision{embedder.Int8, embedder.BF16} {
			b.Run(fmt.Sprintf("%d tokens/%s", words+2, p), func(b *testing.B) {
				e := encoder(b, "all-MiniLM-L6-v2", p, runtime.GOMAXPROCS(0))
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

// spread is the root of the mean square of x.
func spread(x []float32) float64 {
	var sum float64
	for _, v := range x {
		sum += float64(v) * float64(v)
	}
	return math.Sqrt(sum / float64(len(x)))
}
