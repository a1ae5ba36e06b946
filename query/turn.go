package query

import (
	"context"
	"slices"

	"github.com/vecdb/vecdb/index"
	"github.com/vecdb/vecdb/internal/core"
)

// turn is one page of a request: where it begins and how many candidates it
// takes.
//
// The pages of a search by score leave out what the pages before have shown,
// and look as much deeper. Those of a search in the order of fields stay among
// the candidates of the first page, those of one in groups out of the groups
// before. So no page depends on places or scores that writes in between could
// move.
type turn struct {
	at      cursor // kind 0 on the first page
	hash    uint64
	wide    Request // for the candidates
	full    bool    // there may be more candidates than were asked for
	left    int     // candidates that no page before has shown
	found   []core.Ord
	counted []core.Ord // the candidates that facets count
	groups  []gathered
}

// turn checks the cursor of a request.
func (e *Engine) turn(r Request) (turn, error) {
	hash, err := e.hash("search", r)
	if err != nil {
		return turn{}, err
	}
	t := turn{hash: hash, wide: r.widened()}
	if r.Cursor == "" {
		return t, nil
	}
	if t.at, err = parseCursor(r.Cursor, hash, r.cursorKind()); err != nil {
		return turn{}, err
	}
	switch t.at.kind {
	case cursorRest:
		t.wide.Limit = len(t.at.ords)
	case cursorSeen:
		t.wide.Limit = min(t.wide.Limit+len(t.at.ords), MaxLimit)
	}
	return t, nil
}

// cursorKind is the kind of the cursors of a search.
func (r *Request) cursorKind() byte {
	switch {
	case r.GroupBy != "":
		return cursorGroups
	case len(r.Sort) > 0:
		return cursorRest
	}
	return cursorSeen
}

// ranked returns the candidates of a page, best first.
func (e *Engine) ranked(ctx context.Context, r Request, p point, t *turn, took *Took) (ranking, scope, error) {
	if r.GroupBy != "" {
		list, ranked, s, err := e.groups(ctx, r, p, t.at, took)
		t.groups, t.wide.Limit = list, len(ranked.neighbors)
		return ranked, s, err
	}
	var within *core.Set
	if t.at.kind == cursorRest {
		within = core.NewSet(t.at.ords...)
	}
	ranked, s, err := e.candidates(ctx, t.wide, p, within, took)
	if len(r.Facets) > 0 {
		t.counted = nearestOrds(ranked.neighbors[:min(len(ranked.neighbors), r.widened().Limit)])
	}
	t.full = len(ranked.neighbors) >= t.wide.Limit
	if err == nil && t.at.kind == cursorSeen {
		seen := core.NewSet(t.at.ords...)
		ranked.neighbors = slices.DeleteFunc(ranked.neighbors, func(n index.Neighbor) bool { return seen.Contains(n.Ord) })
		t.wide.Limit = r.widened().Limit
	}
	t.left = len(ranked.neighbors)
	return ranked, s, err
}

// inGroups turns the hits of a page into groups.
func (t *turn) inGroups(list []found, hits []Hit) []Group {
	t.groups = settle(t.groups, list)
	return inGroups(t.groups, hits)
}

// shape returns the request by which so many found documents are shaped: those
// in groups are all kept.
func (t *turn) shape(r Request, found int) Request {
	if r.GroupBy != "" {
		r.Limit = found
	}
	return r
}

// fetched is how many of the candidates are read: what facets count is not.
func (t *turn) fetched(r Request) int {
	if r.Facets = nil; r.GroupBy == "" && t.at.kind != cursorRest {
		return r.widened().Limit
	}
	return t.wide.Limit
}

// next returns the cursor of the page behind this one, "" when there is none.
// shown is what this page shows of all that was found.
func (t *turn) next(r Request, shown []found) string {
	if len(shown) == 0 {
		return ""
	}
	c := cursor{kind: r.cursorKind(), query: t.hash}
	switch c.kind {
	case cursorGroups:
		c.values = slices.Clone(t.at.values)
		for _, g := range t.groups {
			c.values = append(c.values, g.value)
		}
		if len(t.groups) < r.Limit || len(c.values)+r.Limit > MaxDepth {
			return ""
		}
	case cursorRest:
		given := core.NewSet(ordinals(shown)...)
		c.ords = slices.DeleteFunc(t.found, given.Contains)
		if len(c.ords) == 0 {
			return ""
		}
	default:
		c.ords = slices.Concat(t.at.ords, ordinals(shown))
		if !t.full && t.left <= len(shown) || len(c.ords)+r.Limit > MaxDepth {
			return ""
		}
	}
	slices.Sort(c.ords)
	return c.text()
}

func nearestOrds(list []index.Neighbor) []core.Ord {
	ords := make([]core.Ord, len(list))
	for i, n := range list {
		ords[i] = n.Ord
	}
	return ords
}

func ordinals(list []found) []core.Ord {
	ords := make([]core.Ord, len(list))
	for i, f := range list {
		ords[i] = f.ord
	}
	return ords
}
