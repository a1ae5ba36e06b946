package query

import (
	"cmp"
	"context"
	"slices"
	"strconv"

	"github.com/vecdb/vecdb/index"
	"github.com/vecdb/vecdb/internal/core"
)

// Limits and defaults of groups.
const (
	DefaultGroupSize = 3
	MaxGroupSize     = 100
	MaxGroups        = 100
)

// Group holds the best hits with one value of a field, best first.
type Group struct {
	Value any   `json:"value"` // string, bool, int64 or float64
	Hits  []Hit `json:"hits"`
}

func (r *Request) checkGroups() error {
	switch {
	case r.GroupBy == "" && r.GroupSize != 0:
		return core.Invalid("/group_size", `give "group_by" too`, "there is no field to group by")
	case r.GroupBy == "":
		return nil
	case core.Reserved(r.GroupBy):
		return core.Invalid("/group_by", "name a field", "every document has another %s", r.GroupBy)
	case r.GroupSize < 0 || r.GroupSize > MaxGroupSize:
		return core.Invalid("/group_size", "leave it out for "+strconv.Itoa(DefaultGroupSize), "the groups have %d hits each, 1 to %d are allowed", r.GroupSize, MaxGroupSize)
	case r.Limit > MaxGroups:
		return core.Invalid("/limit", "go on with the cursor", "the limit is %d groups, 1 to %d are allowed", r.Limit, MaxGroups)
	case len(r.Sort) > 0:
		return core.Invalid("/sort", `leave it or "group_by" out`, "groups come in the order of their best scores")
	case r.Diversity > 0:
		return core.Invalid("/diversity", `leave it or "group_by" out`, "the best hits of a group are those with the best scores")
	}
	return checkValueField("/group_by", r.GroupBy)
}

// gathered is a group while its hits are looked for.
type gathered struct {
	value any
	ords  []core.Ord
	hits  []int // places among the found
	score float32
}

// grouping looks for the groups of one request.
type grouping struct {
	e     *Engine
	r     Request
	p     point
	took  *Took
	base  scope      // of all documents that can be in a group
	fresh *core.Set  // of those, the ones in no group yet
	taken []any      // the groups of the pages before
	list  []gathered // the groups of this page
}

// groups finds the groups that hold the best hits, each with its best ones.
// Candidates in groups that are known are left out of the search for further
// groups, and groups that lack hits are searched by themselves, so that large
// groups do not crowd out small ones.
func (e *Engine) groups(ctx context.Context, r Request, p point, at cursor, took *Took) (list []gathered, ranked ranking, s scope, err error) {
	if err := e.knownField(ctx, "/group_by", r.GroupBy); err != nil {
		return nil, ranking{}, scope{}, err
	}
	g := grouping{e: e, r: r, p: p, took: took, taken: at.values}
	if err := g.open(ctx); err != nil {
		return nil, ranking{}, scope{}, err
	}
	for len(g.list) < r.Limit && g.fresh.Len() > 0 {
		found, err := g.more(ctx)
		if err != nil {
			return nil, ranking{}, scope{}, err
		}
		if !found {
			break
		}
	}
	union := core.NewSet()
	for i := range g.list {
		if err := g.fill(ctx, &g.list[i]); err != nil {
			return nil, ranking{}, scope{}, err
		}
		for _, ord := range g.list[i].ords {
			union.Add(ord)
		}
	}
	// One ranking of all, whose scores can be compared.
	r.Limit = union.Len()
	ranked, err = e.rank(ctx, r, p, scope{allow: union}, took)
	return g.list, ranked, g.base, err
}

// open finds the documents that can be in a group.
func (g *grouping) open(ctx context.Context) error {
	allow, err := g.e.matching(ctx, g.r.Filter)
	if err != nil {
		return core.At("/filter", err)
	}
	having, err := g.e.lookup(ctx, core.Condition{Field: g.r.GroupBy, Op: core.CondExists, Values: []any{true}})
	if err != nil {
		return core.At("/group_by", err)
	}
	if g.base, err = g.e.newScope(ctx, intersect(having, allow), append(g.p.without, g.r.Exclude...)); err != nil {
		return err
	}
	g.fresh = g.base.allow.Clone()
	for _, value := range g.taken {
		if err := g.leave(ctx, value, g.taken); err != nil {
			return err
		}
	}
	return nil
}

// members returns the documents of a group.
func (g *grouping) members(ctx context.Context, value any) (*core.Set, error) {
	set, err := g.e.lookup(ctx, core.Condition{Field: g.r.GroupBy, Op: core.CondEq, Values: []any{value}})
	return set, core.At("/group_by", err)
}

// leave takes the documents of a group out of the search for further ones,
// unless they have a value besides that is not known yet.
func (g *grouping) leave(ctx context.Context, value any, known []any) error {
	set, err := g.members(ctx, value)
	if err != nil {
		return err
	}
	set.And(g.fresh)
	several := g.e.source.Several(g.r.GroupBy)
	several.And(set)
	ords := slices.Collect(several.All())
	err = g.e.source.Values(g.r.GroupBy, ords, func(i int, v any) {
		if v != value && !slices.Contains(known, v) {
			set.Remove(ords[i])
		}
	})
	g.fresh.AndNot(set)
	return core.At("/group_by", err)
}

// rankIn returns the best candidates within a set.
func (g *grouping) rankIn(ctx context.Context, within *core.Set, limit int) ([]index.Neighbor, error) {
	r := g.r
	r.Limit = limit
	s := g.base
	s.allow = within
	ranked, err := g.e.rank(ctx, r, g.p, s, g.took)
	return ranked.neighbors[:min(len(ranked.neighbors), limit)], err
}

// more finds further groups and reports whether there were any.
func (g *grouping) more(ctx context.Context) (bool, error) {
	best, err := g.rankIn(ctx, g.fresh, min(MaxLimit, max(poolLeast, g.r.Limit*g.r.GroupSize)))
	if err != nil {
		return false, err
	}
	ords := nearestOrds(best)
	values := make([][]any, len(ords))
	err = g.e.source.Values(g.r.GroupBy, ords, func(i int, v any) { values[i] = append(values[i], v) })
	if err != nil {
		return false, core.At("/group_by", err)
	}
	before := len(g.list)
	for i, ord := range ords {
		slices.SortFunc(values[i], compareValues)
		for _, v := range values[i] {
			g.put(v, ord, before)
		}
	}
	if len(g.list) < g.r.Limit { // they are looked for further
		known := slices.Clone(g.taken)
		for _, found := range g.list {
			known = append(known, found.value)
		}
		for _, found := range g.list[before:] {
			if err := g.leave(ctx, found.value, known); err != nil {
				return false, err
			}
		}
	}
	return len(g.list) > before, nil
}

// put adds a document to its group, which is a new one where there is room.
// Groups of the page before are closed.
func (g *grouping) put(value any, ord core.Ord, before int) {
	if slices.Contains(g.taken, value) {
		return
	}
	i := slices.IndexFunc(g.list, func(have gathered) bool { return have.value == value })
	switch {
	case i < 0 && len(g.list) < g.r.Limit:
		g.list = append(g.list, gathered{value: value, ords: []core.Ord{ord}})
	case i >= before && len(g.list[i].ords) < g.r.GroupSize:
		g.list[i].ords = append(g.list[i].ords, ord)
	}
}

// fill looks for the best hits of a group that has too few.
func (g *grouping) fill(ctx context.Context, of *gathered) error {
	if len(of.ords) >= g.r.GroupSize {
		return nil
	}
	set, err := g.members(ctx, of.value)
	if err != nil {
		return err
	}
	if set.And(g.base.allow); set.Len() <= len(of.ords) {
		return nil
	}
	best, err := g.rankIn(ctx, set, g.r.GroupSize)
	if err != nil || len(best) < len(of.ords) {
		return err
	}
	of.ords = nearestOrds(best)
	return nil
}

// settle gives the groups the places of their hits among the found, and brings
// them into the order of their best ones. Groups without hits are dropped.
func settle(list []gathered, found []found) []gathered {
	places := make(map[core.Ord]int, len(found))
	for i, f := range found {
		places[f.ord] = i
	}
	for i := range list {
		for _, ord := range list[i].ords {
			if at, there := places[ord]; there {
				list[i].hits = append(list[i].hits, at)
			}
		}
		if slices.Sort(list[i].hits); len(list[i].hits) > 0 {
			list[i].score = found[list[i].hits[0]].score
		}
	}
	list = slices.DeleteFunc(list, func(g gathered) bool { return len(g.hits) == 0 })
	slices.SortStableFunc(list, func(a, b gathered) int {
		return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(a.hits[0], b.hits[0]))
	})
	return list
}

// inGroups turns the hits of a request into its groups.
func inGroups(list []gathered, hits []Hit) []Group {
	out := make([]Group, len(list))
	for i, g := range list {
		out[i] = Group{Value: g.value, Hits: make([]Hit, len(g.hits))}
		for j, at := range g.hits {
			out[i].Hits[j] = hits[at]
		}
	}
	return out
}
