package recommender

import (
	"fmt"
	"io"
	"slices"

	"github.com/vecdb/vecdb/internal/core"
	"github.com/vecdb/vecdb/internal/framed"
)

// modelVersion is the version of the form that WriteTo writes.
const modelVersion = 1

// preamble begins a written model. The numbers follow it, little-endian: how
// popular the items are (float32), where their weights start (uint32), the items
// that these lead to (uint32), the weights (float32), the mean (float32), the
// scales (float32) and the codes (int8).
type preamble struct {
	Version int      `json:"version"`
	Info    Info     `json:"info"`
	Dim     int      `json:"dim"`
	Items   []string `json:"items"`
}

// WriteTo writes the model in a form that Read reads. It has no checksum of its
// own.
func (m *Model) WriteTo(w io.Writer) (int64, error) {
	return framed.Write(w, preamble{modelVersion, m.info, m.dim, m.items}, m.popular, m.starts, m.to, m.weights, m.mean, m.scale, m.codes)
}

// Read reads a model from data, which is what WriteTo has written and nothing
// else. What does not fit together is an error that matches core.ErrCorrupt.
func Read(data []byte) (*Model, error) {
	var p preamble
	rest, err := framed.Header(data, &p)
	if err != nil {
		return nil, corrupt(err.Error())
	}
	n, weights := len(p.Items), p.Info.Weights
	switch {
	case p.Version != modelVersion:
		return nil, corrupt(fmt.Sprintf("it has the unknown version %d", p.Version))
	case n < 1 || n > MaxItems || weights < 0 || weights > len(data) || p.Dim < 0 || p.Dim > core.MaxDim:
		return nil, corrupt("its sizes are out of bounds")
	}
	if want := 4*n + 4*(n+1) + 8*weights + 4*p.Dim + 4*n + n*p.Dim; len(rest) != want {
		return nil, corrupt(fmt.Sprintf("it has %d bytes of numbers, not %d", len(rest), want))
	}
	m := &Model{info: p.Info, dim: p.Dim, items: p.Items, popular: make([]float32, n), starts: make([]uint32, n+1),
		to: make([]uint32, weights), weights: make([]float32, weights), mean: make([]float32, p.Dim), scale: make([]float32, n), codes: make([]int8, n*p.Dim)}
	if err := framed.Parts(rest, m.popular, m.starts, m.to, m.weights, m.mean, m.scale, m.codes); err != nil {
		return nil, corrupt(err.Error())
	}
	sound := m.starts[0] == 0 && int(m.starts[n]) == weights && slices.IsSorted(m.starts) &&
		!slices.ContainsFunc(m.to, func(i uint32) bool { return int(i) >= n })
	if !sound {
		return nil, corrupt("its weights lead nowhere")
	}
	m.prepare()
	return m, nil
}

func corrupt(what string) error {
	return fmt.Errorf("model of recommendations: %s: %w", what, core.ErrCorrupt)
}
