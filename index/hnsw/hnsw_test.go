package hnsw

import (
	"testing"

	"github.com/vecdb/vecdb/index"
	"github.com/vecdb/vecdb/index/indextest"
)

// The recall of graphs of the suite's vectors varies with the order in which
// several goroutines insert: where it is lowest, in 64 dimensions, its mean is 0.935
// with a standard deviation of 0.010. The floor lies five of them below.
func TestSuite(t *testing.T) {
	for name, o := range map[string]Options{
		"graph":   {ScanBelow: -1, EfConstruction: 64},
		"compact": {Compact: true, EfConstruction: 64},
		"disk":    {Disk: true, EfConstruction: 64},
	} {
		t.Run(name, func(t *testing.T) {
			indextest.Run(t, indextest.Suite{
				New:    func(cfg index.Config) (index.Index, error) { return New(cfg, o) },
				Recall: 0.88, Tolerance: map[bool]float64{false: 5e-4, true: 1e-2}[o.Compact],
			})
		})
	}
}
