package bench_test

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// gaussian returns rows of random numbers that depend on the seed alone.
func gaussian(seed uint64, rows, dim int) [][]float32 {
	rng := rand.New(rand.NewPCG(seed, seed))
	out := make([][]float32, rows)
	for i := range out {
		for range dim {
			out[i] = append(out[i], float32(rng.NormFloat64()))
		}
	}
	return out
}

// file writes rows as .fvecs or .ivecs, by the type of their numbers, and
// returns the path.
func file[T float32 | int32](t *testing.T, rows [][]T) string {
	t.Helper()
	var b bytes.Buffer
	for _, row := range rows {
		for _, v := range []any{int32(len(row)), row} {
			if err := binary.Write(&b, binary.LittleEndian, v); err != nil {
				t.Fatal(err)
			}
		}
	}
	name := "x.fvecs"
	if _, ids := any(rows).([][]int32); ids {
		name = "x.ivecs"
	}
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// naive returns the k nearest rows of base for each query by a sort of all
// distances.
func naive(metric string, base, queries [][]float32, k int) [][]int32 {
	out := make([][]int32, len(queries))
	for i, q := range queries {
		distances := make([]float64, len(base))
		for j, v := range base {
			var dot, vv, l2 float64
			for d := range v {
				x, y := float64(q[d]), float64(v[d])
				dot, vv, l2 = dot+x*y, vv+y*y, l2+(x-y)*(x-y)
			}
			distances[j] = map[string]float64{"cosine": -dot / math.Sqrt(vv), "dot": -dot, "l2": l2}[metric]
		}
		for j := range base {
			out[i] = append(out[i], int32(j))
		}
		slices.SortStableFunc(out[i], func(a, b int32) int { return cmp.Compare(distances[a], distances[b]) })
		out[i] = out[i][:k]
	}
	return out
}
