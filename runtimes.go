package vecdb

import (
	"errors"
	"fmt"

	"golang.org/x/sync/errgroup"

	"github.com/vecdb/vecdb/embedder"
	"github.com/vecdb/vecdb/embedder/bundle"
	"github.com/vecdb/vecdb/embedder/hub"
	"github.com/vecdb/vecdb/embedder/native"
	"github.com/vecdb/vecdb/embedder/ort"
	"github.com/vecdb/vecdb/embedder/token"
	"github.com/vecdb/vecdb/internal/core"
	"github.com/vecdb/vecdb/internal/simd/matrix"
)

// The runtimes that Options.ModelRuntime names.
const (
	// RuntimeAuto takes vecdb's own runtime for the models and precisions that it
	// can compute, where the processor has vector instructions and the files are
	// here, and ONNX Runtime for all others.
	RuntimeAuto = "auto"
	// RuntimeNative is vecdb's own: models of the BERT family in int8 and bf16.
	RuntimeNative = "native"
	// RuntimeONNX is ONNX Runtime: any text encoder, in int8 and fp32.
	RuntimeONNX = "onnx"
)

// checkRuntime fills in the default.
func checkRuntime(name string) (string, error) {
	switch name {
	case "":
		return RuntimeAuto, nil
	case RuntimeAuto, RuntimeNative, RuntimeONNX:
		return name, nil
	}
	return "", core.Invalid("", "use auto, native or onnx", "unknown model runtime %.40q", name)
}

// PrefersNative tells whether a model's precision is computed by vecdb's own
// runtime when the files of both runtimes are here. In plain Go it is the slower
// one, and used only where ONNX Runtime cannot be.
func PrefersNative(runtime string, p embedder.Precision) bool {
	switch {
	case p == embedder.FP32 || runtime == RuntimeONNX:
		return false
	case p == embedder.BF16 || runtime == RuntimeNative:
		return true
	}
	return !ort.Built || matrix.Kernels() != matrix.Generic
}

// sources are the files of a model for either runtime, or why there are none.
type sources struct {
	native    hub.NativeFiles
	nativeErr error
	onnx      hub.Files
	onnxErr   error
}

// locate finds the files of a model.
func (m *models) locate(name string, p embedder.Precision) (s sources) {
	if s.nativeErr = errNotNative(p); s.nativeErr == nil {
		s.native, s.nativeErr = m.hub.LocateNative(name, p)
	}
	if s.onnxErr = errNotONNX(p); s.onnxErr == nil {
		s.onnx, s.onnxErr = m.hub.Locate(name, p)
	}
	return s
}

func errNotNative(p embedder.Precision) error {
	if p == embedder.FP32 {
		return core.Invalid("/precision", "use int8 or bf16, or ONNX Runtime (--model-runtime onnx)", "vecdb's own runtime does not compute %s", p)
	}
	return nil
}

func errNotONNX(p embedder.Precision) error {
	if p == embedder.BF16 {
		return core.Invalid("/precision", "use int8 or fp32, or vecdb's own runtime (--model-runtime native)", "ONNX Runtime does not compute %s here", p)
	}
	return nil
}

// try is a way to open a model.
type try struct {
	name string
	open func() (opened, error)
}

// opened is a model that a runtime has opened: one session for each thread and one
// for queries. by names the runtime and the file of weights, all that numbers of
// the same tokens depend on.
type opened struct {
	sessions []embedder.Runtime
	tokens   embedder.Tokenizer
	by       string
	runtime  string // its name alone
}

// openSessions opens a model with the first runtime of those that may be used that
// can compute it.
func (m *models) openSessions(model embedder.Model, p embedder.Precision, s sources) (opened, error) {
	own := try{RuntimeNative, func() (opened, error) { return m.openNative(model, p, s) }}
	onnx := try{RuntimeONNX, func() (opened, error) { return m.openONNX(model, p, s) }}
	tries := []try{onnx, own}
	if PrefersNative(m.options.ModelRuntime, p) {
		tries = []try{own, onnx}
	}
	if m.options.ModelRuntime != RuntimeAuto {
		tries = tries[:1]
	}
	var first error
	for _, t := range tries {
		o, err := t.open()
		if err == nil {
			o.runtime = t.name
			m.options.Logger.Debug("opened a model", "model", model.Name, "precision", p, "runtime", t.name)
			return o, nil
		}
		// What a runtime cannot compute says less than what keeps the other from it.
		if first == nil || errors.Is(first, native.ErrArchitecture) || errors.Is(first, core.ErrInvalid) {
			first = err
		}
		if !errors.Is(err, ErrNoModel) && !errors.Is(err, ErrNoRuntime) && !errors.Is(err, core.ErrInvalid) {
			m.options.Logger.Warn("a runtime cannot compute a model", "model", model.Name, "precision", p, "runtime", t.name, "error", err)
		}
	}
	return opened{}, first
}

func (m *models) openNative(model embedder.Model, p embedder.Precision, s sources) (opened, error) {
	if s.nativeErr != nil {
		return opened{}, s.nativeErr
	}
	files := native.Files{Weights: s.native.Weights, SHA256: s.native.SHA256, Pack: s.native.Pack}
	tokenizer := func() (embedder.Tokenizer, error) {
		return token.Load(s.native.Tokenizer, token.Options{Lowercase: model.Lowercase})
	}
	if s.native.Bundled {
		pack, vocabulary, err := bundle.Read(model.Name)
		if err != nil {
			return opened{}, fmt.Errorf("read the model within the binary: %w", err)
		}
		files.Data = pack
		tokenizer = func() (embedder.Tokenizer, error) {
			return token.Parse(vocabulary, token.Options{Lowercase: model.Lowercase})
		}
	}
	// Either takes some ten milliseconds.
	var tokens embedder.Tokenizer
	var group errgroup.Group
	group.Go(func() (err error) {
		tokens, err = tokenizer()
		return err
	})
	sessions, err := native.Open(files, native.Options{Precision: p, Dim: model.Dim, Pooling: model.Pooling}, m.options.Threads+1)
	if failed := group.Wait(); failed != nil {
		for _, one := range sessions {
			failed = errors.Join(failed, one.Close())
		}
		return opened{}, failed
	}
	return opened{sessions: sessions, tokens: tokens, by: fmt.Sprintf("%s %s %s %s", RuntimeNative, matrix.Kernels(), p, s.native.SHA256)}, err
}

func (m *models) openONNX(model embedder.Model, p embedder.Precision, s sources) (opened, error) {
	if s.onnxErr != nil {
		return opened{}, s.onnxErr
	}
	tokens, err := token.Load(s.onnx.Tokenizer, token.Options{Lowercase: model.Lowercase})
	if err != nil {
		return opened{}, err
	}
	library, err := m.openLibrary()
	if err != nil {
		return opened{}, err
	}
	sessions, err := library.NewSessions(s.onnx.Model, m.options.Threads+1, ort.Options{Threads: 1, Dim: model.Dim})
	return opened{sessions: sessions, tokens: tokens, by: fmt.Sprintf("%s %s %s %s", RuntimeONNX, library.Version(), p, model.Files[string(p)].SHA256)}, err
}

func (m *models) openLibrary() (*ort.Library, error) {
	path, err := m.hub.LocateRuntime()
	if err != nil {
		return nil, err
	}
	return ort.Open(path)
}

// runtimeName names the runtimes that can be used.
func (m *models) runtimeName() string {
	own := "native (" + matrix.Kernels() + ")"
	if m.options.ModelRuntime == RuntimeNative {
		return own
	}
	onnx := ""
	library, err := m.openLibrary()
	if err == nil {
		onnx = "onnxruntime " + library.Version()
	}
	switch {
	case m.options.ModelRuntime == RuntimeONNX && err != nil:
		return "none: " + err.Error()
	case m.options.ModelRuntime == RuntimeONNX:
		return onnx
	case err != nil:
		return own
	}
	return fmt.Sprintf("%s, %s", own, onnx)
}
