// Package ort runs models with ONNX Runtime, through
// github.com/yalue/onnxruntime_go. It is the one package that needs cgo; in
// builds without it (CGO_ENABLED=0, or the build tag purego or noort) Open
// returns an error that matches core.ErrNoRuntime.
package ort

// Options of a session.
type Options struct {
	// Threads is how many threads one Run uses; 0 is 1. Several runs with one
	// thread each do more than one run with several.
	Threads int
	// Dim is how many numbers the model's vectors must have; 0 takes what the
	// file says. Some files leave it open.
	Dim int
}
