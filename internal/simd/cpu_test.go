package simd_test

import (
	"testing"

	"github.com/vecdb/vecdb/internal/simd"
)

func TestTheProcessorHasAName(t *testing.T) {
	if simd.CPU() == "" {
		t.Error("no name")
	}
}
