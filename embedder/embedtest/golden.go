package embedtest

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"math"
	"os"
	"strings"
	"testing"
)

// Golden is a text with the vector that the reference computes for it.
type Golden struct {
	Text   string
	Vector []float32
}

// Goldens reads the golden vectors of a model from a file that
// embedder/ort/testdata/make_golden.py made.
func Goldens(t *testing.T, path, model string) (out []Golden) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var g struct {
			Model  string `json:"model"`
			Text   string `json:"text"`
			Repeat int    `json:"repeat"`
			Vector []byte `json:"vector"` // little-endian 32-bit floats
		}
		if err := json.Unmarshal(lines.Bytes(), &g); err != nil {
			t.Fatal(err)
		}
		if g.Model != model {
			continue
		}
		v := make([]float32, len(g.Vector)/4)
		for i := range v {
			v[i] = math.Float32frombits(binary.LittleEndian.Uint32(g.Vector[4*i:]))
		}
		out = append(out, Golden{Text: strings.Repeat(g.Text, max(1, g.Repeat)), Vector: v})
	}
	if err := lines.Err(); err != nil || len(out) < 30 {
		t.Fatalf("%d golden vectors for %s, %v", len(out), model, err)
	}
	return out
}
