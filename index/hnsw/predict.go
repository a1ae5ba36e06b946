package hnsw

import (
	"github.com/vecdb/vecdb/index"
	"github.com/vecdb/vecdb/index/flat"
)

// DiskBytesFor predicts what DiskBytes tells of an index of n vectors.
func DiskBytesFor(cfg index.Config, o Options, n int) (int64, error) {
	cfg, err := cfg.Check()
	if err != nil {
		return 0, err
	}
	if o, err = o.withDefaults(); err != nil {
		return 0, err
	}
	l := newLayout(paddedDim(cfg.Metric, cfg.Dim), o)
	if n < o.ScanBelow || !l.twoBits {
		return 0, nil
	}
	return int64(n) * int64(l.fineLen), nil
}

// BytesFor predicts what SizeBytes tells of an index of n vectors: of the memory
// that it takes.
func BytesFor(cfg index.Config, o Options, n int) (int64, error) {
	cfg, err := cfg.Check()
	if err != nil {
		return 0, err
	}
	if o, err = o.withDefaults(); err != nil {
		return 0, err
	}
	if n < o.ScanBelow {
		return flat.BytesFor(cfg, n), nil
	}
	l := newLayout(paddedDim(cfg.Metric, cfg.Dim), o)
	vertex := int64(l.stride) + int64(metaLen)
	if !l.twoBits {
		vertex += int64(l.fineLen)
	}
	// One vertex in upperDegree is raised, and one in upperDegree of those
	// again.
	raised := int64(n) / upperDegree
	lists := int64(n) / (upperDegree - 1)
	pages := (int64(n) + ordsPerPage - 1) / ordsPerPage
	return int64(n)*vertex + raised*int64(nodeLen) + lists*listLen + pages*(ordsPerPage*4+8), nil
}
