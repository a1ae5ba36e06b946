package hnsw

import (
	"testing"

	"github.com/vecdb/vecdb/index"
	"github.com/vecdb/vecdb/index/indextest"
)

func TestSuite(t *testing.T) {
	for name, o := range map[string]Options{
		"graph":   {ScanBelow: -1, EfConstruction: 64},
		"compact": {Compact: true, EfConstruction: 64},
		"disk":    {Disk: true, EfConstruction: 64},
	} {
		t.Run(name, func(t *testing.T) {
			indextest.Run(t, indextest.Suite{
				New:    func(cfg index.Config) (index.Index, error) { return New(cfg, o) },
				Recall: 0.92, Tolerance: map[bool]float64{false: 5e-4, true: 1e-2}[o.Compact],
			})
		})
	}
}
