package native_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vecdb/vecdb/embedder"
	"github.com/vecdb/vecdb/embedder/embedtest"
	"github.com/vecdb/vecdb/embedder/native"
	"github.com/vecdb/vecdb/internal/simd"
	"github.com/vecdb/vecdb/internal/simd/matrix"
)

// vectorsFile is set in a process that is to write vectors there.
const vectorsFile = "VECDB_TEST_VECTORS"

// vectorsOf are what one set of kernels computes.
type vectorsOf struct {
	Kernels string
	Vectors map[string][][]float32
}

// compute returns vectors of the tiny model and, where it is here, of a real
// one.
func compute(t *testing.T) vectorsOf {
	v := vectorsOf{Kernels: matrix.Kernels(), Vectors: make(map[string][][]float32)}
	weights := write(t, newTiny().model())
	for _, p := range []embedder.Precision{embedder.Int8, embedder.BF16} {
		r := open(t, native.Files{Weights: weights}, native.Options{Precision: p})
		v.Vectors["tiny "+string(p)] = pooled(t, r, batch(1, 40, 7, 33, 16, 40, 40, 40, 40, 17), embedder.PoolMean)
	}
	t.Run("real", func(t *testing.T) {
		r, err := encoder(t, "all-MiniLM-L6-v2", embedder.Int8, 1).Embed(t.Context(), embedder.Passage,
			[]string{"A father looks for his son in the mountains.", "Stock markets fell sharply after the central bank raised rates."})
		if err != nil {
			t.Fatal(err)
		}
		v.Vectors["real int8"] = r.Vectors
	})
	return v
}

// TestAllKernelsGiveTheSameVectors runs each set of kernels that this processor
// has in a process of its own and compares it with plain Go. A difference in the
// last bit can move a byte that is rounded, and that moves others, so that two
// runs in int8 may be as far from one another as from float32. AMX differs most,
// since it attends in bfloat16.
func TestAllKernelsGiveTheSameVectors(t *testing.T) {
	if path := os.Getenv(vectorsFile); path != "" {
		data, err := json.Marshal(compute(t))
		if err == nil {
			err = os.WriteFile(path, data, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
		return
	}
	plain := computeWith(t, "generic")
	for _, level := range []string{"avx2", "avxvnni", "avx512", "avx512vnni", "amx"} {
		t.Run(level, func(t *testing.T) {
			got := computeWith(t, level)
			if got.Kernels != level {
				t.Skip("this processor has no", level)
			}
			for name, want := range plain.Vectors {
				least := 0.9999
				if strings.HasSuffix(name, string(embedder.Int8)) {
					least = 0.997
					if level == "avx2" { // whose weights have a bit less
						least = 0.99
					}
				}
				worst := 1.0
				for i, v := range got.Vectors[name] {
					cos := embedtest.Cosine(v, want[i])
					if worst = min(worst, cos); cos < least {
						t.Errorf("%s, text %d: cosine %.6f to plain Go, want at least %g", name, i, cos, least)
					}
				}
				t.Logf("%s: least cosine %.6f", name, worst)
			}
		})
	}
}

// computeWith computes the vectors in another process.
func computeWith(t *testing.T, level string) (v vectorsOf) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "vectors.json")
	cmd := exec.CommandContext(t.Context(), self, "-test.run=^TestAllKernelsGiveTheSameVectors$")
	cmd.Env = append(os.Environ(), vectorsFile+"="+path, simd.Env+"="+level)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatal(err)
	}
	return v
}
