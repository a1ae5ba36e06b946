package native

import (
	"fmt"
	"math"

	"github.com/vecdb/vecdb/embedder"
	"github.com/vecdb/vecdb/internal/core"
	"github.com/vecdb/vecdb/internal/simd/matrix"
)

// filler puts weights into the parts of a model and remembers whether all are
// numbers.
type filler struct{ bad bool }

// fill puts weights into the parts of a model, which are zeros.
func (m *model) fill(w *weights) error {
	var f filler
	f.words(m, w.words)
	f.positions(m, w)
	f.gains(m.first, w.first)
	for i := range m.layers {
		to, from := &m.layers[i], &w.layers[i]
		f.matrix(to.qkv, to.qkvBias, from.query, from.key, from.value)
		f.matrix(to.out, to.outBias, from.out)
		f.matrix(to.up, to.upBias, from.up)
		f.matrix(to.down, to.downBias, from.down)
		f.gains(to.attended, from.attended)
		f.gains(to.done, from.done)
	}
	if f.bad {
		return fmt.Errorf("%w: the model's weights are not all finite numbers", core.ErrCorrupt)
	}
	return nil
}

// row checks and returns a row.
func (f *filler) row(x []float32) []float32 {
	f.bad = f.bad || !finite(x)
	return x
}

func (f *filler) words(m *model, t *table) {
	row := make([]float32, m.Hidden)
	for i := range m.Words {
		t.row(i, row)
		f.row(row)
		if m.Precision == embedder.Int8 {
			m.words.low[i], m.words.scale[i] = toBytes(m.words.data[i*m.Hidden:], row)
			continue
		}
		for d, v := range row {
			m.words.half[i*m.Hidden+d] = half(v)
		}
	}
}

// toBytes writes x as bytes, x = low + scale·byte.
func toBytes(dst []byte, x []float32) (low, scale float32) {
	low, high := x[0], x[0]
	for _, v := range x {
		low, high = min(low, v), max(high, v)
	}
	scale = (high - low) / 255
	if scale == 0 {
		return low, 0
	}
	for i, v := range x {
		dst[i] = byte(math.RoundToEven(float64(v-low) / float64(scale)))
	}
	return low, scale
}

// half rounds to the upper 16 bits of a float32, ties to even.
func half(v float32) uint16 {
	bits := math.Float32bits(v)
	return uint16((bits + 0x7fff + bits>>16&1) >> 16)
}

// positions takes over the embeddings of the positions and adds that of the
// first segment, in which all tokens are.
func (f *filler) positions(m *model, w *weights) {
	segment := make([]float32, m.Hidden)
	if w.segments != nil {
		w.segments.row(0, segment)
	}
	for i := range m.Positions {
		row := m.positions[i*m.Hidden:][:m.Hidden]
		w.positions.row(i, row)
		for d, v := range segment {
			row[d] += v
		}
		f.row(row)
	}
}

func (f *filler) gains(to gains, from norm) {
	copy(to.gain, f.row(from.gain))
	copy(to.bias, f.row(from.bias))
}

// matrix packs matrices one beside the other.
func (f *filler) matrix(to *matrix.Matrix, bias []float32, from ...linear) {
	width := to.Out() / len(from)
	to.Fill(func(output int, w []float32) {
		from[output/width].weights.column(output%width, w)
		f.row(w)
	})
	for i, l := range from {
		copy(bias[i*width:], f.row(l.bias))
	}
}
