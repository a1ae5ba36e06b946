package vecdb

import (
	"context"
	"log/slog"
	"runtime"

	"github.com/vecdb/vecdb/embedder"
	"github.com/vecdb/vecdb/embedder/hub"
	"github.com/vecdb/vecdb/internal/core"
)

// The index back ends that Options.Index names.
const (
	IndexFlat        = "flat"         // exact: compares a query with every vector
	IndexHNSW        = "hnsw"         // the graph of package index/hnsw; exact up to 1,000 vectors
	IndexHNSWCompact = "hnsw-compact" // the same in a quarter of the memory, slower
	IndexHNSWDisk    = "hnsw-disk"    // the same in an eighth of the memory, with most of each vector in a file
	IndexCoder       = "coder"        // github.com/coder/hnsw, for comparison; its recall is low
)

// Options of Open. The zero value is ready to use.
type Options struct {
	// InMemory keeps everything in memory and ignores the directory.
	InMemory bool
	// ReadOnly opens an existing directory without changing it; writes return
	// ErrReadOnly.
	ReadOnly bool
	// Index is the index back end, IndexHNSW by default.
	Index string
	// Home is the folder of models and runtimes. Default: $VECDB_HOME, else
	// vecdb in the user's cache directory.
	Home string
	// ModelRuntime is what computes models: RuntimeAuto (default), RuntimeNative or
	// RuntimeONNX.
	ModelRuntime string
	// Threads is how many one-thread sessions a model gets. Default: one a
	// core (GOMAXPROCS).
	Threads int
	// MinFreeBytes is the free space below which writes are refused with
	// ErrFull. 0 is max(512 MiB, 1 % of the file system); negative is no check.
	MinFreeBytes int64
	// EmbeddingCacheBytes bounds the cache of vectors in the database directory, in
	// bytes: a text that was embedded by the same model before is not embedded
	// again. 0 is 512 MiB; with a negative number there is none, and what was kept
	// is erased. In memory there is none. It holds vectors under hashes of their
	// texts, those of deleted documents too until they make room for others.
	EmbeddingCacheBytes int64
	// IgnoreMemory stores documents even if their vectors are not expected to
	// fit into memory; by default they are refused with ErrMemory.
	IgnoreMemory bool
	// MemoryAvailable tells how many bytes of memory indexes may still take, and
	// whether that is known. Default: AvailableMemory.
	MemoryAvailable func() (bytes int64, known bool)
	// Logger gets what happens in the background; nil discards it.
	Logger *slog.Logger
	// Chat writes answers where a request asks for that; nil refuses such
	// requests. What it is sent may leave this machine.
	Chat ChatModel
	// OpenModel opens a model. Default: from the files under Home. Programs
	// with an embedder of their own set it; its vectors are not cached.
	OpenModel func(ctx context.Context, model, precision string) (embedder.Embedder, error)
}

// withDefaults fills in the defaults and checks the rest.
func (o Options) withDefaults() (Options, error) {
	if err := checkIndexKind(o.Index); err != nil {
		return o, err
	}
	var err error
	if o.ModelRuntime, err = checkRuntime(o.ModelRuntime); err != nil {
		return o, err
	}
	if o.InMemory {
		o.EmbeddingCacheBytes = -1
	}
	if o.Index == "" {
		o.Index = IndexHNSW
	}
	if o.Home == "" {
		o.Home = hub.DefaultHome()
	}
	if o.Threads <= 0 {
		o.Threads = runtime.GOMAXPROCS(0)
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o, nil
}

// CollectionOptions describes a new collection. The zero value is an English
// one with the default model.
type CollectionOptions struct {
	// Language picks the default model: "en" (default), "zh", or LanguageAuto, with
	// which the first texts pick one of the two.
	Language string
	// Model names a model of the manifest; NoModel makes a collection that
	// takes vectors only. Default: the language's.
	Model string
	// Precision is "int8" (default), "bf16" or "fp32".
	Precision string
	// Dim is the length of the vectors: needed with NoModel. With a model 0 is
	// the model's, and less keeps the first so many numbers of each vector, scaled
	// to unit length: models that were trained for it (Matryoshka, arXiv
	// 2205.13147) lose little by that, others more.
	Dim int
	// Metric is "cosine" (default), "dot" or "l2".
	Metric string
	// Fields declares types of fields: keyword, text, integer, float, bool,
	// datetime (RFC 3339, or a date) or geo (an object with lat and lon).
	// Fields that are not named may hold anything.
	Fields map[string]string
	// Duplicates is what becomes of documents that are there already, unless an
	// UpsertOptions says otherwise.
	Duplicates Duplicates
	// Long is what becomes of texts with more tokens than the model takes at once,
	// unless an UpsertOptions says otherwise: LongChunk (default), LongTruncate or
	// LongError. Models whose tokenizer does not tell where its tokens are cannot
	// cut and truncate by default. Collections of versions before truncate.
	Long string
}

// NoModel is the CollectionOptions.Model of a collection without a model.
const NoModel = "none"

// Wait says how far a write must have come before the call returns.
type Wait string

// The levels of waiting; the zero value is WaitDurable.
const (
	WaitDurable Wait = "durable" // on stable storage
	WaitIndexed Wait = "indexed" // found by searches too
	WaitTrained Wait = "trained" // whatever is learnt from the documents has caught up too
)

// ParseWait returns the level of that name; "" is WaitDurable.
func ParseWait(name string) (Wait, error) {
	switch w := Wait(name); w {
	case "":
		return WaitDurable, nil
	case WaitDurable, WaitIndexed, WaitTrained:
		return w, nil
	}
	return "", core.Invalid("", "use durable, indexed or trained", "unknown wait level %q", name)
}
