package vecdb

import (
	"path/filepath"
	"slices"
	"strings"

	"github.com/vecdb/vecdb/index"
	"github.com/vecdb/vecdb/index/coder"
	"github.com/vecdb/vecdb/index/flat"
	"github.com/vecdb/vecdb/index/hnsw"
	"github.com/vecdb/vecdb/index/snapshot"
	"github.com/vecdb/vecdb/internal/core"
)

// indexKind is an index back end.
type indexKind struct {
	name string
	// make makes an empty index, which may have a file in a folder; "" is that
	// for temporary files.
	make func(cfg index.Config, folder string) (index.Index, error)
	open func(string, index.Config) (*hnsw.Index, snapshot.Mark, error) // nil when it has no snapshots
	// bytes predicts the memory of so many vectors, diskBytes what they take in
	// the file besides.
	bytes, diskBytes func(index.Config, int) (int64, error)
}

// graphKind is the graph with its options.
func graphKind(name string, o hnsw.Options) indexKind {
	return indexKind{
		name: name,
		make: func(c index.Config, folder string) (index.Index, error) {
			o.Folder = folder
			return hnsw.New(c, o)
		},
		open: func(path string, c index.Config) (*hnsw.Index, snapshot.Mark, error) {
			o.Folder = filepath.Dir(path)
			return hnsw.OpenSnapshot(path, c, o)
		},
		bytes:     func(c index.Config, n int) (int64, error) { return hnsw.BytesFor(c, o, n) },
		diskBytes: func(c index.Config, n int) (int64, error) { return hnsw.DiskBytesFor(c, o, n) },
	}
}

// indexKinds is the one list of back ends: whatever offers a choice of them
// reads it.
func indexKinds() []indexKind {
	return []indexKind{
		{name: IndexFlat, make: func(c index.Config, _ string) (index.Index, error) { return flat.New(c) },
			bytes: func(c index.Config, n int) (int64, error) { return flat.BytesFor(c, n), nil }, diskBytes: noDisk},
		graphKind(IndexHNSW, hnsw.Options{}),
		graphKind(IndexHNSWCompact, hnsw.Options{Compact: true}),
		graphKind(IndexHNSWDisk, hnsw.Options{Disk: true}),
		{name: IndexCoder, make: func(c index.Config, _ string) (index.Index, error) { return coder.New(c, coder.Options{}) },
			bytes: func(c index.Config, n int) (int64, error) { return coder.BytesFor(c, n), nil }, diskBytes: noDisk},
	}
}

// noDisk predicts the file of an index that is all in memory.
func noDisk(index.Config, int) (int64, error) { return 0, nil }

// IndexKinds returns the names of the index back ends, the exact one first.
func IndexKinds() []string {
	var names []string
	for _, k := range indexKinds() {
		names = append(names, k.name)
	}
	return names
}

// NewIndex returns an empty index of a back end, as collections use it; ""
// stands for IndexHNSW. A name that is none of IndexKinds is an error that
// matches ErrInvalid. The file of IndexHNSWDisk lies in the folder for temporary
// files. Where the index has a method Close() error, the caller
// calls it in the end.
func NewIndex(kind string, cfg index.Config) (index.Index, error) {
	if err := checkIndexKind(kind); err != nil {
		return nil, err
	}
	return kindOf(kind).make(cfg, "")
}

// kindOf returns the back end of that name, which checkIndexKind has let pass.
func kindOf(name string) indexKind {
	if name == "" {
		name = IndexHNSW
	}
	at := slices.IndexFunc(indexKinds(), func(k indexKind) bool { return k.name == name })
	return indexKinds()[at]
}

// checkIndexKind refuses names that no back end has.
func checkIndexKind(kind string) error {
	if names := IndexKinds(); kind != "" && !slices.Contains(names, kind) {
		return core.Invalid("/index", "use "+strings.Join(names, ", "), "unknown index back end %q", kind)
	}
	return nil
}
