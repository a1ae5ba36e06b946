package query

import (
	"context"
	"fmt"
	"slices"

	"github.com/vecdb/vecdb/index"
	"github.com/vecdb/vecdb/internal/core"
)

// scope says among which documents a query looks.
type scope struct {
	allow *core.Set           // nil allows all; never holds what is left out
	skip  *core.Set           // what is left out when allow is nil, else nil
	ids   map[string]struct{} // ids left out; a write may have given them new ordinals meanwhile
}

// newScope restricts a query to the documents in allow, nil for all, without
// those under the given ids. It may change allow.
func (e *Engine) newScope(ctx context.Context, allow *core.Set, without []string) (scope, error) {
	s := scope{allow: allow, ids: make(map[string]struct{}, len(without))}
	if len(without) == 0 {
		return s, nil
	}
	ords, err := e.source.Ordinals(ctx, without)
	if err != nil {
		return scope{}, fmt.Errorf("look up the documents to leave out: %w", err)
	}
	skip := core.NewSet()
	for i, id := range without {
		s.ids[id] = struct{}{}
		if ords[i] != core.NoOrd {
			skip.Add(ords[i])
		}
	}
	if allow == nil {
		s.skip = skip
		return s, nil
	}
	allow.AndNot(skip)
	return s, nil
}

// leavesOut reports whether the document of that id is left out.
func (s scope) leavesOut(id string) bool {
	_, out := s.ids[id]
	return out
}

// kept returns the neighbors that are not left out, in the place of the list.
func (s scope) kept(list []index.Neighbor) []index.Neighbor {
	if s.skip == nil {
		return list
	}
	return slices.DeleteFunc(list, func(n index.Neighbor) bool { return s.skip.Contains(n.Ord) })
}

// surplus is how many neighbors more to ask the index for, so that enough
// remain when those left out are dropped.
func (s scope) surplus() int {
	if s.skip == nil {
		return 0
	}
	return s.skip.Len()
}
