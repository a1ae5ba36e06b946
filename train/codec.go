package train

import (
	"fmt"
	"io"

	"github.com/vecdb/vecdb/internal/core"
	"github.com/vecdb/vecdb/internal/framed"
)

// headVersion is the version of the form that WriteTo writes.
const headVersion = 1

// preamble begins a written head. The numbers follow it, little-endian: the
// hashes of the terms (uint64), their inverse document frequencies, the weights
// of the terms, those of the vector, and the centroids (float32).
type preamble struct {
	Version int  `json:"version"`
	Info    Info `json:"info"`
	Dim     int  `json:"dim"`
}

// WriteTo writes the head in a form that Read reads. It has no checksum of its
// own.
func (h *Head) WriteTo(w io.Writer) (int64, error) {
	return framed.Write(w, preamble{headVersion, h.info, h.dim}, h.words.hashes, h.words.idf, h.linear.terms, h.linear.vector, h.centroid)
}

// Read reads a head from data, which is what WriteTo has written and nothing
// else. What does not fit together is an error that matches core.ErrCorrupt.
func Read(data []byte) (*Head, error) {
	var p preamble
	rest, err := framed.Header(data, &p)
	if err != nil {
		return nil, corrupt(err.Error())
	}
	if p.Version != headVersion {
		return nil, corrupt(fmt.Sprintf("it has the unknown version %d", p.Version))
	}
	labels, features := len(p.Info.Labels), p.Info.Features
	if labels < 2 || labels > MaxLabels || features < 0 || features > maxTerms || p.Dim < 0 || p.Dim > core.MaxDim {
		return nil, corrupt("its sizes are out of bounds")
	}
	want := 8*features + 4*features + 4*(features+1)*labels + 2*4*labels*p.Dim
	if len(rest) != want {
		return nil, corrupt(fmt.Sprintf("it has %d bytes of numbers, not %d", len(rest), want))
	}
	h := &Head{info: p.Info, dim: p.Dim, linear: newLinear(labels, features+1, p.Dim),
		words: &vocabulary{hashes: make([]uint64, features), idf: make([]float32, features)}, centroid: make([]float32, labels*p.Dim)}
	if err := framed.Parts(rest, h.words.hashes, h.words.idf, h.linear.terms, h.linear.vector, h.centroid); err != nil {
		return nil, corrupt(err.Error())
	}
	if _, ok := h.Candidate(p.Info.Method); !ok {
		return nil, corrupt("it lacks its method")
	}
	h.words.number()
	return h, nil
}

func corrupt(what string) error { return fmt.Errorf("trained head: %s: %w", what, core.ErrCorrupt) }
