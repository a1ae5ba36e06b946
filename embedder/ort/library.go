//go:build cgo && !noort && !purego

package ort

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"

	onnx "github.com/yalue/onnxruntime_go"

	"github.com/vecdb/vecdb/internal/core"
)

// Built tells whether this build can load ONNX Runtime.
const Built = true

// Library is the loaded ONNX Runtime library.
type Library struct{ path string }

// loaded is the one library of the process: ONNX Runtime keeps global state
// and can be loaded only once, so it stays until the process ends.
var loaded struct {
	sync.Mutex
	lib *Library
}

// Open loads the shared library at path, once for the process: later calls
// return the library that was loaded first, whatever their path. The error
// matches core.ErrNoRuntime when the file is missing or cannot be used.
func Open(path string) (*Library, error) {
	loaded.Lock()
	defer loaded.Unlock()
	if loaded.lib != nil {
		return loaded.lib, nil
	}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: there is no library %s (run: vecdb model pull --runtime)", core.ErrNoRuntime, path)
	}
	if err := initialize(path); err != nil {
		return nil, fmt.Errorf("%w: %s cannot be loaded: %w (run: vecdb model pull --runtime)", core.ErrNoRuntime, path, err)
	}
	loaded.lib = &Library{path: path}
	return loaded.lib, nil
}

func initialize(path string) (err error) {
	defer guard(&err)
	onnx.SetSharedLibraryPath(path)
	return onnx.InitializeEnvironment(onnx.WithLogLevelError())
}

// Version returns the version of the library.
func (*Library) Version() string { return onnx.GetVersion() }

// guard turns a panic of the binding into an error.
func guard(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("the ONNX Runtime binding panicked: %v", p)
	}
}
