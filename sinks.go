package vecdb

import (
	"cmp"
	"context"

	"golang.org/x/sync/errgroup"

	"github.com/vecdb/vecdb/index"
	"github.com/vecdb/vecdb/index/field"
	"github.com/vecdb/vecdb/index/lexical"
	"github.com/vecdb/vecdb/index/passage"
	"github.com/vecdb/vecdb/internal/core"
	"github.com/vecdb/vecdb/storage"
)

// sinks are the indexes that something goes into; nil ones are passed over.
type sinks struct {
	vectors index.Index
	fields  *field.Index
	words   *lexical.Index
	parts   *passage.Table
}

// entry is a document on its way into the indexes, with its vector unless it was
// cut into passages, whose vectors are then searched instead.
type entry struct {
	ord      core.Ord
	doc      *core.Document // nil when it is gone
	passages int
	vectors  [][]float32 // of the passages
}

// appendItems appends the vectors of an entry.
func (e *entry) appendItems(items []index.Item) []index.Item {
	if e.passages == 0 {
		return append(items, index.Item{Ord: e.ord, Vector: e.doc.Vector})
	}
	for i, v := range e.vectors {
		items = append(items, index.Item{Ord: e.ord + 1 + core.Ord(i), Vector: v})
	}
	return items
}

// insert puts documents into the indexes. Words and vectors go in beside each
// other.
func (s sinks) insert(ctx context.Context, list []entry) error {
	var items []index.Item
	var texts []lexical.Item
	for i := range list {
		e := &list[i]
		if e.doc == nil {
			continue
		}
		if s.fields != nil {
			s.fields.Insert(e.ord, e.doc)
		}
		if s.parts != nil {
			s.parts.Insert(e.ord, e.passages)
		}
		if s.vectors != nil {
			items = e.appendItems(items)
		}
		if e.doc.Text != "" {
			texts = append(texts, lexical.Item{Ord: e.ord, Text: e.doc.Text})
		}
	}
	var group errgroup.Group
	if s.words != nil {
		group.Go(func() error { return s.words.Insert(ctx, texts) })
	}
	var err error
	if s.vectors != nil {
		err = s.vectors.Insert(ctx, items)
	}
	return cmp.Or(group.Wait(), err)
}

// delete removes a document of so many passages.
func (s sinks) delete(ord core.Ord, passages int) {
	if s.vectors != nil {
		s.vectors.Delete(ord)
		for i := range passages {
			s.vectors.Delete(ord + 1 + core.Ord(i))
		}
	}
	if s.fields != nil {
		s.fields.Delete(ord)
	}
	if s.words != nil {
		s.words.Delete(ord)
	}
	if s.parts != nil {
		s.parts.Delete(ord)
	}
}

// fill puts all documents of a state into the indexes. What is cut is known to
// parts already.
func (s sinks) fill(ctx context.Context, state storage.Snapshot) error {
	f := filler{ctx: ctx, into: s}
	err := state.Documents(s.vectors != nil, func(ord core.Ord, doc *core.Document) (err error) {
		e := entry{ord: ord, doc: doc, passages: s.parts.Count(ord)}
		if s.vectors != nil && e.passages > 0 {
			if e.vectors, err = state.PassageVectors(ord, e.passages); err != nil {
				return err
			}
		}
		return f.add(e)
	})
	if err != nil {
		return err
	}
	return f.flush()
}

// filler inserts documents into indexes, many at a time.
type filler struct {
	ctx     context.Context
	into    sinks
	list    []entry
	vectors int // of the list
}

func (f *filler) add(e entry) error {
	f.list = append(f.list, e)
	if f.vectors += max(1, len(e.vectors)); f.vectors < applyChunk {
		return nil
	}
	return f.flush()
}

func (f *filler) flush() error {
	err := f.into.insert(f.ctx, f.list)
	f.list, f.vectors = f.list[:0], 0
	return err
}
