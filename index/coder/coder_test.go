package coder_test

import (
	"testing"

	"github.com/vecdb/vecdb/index"
	"github.com/vecdb/vecdb/index/coder"
	"github.com/vecdb/vecdb/index/indextest"
)

// The library's recall is low; the floor only tells that something is found.
// That it holds everything else the suite asks for is what the guards are for.
func TestConformance(t *testing.T) {
	indextest.Run(t, indextest.Suite{
		New:    func(cfg index.Config) (index.Index, error) { return coder.New(cfg, coder.Options{}) },
		Recall: 0.02,
	})
}
