package query

import (
	"container/heap"
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/vecdb/vecdb/internal/core"
)

// DefaultListLimit is the limit of a ListRequest that names none.
const DefaultListLimit = 100

// ListRequest asks for documents by their fields alone, a page at a time.
type ListRequest struct {
	// Filter restricts the list, nil to none.
	Filter *Filter `json:"filter,omitempty"`
	// Sort is the order, by ids when it is empty. Documents that are equal in all
	// keys come in the order in which they were stored.
	Sort []SortKey `json:"sort,omitempty"`
	// Limit is the largest number of documents; 0 is DefaultListLimit, at most
	// MaxLimit.
	Limit int `json:"limit,omitempty"`
	// Cursor is that of the page before, "" for the first page.
	Cursor string `json:"cursor,omitempty"`
	// Fields names the members that documents carry besides the id; empty carries
	// all but the vector.
	Fields []string `json:"fields,omitempty"`
}

// ListResponse is the answer to a ListRequest.
type ListResponse struct {
	Documents []*core.Document `json:"documents"`
	// Cursor asks for the next page; "" when there is none. A document that stays
	// as it is comes on exactly one page, whatever is written in between.
	Cursor   string   `json:"cursor,omitempty"`
	Warnings []string `json:"warnings,omitempty"` // as in a Response
	Took     Took     `json:"took_ms"`
}

// UnmarshalJSON reads a request and refuses unknown members.
func (r *ListRequest) UnmarshalJSON(data []byte) error {
	return decodeObject(data, map[string]any{"filter": &r.Filter, "sort": &r.Sort, "limit": &r.Limit, "cursor": &r.Cursor, "fields": &r.Fields})
}

// Validate checks the request. Errors are *core.InputError.
func (r *ListRequest) Validate() error {
	if r.Limit < 0 || r.Limit > MaxLimit {
		return core.Invalid("/limit", "leave it out for "+strconv.Itoa(DefaultListLimit), "the limit is %d, 1 to %d are allowed", r.Limit, MaxLimit)
	}
	if err := checkSort(r.Sort, false); err != nil {
		return err
	}
	return checkNames("/fields", r.Fields, MaxExamples)
}

// List returns the documents that satisfy a filter in the order of their
// fields, as far as the index has come.
func (e *Engine) List(ctx context.Context, r ListRequest) (ListResponse, error) {
	start := time.Now()
	if err := r.Validate(); err != nil {
		return ListResponse{}, err
	}
	if r.Limit == 0 {
		r.Limit = DefaultListLimit
	}
	keys := r.Sort
	if len(keys) == 0 {
		keys = []SortKey{{Field: "id"}}
	}
	hash, err := e.hashQuery("list", ListRequest{Filter: r.Filter, Sort: keys}, nil)
	if err != nil {
		return ListResponse{}, err
	}
	var last *placed
	if r.Cursor != "" {
		if last, err = parsePlace(r.Cursor, hash, len(keys)); err != nil {
			return ListResponse{}, err
		}
	}
	page, more, err := e.page(ctx, r, keys, last)
	if err != nil {
		return ListResponse{}, err
	}
	var out ListResponse
	out.Took.Search = milliseconds(time.Since(start))
	if out.Documents, err = e.listed(ctx, r, page, &out.Took); err != nil {
		return ListResponse{}, err
	}
	if more {
		end := page[len(page)-1]
		out.Cursor = cursor{kind: cursorPlace, query: hash, ords: []core.Ord{end.ord}, values: end.values}.text()
	}
	if len(page) == 0 {
		out.Warnings = e.warnings(r.Filter)
	}
	out.Took.Total = milliseconds(time.Since(start))
	return out, nil
}

func parsePlace(text string, hash uint64, keys int) (*placed, error) {
	c, err := parseCursor(text, hash, cursorPlace)
	if err != nil {
		return nil, err
	}
	if len(c.ords) != 1 || len(c.values) != keys {
		return nil, core.Invalid("/cursor", "begin at the first page", "the cursor is damaged")
	}
	return &placed{ord: c.ords[0], values: c.values}, nil
}

// page returns the first documents behind last, nil for the first of all, and
// whether there are more.
func (e *Engine) page(ctx context.Context, r ListRequest, keys []SortKey, last *placed) ([]placed, bool, error) {
	set, err := e.Matching(ctx, r.Filter)
	if err != nil {
		return nil, false, err
	}
	all, err := e.everything(ctx)
	if err != nil {
		return nil, false, err
	}
	if set == nil {
		set = all
	}
	// Walking comes by the documents outside of the set too.
	if by := keys[0].Field; by != "id" && set.Len() > walkFactor*(r.Limit+1)*(1+all.Len()/(set.Len()+1)) {
		page, enough, err := e.walk(ctx, r, keys, last, set)
		if err != nil || enough {
			return page, enough, err
		}
	}
	return e.choose(ctx, r, keys, last, slices.AppendSeq(make([]core.Ord, 0, set.Len()), set.All()))
}

// walkFactor is how many times as many documents as are wanted there are at the
// least where walking along the values of a field is worth it.
const walkFactor = 8

// walk goes along the values of the first key until it has seen a page, and
// reports whether there is one with more behind it.
func (e *Engine) walk(ctx context.Context, r ListRequest, keys []SortKey, last *placed, set *core.Set) ([]placed, bool, error) {
	if err := e.sortable(ctx, keys); err != nil {
		return nil, false, err
	}
	var from any
	if last != nil {
		if from = last.values[0]; from == nil { // it is among those without a value
			return nil, false, nil
		}
	}
	var ords []core.Ord
	seen := core.NewSet() // a document with several values comes several times
	for want := 2 * (r.Limit + 1); ; want *= 2 {
		ords = ords[:0]
		complete := true
		e.source.Ordered(keys[0].Field, from, keys[0].falls(), func(group []core.Ord) bool {
			for _, ord := range group {
				if set.Contains(ord) && !seen.Contains(ord) {
					seen.Add(ord)
					ords = append(ords, ord)
				}
			}
			complete = len(ords) < want
			return complete
		})
		page, more, err := e.choose(ctx, r, keys, last, ords)
		if err != nil || more || complete {
			return page, more, err
		}
		seen = core.NewSet()
	}
}

// sortable refuses keys that are no fields with an order.
func (e *Engine) sortable(ctx context.Context, keys []SortKey) error {
	_, err := e.arrange(ctx, keys, nil, nil)
	return err
}

// choose returns the first documents of a list behind last, and whether there
// are more.
func (e *Engine) choose(ctx context.Context, r ListRequest, keys []SortKey, last *placed, ords []core.Ord) ([]placed, bool, error) {
	list, err := e.arrange(ctx, keys, ords, nil)
	if err != nil {
		return nil, false, err
	}
	best := &worstFirst{keys: keys}
	for _, p := range list {
		if last != nil && comparePlaced(keys, p, *last) <= 0 {
			continue
		}
		switch {
		case len(best.list) <= r.Limit: // one more than the page, to know whether there are more
			heap.Push(best, p)
		case comparePlaced(keys, p, best.list[0]) < 0:
			best.list[0] = p
			heap.Fix(best, 0)
		}
	}
	slices.SortFunc(best.list, func(a, b placed) int { return comparePlaced(keys, a, b) })
	return best.list[:min(len(best.list), r.Limit)], len(best.list) > r.Limit, ctx.Err()
}

// worstFirst is a heap of the best documents, the worst of them on top.
type worstFirst struct {
	keys []SortKey
	list []placed
}

func (w *worstFirst) Len() int           { return len(w.list) }
func (w *worstFirst) Less(i, j int) bool { return comparePlaced(w.keys, w.list[i], w.list[j]) > 0 }
func (w *worstFirst) Swap(i, j int)      { w.list[i], w.list[j] = w.list[j], w.list[i] }
func (w *worstFirst) Push(p any)         { w.list = append(w.list, p.(placed)) }

// Pop is part of heap.Interface; nothing is ever taken off.
func (w *worstFirst) Pop() any {
	p := w.list[len(w.list)-1]
	w.list = w.list[:len(w.list)-1]
	return p
}

// listed reads the documents of a page; those deleted meanwhile are left out.
func (e *Engine) listed(ctx context.Context, r ListRequest, page []placed, took *Took) ([]*core.Document, error) {
	defer stopwatch(&took.Fetch)()
	ords := make([]core.Ord, len(page))
	for i, p := range page {
		ords[i] = p.ord
	}
	shape := Request{Fields: r.Fields}.withDefaults()
	docs, err := e.source.Documents(ctx, ords, shape.WithVector)
	if err != nil {
		return nil, fmt.Errorf("read the documents of a page: %w", err)
	}
	docs = slices.DeleteFunc(docs, func(d *core.Document) bool { return d == nil })
	for i, doc := range docs {
		docs[i] = shown(doc, shape)
	}
	return docs, nil
}
