//go:build !cgo || noort || purego

package ort_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/vecdb/vecdb/embedder/ort"
	"github.com/vecdb/vecdb/internal/core"
)

func TestBuildsWithoutTheRuntimeSaySo(t *testing.T) {
	_, open := ort.Open("libonnxruntime.so")
	_, session := new(ort.Library).NewSessions("model.onnx", 1, ort.Options{})
	for name, err := range map[string]error{"Open": open, "NewSession": session} {
		if !errors.Is(err, core.ErrNoRuntime) || !strings.Contains(err.Error(), "CGO_ENABLED=1") {
			t.Errorf("%s gives %v, want ErrNoRuntime and what to do", name, err)
		}
	}
	if v := new(ort.Library).Version(); v != "none" {
		t.Errorf("the version is %q", v)
	}
}
