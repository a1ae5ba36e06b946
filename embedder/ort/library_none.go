//go:build !cgo || noort || purego

package ort

import (
	"fmt"

	"github.com/vecdb/vecdb/embedder"
	"github.com/vecdb/vecdb/internal/core"
)

// Built tells whether this build can load ONNX Runtime.
const Built = false

// Library stands for ONNX Runtime, which this build cannot load.
type Library struct{}

// Open returns an error that matches core.ErrNoRuntime.
func Open(string) (*Library, error) {
	return nil, fmt.Errorf("%w: this binary was built without cgo and cannot load ONNX Runtime, only vecdb's own runtime works (int8 and bf16 of the BERT family); build with CGO_ENABLED=1 and without the tags purego and noort for others", core.ErrNoRuntime)
}

// Version returns "none".
func (*Library) Version() string { return "none" }

// NewSessions returns an error that matches core.ErrNoRuntime.
func (*Library) NewSessions(string, int, Options) ([]embedder.Runtime, error) {
	_, err := Open("")
	return nil, err
}
