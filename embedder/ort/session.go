//go:build cgo && !noort && !purego

package ort

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

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

// session is one ONNX Runtime session with the memory of its inputs and
// output, which is kept between runs and only grows.
type session struct {
	run    *onnx.DynamicAdvancedSession
	inputs []string
	dim    int
	ids    []int64
	mask   []int64
	types  []int64
	out    []float32
	starts []int
}

var _ embedder.Runtime = (*session)(nil)

// NewSession opens a model. The error matches core.ErrNoModel when there is no
// such file and core.ErrCorrupt when it is not a model that can be run.
func (*Library) NewSession(model string, o Options) (_ embedder.Runtime, err error) {
	defer guard(&err)
	if _, err := os.Stat(model); errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: there is no file %s (run: vecdb model pull)", core.ErrNoModel, model)
	}
	ins, outs, err := onnx.GetInputOutputInfo(model)
	if err != nil {
		return nil, fmt.Errorf("model file %s: %w: %w (remove it and run: vecdb model pull)", model, core.ErrCorrupt, err)
	}
	s := &session{}
	if s.inputs, err = inputNames(ins); err != nil {
		return nil, fmt.Errorf("model file %s: %w", model, err)
	}
	output, dim, err := hiddenStates(outs)
	if err != nil {
		return nil, fmt.Errorf("model file %s: %w", model, err)
	}
	s.dim = dim
	opts, err := sessionOptions(max(1, o.Threads))
	if err != nil {
		return nil, fmt.Errorf("options of a session: %w", err)
	}
	// Freeing options that a session was made with cannot fail.
	defer func() { _ = opts.Destroy() }()
	s.run, err = onnx.NewDynamicAdvancedSession(model, s.inputs, []string{output}, opts)
	if err != nil {
		return nil, fmt.Errorf("model file %s: %w: %w (remove it and run: vecdb model pull)", model, core.ErrCorrupt, err)
	}
	return s, nil
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
// token.
func hiddenStates(outs []onnx.InputOutputInfo) (string, int, error) {
	for _, out := range outs {
		if len(out.Dimensions) == 3 && out.DataType == onnx.TensorElementDataTypeFloat {
			if dim := out.Dimensions[2]; dim > 0 && dim <= core.MaxDim {
				return out.Name, int(dim), nil
			}
		}
	}
	return "", 0, fmt.Errorf("the model has no output with one vector of floats a token: %w", core.ErrCorrupt)
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
	if s.run == nil {
		return h, core.ErrClosed
	}
	rows, width := len(b.Lengths), 0
	for _, n := range b.Lengths {
		width = max(width, n)
	}
	if rows == 0 || width == 0 {
		return embedder.Hidden{Dim: s.dim, Offsets: make([]int, rows)}, nil
	}
	s.fill(b, rows, width)
	if err := s.execute(int64(rows), int64(width)); err != nil {
		return h, fmt.Errorf("run the model on %d texts of up to %d tokens: %w", rows, width, err)
	}
	return embedder.Hidden{Data: s.out[:rows*width*s.dim], Offsets: s.starts, Dim: s.dim}, nil
}

// fill lays the packed ids out in rows of equal width.
func (s *session) fill(b embedder.Batch, rows, width int) {
	n := rows * width
	s.ids, s.mask, s.types = zeroed(s.ids, n), zeroed(s.mask, n), zeroed(s.types, n)
	if len(s.out) < n*s.dim {
		s.out = make([]float32, n*s.dim)
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

func (s *session) execute(rows, width int64) error {
	var inputs []onnx.Value
	defer func() {
		for _, v := range inputs {
			_ = v.Destroy() // frees a handle on our own memory
		}
	}()
	for _, name := range s.inputs {
		data := map[string][]int64{inputIDs: s.ids, inputMask: s.mask, inputType: s.types}[name]
		t, err := onnx.NewTensor(onnx.NewShape(rows, width), data)
		if err != nil {
			return err
		}
		inputs = append(inputs, t)
	}
	out, err := onnx.NewTensor(onnx.NewShape(rows, width, int64(s.dim)), s.out)
	if err != nil {
		return err
	}
	defer func() { _ = out.Destroy() }()
	return s.run.Run(inputs, []onnx.Value{out})
}

// Close implements embedder.Runtime. Closing twice is no error.
func (s *session) Close() (err error) {
	defer guard(&err)
	if s.run == nil {
		return nil
	}
	run := s.run
	s.run = nil
	return run.Destroy()
}
