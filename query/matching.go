package query

import (
	"context"
	"fmt"
	"strconv"

	"github.com/vecdb/vecdb/internal/core"
)

// Matching returns the ordinals of the documents that satisfy f; the caller
// owns the set. nil gives nil, which stands for all. Errors about the filter
// have pointers relative to a request that holds it.
func (e *Engine) Matching(ctx context.Context, f *Filter) (*core.Set, error) {
	if f == nil {
		return nil, nil
	}
	if err := f.Validate(); err != nil {
		return nil, core.At("/filter", err)
	}
	set, err := e.matching(ctx, f)
	return set, core.At("/filter", err)
}

// matching is Matching for a filter that was checked; pointers of errors are
// relative to the filter.
func (e *Engine) matching(ctx context.Context, f *Filter) (*core.Set, error) {
	switch {
	case f == nil:
		return nil, nil
	case f.And != nil:
		return e.matchingAll(ctx, f.And)
	case f.Or != nil:
		return e.matchingAny(ctx, f.Or)
	case f.Not != nil:
		return e.matchingNot(ctx, f.Not)
	}
	return e.matchingLeaf(ctx, f)
}

func (e *Engine) matchingAll(ctx context.Context, list []*Filter) (*core.Set, error) {
	var out *core.Set
	for i, f := range list {
		set, err := e.matching(ctx, f)
		if err != nil {
			return nil, core.At("/and/"+strconv.Itoa(i), err)
		}
		if out = intersect(out, set); out.Len() == 0 {
			break
		}
	}
	return out, nil
}

func (e *Engine) matchingAny(ctx context.Context, list []*Filter) (*core.Set, error) {
	out := core.NewSet()
	for i, f := range list {
		set, err := e.matching(ctx, f)
		if err != nil {
			return nil, core.At("/or/"+strconv.Itoa(i), err)
		}
		out.Or(set)
	}
	return out, nil
}

// everything returns all documents. The caller owns the set.
func (e *Engine) everything(ctx context.Context) (*core.Set, error) {
	return e.lookup(ctx, core.Condition{Field: "id", Op: core.CondExists, Values: []any{true}})
}

// matchingNot asks for all documents before the ones to take away: a document
// written in between is then in neither answer, rather than in one that it may
// not belong to.
func (e *Engine) matchingNot(ctx context.Context, f *Filter) (*core.Set, error) {
	all, err := e.everything(ctx)
	if err != nil {
		return nil, err
	}
	set, err := e.matching(ctx, f)
	if err != nil {
		return nil, core.At("/not", err)
	}
	all.AndNot(set)
	return all, nil
}

func (e *Engine) matchingLeaf(ctx context.Context, f *Filter) (*core.Set, error) {
	var out *core.Set
	for _, c := range f.comparisons() {
		cond, err := c.condition(f.Field)
		if err != nil {
			return nil, err
		}
		set, err := e.lookup(ctx, cond)
		if err != nil {
			return nil, core.At("/"+string(c.op), err)
		}
		out = intersect(out, set)
	}
	return out, nil
}

func (e *Engine) lookup(ctx context.Context, cond core.Condition) (*core.Set, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	set, err := e.source.Lookup(cond)
	if err != nil {
		return nil, fmt.Errorf("filter on field %.80q: %w", cond.Field, err)
	}
	return set, nil
}

// intersect returns what is in both sets; a nil one holds everything. It may
// change and return either.
func intersect(a, b *core.Set) *core.Set {
	switch {
	case a == nil:
		return b
	case b == nil:
		return a
	}
	a.And(b)
	return a
}
