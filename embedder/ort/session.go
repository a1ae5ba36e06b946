//go:build cgo && !noort && !purego

package ort

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync/atomic"

	onnx "github.com/yalue/onnxruntime_go"

	"github.com/vecdb/vecdb/embedder"
	"github.com/vecdb/vecdb/internal/core"
)

// The inputs that models of the BERT family have, by the names that exporters
// give them.
const (
	inputIDs  = "input_ids"
	inputMask = "attention_mask"
	inputType = "token_type_ids"
)

// graph is a model that ONNX Runtime has loaded. Any number of goroutines may
// run it at once: each runs on its own thread, and the weights are there once.
type graph struct {
	run    *onnx.DynamicAdvancedSession
	inputs []string
	dim    int
	users  atomic.Int32 // sessions that are not closed
}

// session runs a graph. It keeps the memory of inputs and output between runs;
// it only grows.
type session struct {
	graph  *graph // nil when closed
	ids    []int64
	mask   []int64
	types  []int64
	out    []float32
	starts []int
	values []onnx.Value
}

var _ embedder.Runtime = (*session)(nil)

// NewSessions opens a model once for n sessions, each for one goroutine. The
// error matches core.ErrNoModel when there is no such file and core.ErrCorrupt
// when it is not a model that can be run.
func (*Library) NewSessions(model string, n int, o Options) (_ []embedder.Runtime, err error) {
	defer guard(&err)
	g, err := newGraph(model, o)
	if err != nil {
		return nil, err
	}
	g.users.Store(int32(n))
	sessions := make([]embedder.Runtime, n)
	for i := range sessions {
		sessions[i] = &session{graph: g}
	}
	return sessions, nil
}

func newGraph(model string, o Options) (*graph, error) {
	if _, err := os.Stat(model); errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: there is no file %s (run: vecdb model pull)", core.ErrNoModel, model)
	}
	ins, outs, err := onnx.GetInputOutputInfo(model)
	if err != nil {
		return nil, fmt.Errorf("model file %s: %w: %w (remove it and run: vecdb model pull)", model, core.ErrCorrupt, err)
	}
	g := &graph{}
	if g.inputs, err = inputNames(ins); err != nil {
		return nil, fmt.Errorf("model file %s: %w", model, err)
	}
	output, dim, err := hiddenStates(outs, o.Dim)
	if err != nil {
		return nil, fmt.Errorf("model file %s: %w", model, err)
	}
	if g.dim = dim; o.Dim > 0 && dim != o.Dim {
		return nil, fmt.Errorf("%w: the vectors of model file %s have %d numbers, not %d", core.ErrDimension, model, dim, o.Dim)
	}
	opts, err := sessionOptions(max(1, o.Threads))
	if err != nil {
		return nil, fmt.Errorf("options of a session: %w", err)
	}
	// Freeing options that a session was made with cannot fail.
	defer func() { _ = opts.Destroy() }()
	g.run, err = onnx.NewDynamicAdvancedSession(model, g.inputs, []string{output}, opts)
	if err != nil {
		return nil, fmt.Errorf("model file %s: %w: %w (remove it and run: vecdb model pull)", model, core.ErrCorrupt, err)
	}
	return g, nil
}

// release frees the graph when its last session is closed.
func (g *graph) release() error {
	if g.users.Add(-1) > 0 {
		return nil
	}
	return g.run.Destroy()
}

// inputNames returns the model's inputs, all of which must be known.
func inputNames(ins []onnx.InputOutputInfo) ([]string, error) {
	var names []string
	for _, in := range ins {
		switch in.Name {
		case inputIDs, inputMask, inputType:
		default:
			return nil, fmt.Errorf("the model wants an input %q, which is not one of a text encoder: %w", in.Name, core.ErrCorrupt)
		}
		if in.DataType != onnx.TensorElementDataTypeInt64 {
			return nil, fmt.Errorf("the model's input %s is not of 64-bit integers: %w", in.Name, core.ErrCorrupt)
		}
		names = append(names, in.Name)
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("the model has no inputs: %w", core.ErrCorrupt)
	}
	return names, nil
}

// hiddenStates returns the name and the width of the output with one vector a
// token: the one with the usual name, else the first that can be it. Where the
// file leaves the width open, it is dim.
func hiddenStates(outs []onnx.InputOutputInfo, dim int) (name string, width int, err error) {
	for _, out := range outs {
		if len(out.Dimensions) != 3 || out.DataType != onnx.TensorElementDataTypeFloat {
			continue
		}
		n := out.Dimensions[2]
		if n <= 0 {
			n = int64(dim)
		}
		usual := out.Name == "last_hidden_state" || out.Name == "token_embeddings"
		if n > 0 && n <= core.MaxDim && (name == "" || usual) {
			name, width = out.Name, int(n)
		}
	}
	if name == "" {
		return "", 0, fmt.Errorf("the model has no output with one vector of floats a token: %w", core.ErrCorrupt)
	}
	return name, width, nil
}

func sessionOptions(threads int) (*onnx.SessionOptions, error) {
	o, err := onnx.NewSessionOptions()
	if err != nil {
		return nil, err
	}
	err = errors.Join(
		o.SetIntraOpNumThreads(threads),
		o.SetInterOpNumThreads(1),
		o.SetGraphOptimizationLevel(onnx.GraphOptimizationLevelEnableAll),
		// Shapes differ from run to run, so there is no pattern to plan for.
		o.SetMemPattern(false),
		o.AddSessionConfigEntry("session.intra_op.allow_spinning", "0"),
		o.AddSessionConfigEntry("session.set_denormal_as_zero", "1"),
	)
	if err != nil {
		return nil, errors.Join(err, o.Destroy())
	}
	return o, nil
}

// Run implements embedder.Runtime. The sequences are padded to the longest.
func (s *session) Run(b embedder.Batch) (h embedder.Hidden, err error) {
	defer guard(&err)
	if s.graph == nil {
		return h, core.ErrClosed
	}
	dim, rows, width := s.graph.dim, len(b.Lengths), 0
	for _, n := range b.Lengths {
		width = max(width, n)
	}
	if rows == 0 || width == 0 {
		return embedder.Hidden{Dim: dim, Offsets: make([]int, rows)}, nil
	}
	s.fill(b, rows, width)
	if err := s.execute(int64(rows), int64(width)); err != nil {
		return h, fmt.Errorf("run the model on %d texts of up to %d tokens: %w", rows, width, err)
	}
	return embedder.Hidden{Data: s.out[:rows*width*dim], Offsets: s.starts, Dim: dim}, nil
}

// fill lays the packed ids out in rows of equal width.
func (s *session) fill(b embedder.Batch, rows, width int) {
	n := rows * width
	s.ids, s.mask, s.types = zeroed(s.ids, n), zeroed(s.mask, n), zeroed(s.types, n)
	if dim := s.graph.dim; len(s.out) < n*dim {
		s.out = make([]float32, n*dim)
	}
	s.starts = s.starts[:0]
	at := 0
	for r, length := range b.Lengths {
		for t, id := range b.IDs[at : at+length] {
			s.ids[r*width+t], s.mask[r*width+t] = int64(id), 1
		}
		at += length
		s.starts = append(s.starts, r*width)
	}
}

// zeroed returns a slice of n zeros, in buf where that is large enough.
func zeroed(buf []int64, n int) []int64 {
	if cap(buf) < n {
		return make([]int64, n)
	}
	buf = buf[:n]
	clear(buf)
	return buf
}

// execute runs the graph on the session's memory, which ONNX Runtime reads and
// writes in place.
func (s *session) execute(rows, width int64) error {
	s.values = s.values[:0]
	defer func() {
		for _, v := range s.values {
			_ = v.Destroy() // frees a handle on our own memory
		}
	}()
	for _, name := range s.graph.inputs {
		t, err := onnx.NewTensor(onnx.NewShape(rows, width), s.input(name))
		if err != nil {
			return err
		}
		s.values = append(s.values, t)
	}
	out, err := onnx.NewTensor(onnx.NewShape(rows, width, int64(s.graph.dim)), s.out)
	if err != nil {
		return err
	}
	s.values = append(s.values, out)
	last := len(s.values) - 1
	return s.graph.run.Run(s.values[:last], s.values[last:])
}

func (s *session) input(name string) []int64 {
	switch name {
	case inputIDs:
		return s.ids
	case inputMask:
		return s.mask
	}
	return s.types
}

// Close implements embedder.Runtime. Closing twice is no error.
func (s *session) Close() (err error) {
	defer guard(&err)
	if s.graph == nil {
		return nil
	}
	g := s.graph
	s.graph = nil
	return g.release()
}
