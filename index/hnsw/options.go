package hnsw

import (
	"github.com/vecdb/vecdb/internal/core"
)

// Options of New. The zero value is ready to use.
type Options struct {
	// EfConstruction is how many vertices are expanded to find the neighbors of
	// a new one, 1 to 4096; default 256. More takes longer and makes a better
	// graph. With fewer than a cluster has vectors, a graph that half of its
	// vectors leave and enter again and again loses recall: at 40, in clusters
	// of 100, four points after ten times; at 100 and above none.
	EfConstruction int
	// Compact saves memory: about 1.4 bytes a dimension and 150 bytes a vector
	// instead of 5.8 and 280, at a higher cost a search.
	Compact bool
	// Disk keeps what a search walks by in memory, about 0.33 bytes a dimension
	// and 170 bytes a vector, and what the answers are scored by, 1.5 bytes a
	// dimension, in a file that is mapped. Up to 64 dimensions all is in memory,
	// as if Compact. It needs a system that maps files.
	Disk bool
	// Folder is where the file of Disk lies as long as the index lives, without a
	// name; "" is that for temporary files. It should be on a disk.
	Folder string
	// ScanBelow is the number of vectors below which a search compares the
	// query with all of them; default 1000, negative is never.
	ScanBelow int
	// Seed makes the rotation and the layers of vertices differ.
	Seed uint64
}

const (
	upperDegree           = 16 // neighbors of a vertex on a layer above the bottom
	maxLevel              = 24
	defaultEf             = 64
	defaultEfConstruction = 256
	defaultScanBelow      = 1000
	maxEfConstruction     = 4096

	// Lists of neighbors of new vertices, and those that were full and are
	// chosen anew, are filled up to these lengths with vertices that the
	// heuristic has passed over. The places left in old lists take what comes
	// until the next choice, which is what building spends its time on.
	fillNew = 24
	fillOld = 0
)

func (o Options) withDefaults() (Options, error) {
	if o.EfConstruction == 0 {
		o.EfConstruction = defaultEfConstruction
	}
	if o.EfConstruction < 0 || o.EfConstruction > maxEfConstruction {
		return o, core.Invalid("/ef_construction", "", "ef_construction is %d, 1 to %d are allowed", o.EfConstruction, maxEfConstruction)
	}
	if o.Disk && !canMap {
		return o, core.Invalid("/index", "use hnsw-compact", "vectors on disk need a system that maps files")
	}
	if o.ScanBelow == 0 {
		o.ScanBelow = defaultScanBelow
	}
	return o, nil
}
