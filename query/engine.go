// Package query is the one query engine of vecdb. Search, recommendation and
// classification take the same steps: make a query vector, turn the filter
// into a set of ordinals, ask the index for the nearest, fetch the documents,
// and turn the hits into an answer. They differ only in the first step and in
// the last.
package query

import (
	"context"
	"time"

	"github.com/vecdb/vecdb/answers"
	"github.com/vecdb/vecdb/index"
	"github.com/vecdb/vecdb/internal/core"
	"github.com/vecdb/vecdb/recommender"
	"github.com/vecdb/vecdb/train"
)

// Source is what the engine asks of a collection. It is safe for concurrent
// use.
type Source interface {
	// Embed embeds texts as queries.
	Embed(ctx context.Context, texts []string) (Embedded, error)
	// EmbedPassages embeds texts as documents are.
	EmbedPassages(ctx context.Context, texts []string) ([][]float32, error)
	// Nearest returns the documents of the nearest stored vectors, each once;
	// exact asks for a comparison with every allowed one.
	Nearest(ctx context.Context, q []float32, o index.Options, exact bool) ([]index.Neighbor, error)
	// Words looks a text up in the index of words.
	Words(text string) Words
	// Documents returns the documents under ords, nil where there is none any
	// more; their vectors are set only withVectors.
	Documents(ctx context.Context, ords []core.Ord, withVectors bool) ([]*core.Document, error)
	// Vectors returns the vectors of the documents under ords, nil where there is
	// none any more.
	Vectors(ctx context.Context, ords []core.Ord) ([][]float32, error)
	// Similarities returns the scores that Nearest gives the documents under ords, in
	// their order; not a number where there is none any more.
	Similarities(ctx context.Context, q []float32, ords []core.Ord, exact bool) ([]float32, error)
	// Rounded is Vectors but for rounding and, where documents are compared by
	// their direction only, for their lengths. It takes a fraction of the time.
	Rounded(ctx context.Context, ords []core.Ord) ([][]float32, error)
	// Cuts tells into what the documents under ords were cut, and how similar the
	// passages are to q unless that is nil.
	Cuts(ctx context.Context, ords []core.Ord, q []float32) ([]Cut, error)
	// Ordinals returns the ordinals of ids, core.NoOrd where there is none.
	Ordinals(ctx context.Context, ids []string) ([]core.Ord, error)
	// Lookup returns the ordinals that satisfy a condition; the caller owns
	// the set. "id exists" holds for every document.
	Lookup(cond core.Condition) (*core.Set, error)
	// Facet counts the documents of each value of a field within a set, nil for
	// all, and returns the limit most frequent ones and the number of values.
	Facet(field string, within *core.Set, limit int) (values []core.FacetValue, distinct int)
	// Buckets counts the documents of a set, nil for all, in the buckets of their
	// values, which of appends to a list; strings that are times come as time.Time.
	// A document counts once in each bucket.
	Buckets(field string, within *core.Set, of func(v any, list []int64) []int64) map[int64]int
	// Values calls each with every value that the documents under ords hold in a
	// field, of which i is the place in ords; "id" holds their ids. A field whose
	// values have no order is an *core.InputError.
	Values(field string, ords []core.Ord, each func(i int, v any)) error
	// Several returns the documents that hold several values of a field; the
	// caller owns the set.
	Several(field string) *core.Set
	// Ordered calls each with the ordinals that hold a value of a field, value by
	// value in rising or falling order from a value on, nil for all, until it
	// returns false. The order is that of SortKey; times are time.Time. each must
	// not call the source.
	Ordered(field string, from any, falls bool, each func(ords []core.Ord) bool)
	// Identity tells the collection from all others, for cursors.
	Identity() string
	// FieldNames returns the names of the fields that any document has.
	FieldNames() []string
	// Head returns the head that is trained on the labels of a field, nil where
	// there is none, and then why.
	Head(labelField string) (head *train.Head, why string)
	// Behavior returns what users do, and what was learnt from that, nil where
	// nothing was.
	Behavior() (*recommender.Behavior, *recommender.Model)
	// Answers returns what feedback says of answers, and how sure scores make
	// those of a field.
	Answers(answerField string) (*answers.Memory, answers.Fitted)
}

// Embedded is what Source.Embed returns.
type Embedded struct {
	Vectors  [][]float32
	Tokenize time.Duration
	Run      time.Duration
}

// Engine answers requests over one Source. It has no state of its own and is
// safe for concurrent use.
type Engine struct {
	source Source
	metric index.Metric
	dim    int
}

// New returns an engine over source, whose vectors have dim numbers and are
// compared by metric; "" is index.Cosine. With dim 0 it is not known yet how many:
// the source is empty and is asked for no vectors, and nothing is found.
func New(source Source, metric index.Metric, dim int) *Engine {
	if metric == "" {
		metric = index.Cosine
	}
	return &Engine{source: source, metric: metric, dim: dim}
}
