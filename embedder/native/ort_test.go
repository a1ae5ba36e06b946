//go:build cgo && !noort && !purego

package native_test

import (
	"os"
	"testing"

	"github.com/vecdb/vecdb/embedder"
	"github.com/vecdb/vecdb/embedder/embedtest"
	"github.com/vecdb/vecdb/embedder/hub"
	"github.com/vecdb/vecdb/embedder/native"
	"github.com/vecdb/vecdb/embedder/ort"
)

// TestTinyModelAgreesWithONNXRuntime shows that graphs are understood as they
// are meant: the numbers themselves agree, not only their directions.
func TestTinyModelAgreesWithONNXRuntime(t *testing.T) {
	manifest, err := embedder.DefaultManifest()
	if err != nil {
		t.Fatal(err)
	}
	path, err := hub.New(hub.DefaultHome(), manifest).LocateRuntime()
	if err != nil {
		if os.Getenv("VECDB_REQUIRE_MODELS") != "" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	library, err := ort.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, eps := range []float32{1e-12, 0.5} {
		m := newTiny()
		m.eps = eps
		weights := write(t, m.model())
		sessions, err := library.NewSessions(weights, 1, ort.Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := sessions[0].Close(); err != nil {
				t.Error(err)
			}
		})
		b := batch(1, 40, 7, 33, 16, 40, 40, 40, 40, 17)
		want, err := sessions[0].Run(b)
		if err != nil {
			t.Fatal(err)
		}
		for p, bound := range map[embedder.Precision]float64{embedder.Int8: 0.08, embedder.BF16: 0.02} {
			got, err := open(t, native.Files{Weights: weights}, native.Options{Precision: p}).Run(b)
			if err != nil {
				t.Fatal(err)
			}
			worst := 0.0
			for i, n := range b.Lengths {
				a, w := got.Data[got.Offsets[i]*got.Dim:][:n*got.Dim], want.Data[want.Offsets[i]*want.Dim:][:n*want.Dim]
				difference := make([]float32, len(a))
				for j := range a {
					difference[j] = a[j] - w[j]
				}
				worst = max(worst, spread(difference)/spread(w))
				if cos := embedtest.Cosine(a, w); cos < 1-bound {
					t.Errorf("%s: text %d has cosine %.5f", p, i, cos)
				}
			}
			t.Logf("ε %g, %s: the worst text is off by %.4f of its numbers", eps, p, worst)
			if worst > bound {
				t.Errorf("%s: off by %.4f, want at most %g", p, worst, bound)
			}
		}
	}
}
