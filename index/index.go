// Package index defines what a vector index is. The implementations live in
// the folders below: flat compares a query with every vector and is the truth
// that recall is measured against; coder wraps the github.com/coder/hnsw
// graph. indextest holds the suite that every implementation passes. The
// package field, beside them, answers conditions on document fields.
package index

import (
	"context"
	"fmt"

	"github.com/vecdb/vecdb/internal/core"
)

// Metric says how two vectors are compared. A larger score is always a nearer
// vector.
type Metric string

// The metrics and their scores: Cosine gives the cosine in [-1, 1] (vectors
// are normalised when inserted), Dot the inner product, L2 the negated squared
// Euclidean distance.
const (
	Cosine Metric = "cosine"
	Dot    Metric = "dot"
	L2     Metric = "l2"
)

// ParseMetric returns the metric of that name; "" is Cosine.
func ParseMetric(name string) (Metric, error) {
	switch m := Metric(name); m {
	case "":
		return Cosine, nil
	case Cosine, Dot, L2:
		return m, nil
	}
	return "", core.Invalid("/metric", "use cosine, dot or l2", "unknown metric %q", name)
}

// Config is what every implementation is made with.
type Config struct {
	Dim    int    // numbers a vector, 1 to core.MaxDim
	Metric Metric // "" is Cosine
}

// Check returns c with its metric filled in, or an error unless c can be used.
// Implementations call it first.
func (c Config) Check() (Config, error) {
	metric, err := ParseMetric(string(c.Metric))
	if err != nil {
		return c, err
	}
	if c.Dim < 1 || c.Dim > core.MaxDim {
		return c, core.Invalid("/dimension", "give the number of floats in a vector", "the dimension is %d, 1 to %d are allowed", c.Dim, core.MaxDim)
	}
	c.Metric = metric
	return c, nil
}

// Item is a vector to insert under an ordinal. The index copies the vector.
type Item struct {
	Ord    core.Ord
	Vector []float32
}

// Neighbor is a found ordinal with its score; larger is nearer.
type Neighbor struct {
	Ord   core.Ord
	Score float32
}

// Options of a search. The zero value of each field is its default.
type Options struct {
	// K is how many neighbors to return at most; at least 1.
	K int
	// Allow restricts the search to its members; nil allows all. The index
	// only reads it.
	Allow *core.Set
	// Ef is the breadth of a graph search (efSearch); 0 is the index's default.
	// Exact indexes ignore it.
	Ef int
	// Recall is the share of the true neighbors, above 0 and below 1, that a
	// search is to find on average: indexes that can choose the breadth for it,
	// unless Ef says one. 0 leaves it at the default breadth.
	Recall float64
}

// Index finds the nearest of the vectors that were inserted. All methods are
// safe for concurrent use.
type Index interface {
	// Insert adds items. Inserting an ordinal that is present replaces its
	// vector. The vectors are checked for length and finiteness; on an error
	// none or some of the items are inserted, and inserting them again is safe.
	Insert(ctx context.Context, items []Item) error
	// Delete removes ordinals; absent ones are no error. A deleted ordinal is
	// never returned by a search that starts afterwards.
	Delete(ords ...core.Ord)
	// Search returns the nearest allowed neighbors of q, best first, fewer
	// than K only when fewer are allowed or, in approximate indexes, found.
	// Equal scores come in ascending order of ordinals.
	Search(ctx context.Context, q []float32, o Options) ([]Neighbor, error)
	// Len returns the number of vectors present.
	Len() int
	// SizeBytes estimates the memory held, in bytes.
	SizeBytes() int64
}

// Scorer is an Index that scores vectors it is told rather than looking for some.
type Scorer interface {
	Index
	// Scores returns the scores that Search gives the vectors under ords for q, in
	// their order; not a number where there is none.
	Scores(ctx context.Context, q []float32, ords []core.Ord) ([]float32, error)
	// Vectors returns the vectors under ords as they are scored: rounded to what
	// the index keeps of them and, for Cosine, of unit length; nil where there is
	// none. The caller owns them.
	Vectors(ords []core.Ord) ([][]float32, error)
}

// CheckQuery returns an error unless q has dim finite numbers and o asks for
// at least one neighbor. Implementations call it first.
func CheckQuery(q []float32, dim int, o Options) error {
	if o.K < 1 {
		return core.Invalid("/limit", "ask for at least 1", "k is %d", o.K)
	}
	if !(o.Recall >= 0 && o.Recall < 1) {
		return core.Invalid("/params/recall", "give a number such as 0.95, or ask for an exact search", "the recall is %v, it must be above 0 and below 1", o.Recall)
	}
	if err := core.CheckVector("/vector", q, dim); err != nil {
		return fmt.Errorf("search: %w", err)
	}
	return nil
}
