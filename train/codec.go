package train

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"

	"github.com/vecdb/vecdb/internal/core"
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
	head, err := json.Marshal(preamble{headVersion, h.info, h.dim})
	if err != nil {
		return 0, err
	}
	counted := &counting{w: bufio.NewWriterSize(w, 1<<16)}
	parts := []any{uint32(len(head)), head, h.words.hashes, h.words.idf, h.linear.terms, h.linear.vector, h.centroid}
	for _, part := range parts {
		if err := binary.Write(counted, binary.LittleEndian, part); err != nil {
			return counted.n, err
		}
	}
	return counted.n, counted.w.Flush()
}

type counting struct {
	w *bufio.Writer
	n int64
}

func (c *counting) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}

// Read reads a head from data, which is what WriteTo has written and nothing
// else. What does not fit together is an error that matches core.ErrCorrupt.
func Read(data []byte) (*Head, error) {
	in := bytes.NewReader(data)
	var size uint32
	if err := binary.Read(in, binary.LittleEndian, &size); err != nil || int(size) > in.Len() {
		return nil, corrupt("it is cut short")
	}
	raw := make([]byte, size)
	_, _ = io.ReadFull(in, raw) // its length was checked
	var p preamble
	if err := json.Unmarshal(raw, &p); err != nil {
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
	if in.Len() != want {
		return nil, corrupt(fmt.Sprintf("it has %d bytes of numbers, not %d", in.Len(), want))
	}
	h := &Head{info: p.Info, dim: p.Dim, linear: newLinear(labels, features+1, p.Dim),
		words: &vocabulary{hashes: make([]uint64, features), idf: make([]float32, features)}, centroid: make([]float32, labels*p.Dim)}
	for _, part := range []any{h.words.hashes, h.words.idf, h.linear.terms, h.linear.vector, h.centroid} {
		if err := binary.Read(in, binary.LittleEndian, part); err != nil {
			return nil, corrupt(err.Error())
		}
	}
	if _, ok := h.Candidate(p.Info.Method); !ok {
		return nil, corrupt("it lacks its method")
	}
	h.words.number()
	return h, nil
}

func corrupt(what string) error { return fmt.Errorf("trained head: %s: %w", what, core.ErrCorrupt) }
