// Package passage tells which ordinals are passages of which documents, so that
// an index of vectors can hold passages and a query sees documents. Documents of
// one vector take no room in it.
package passage

import (
	"cmp"
	"slices"
	"sync"

	"github.com/vecdb/vecdb/index"
	"github.com/vecdb/vecdb/internal/core"
)

// Table holds the documents that were cut into passages. The passages of a
// document have the ordinals behind its own. It is safe for concurrent use.
type Table struct {
	mu   sync.RWMutex // guards the rest
	runs []run        // by document
	cut  *core.Set    // the documents that are present
	gone int          // runs of documents that are deleted
}

// run is a document with the number of its passages, 0 when it is deleted.
type run struct {
	doc core.Ord
	n   uint32
}

// New returns an empty table.
func New() *Table { return &Table{cut: core.NewSet()} }

// Insert adds a document with n passages; one that is present is replaced, and
// no passages are no document.
func (t *Table) Insert(doc core.Ord, n int) {
	if n == 0 {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	i, there := t.find(doc)
	if there {
		if t.runs[i].n == 0 {
			t.gone--
		}
		t.runs[i].n = uint32(n)
	} else {
		t.runs = slices.Insert(t.runs, i, run{doc, uint32(n)})
	}
	t.cut.Add(doc)
}

// Delete removes a document; an absent one is no error.
func (t *Table) Delete(doc core.Ord) {
	t.mu.Lock()
	defer t.mu.Unlock()
	i, there := t.find(doc)
	if !there || t.runs[i].n == 0 {
		return
	}
	t.runs[i].n = 0
	t.cut.Remove(doc)
	if t.gone++; 2*t.gone > len(t.runs) {
		t.runs, t.gone = slices.DeleteFunc(t.runs, func(r run) bool { return r.n == 0 }), 0
	}
}

// find returns where a document is among the runs, or would be.
func (t *Table) find(doc core.Ord) (int, bool) {
	return slices.BinarySearchFunc(t.runs, doc, func(r run, doc core.Ord) int { return cmp.Compare(r.doc, doc) })
}

// Len returns the number of documents.
func (t *Table) Len() int {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return len(t.runs) - t.gone
}

// Count returns the number of passages of a document, 0 where it has none.
func (t *Table) Count(doc core.Ord) int {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.count(doc)
}

func (t *Table) count(doc core.Ord) int {
	if i, there := t.find(doc); there {
		return int(t.runs[i].n)
	}
	return 0
}

// Owner returns the document that a vector belongs to: the ordinal itself where
// it is no passage.
func (t *Table) Owner(ord core.Ord) core.Ord {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.owner(ord)
}

func (t *Table) owner(ord core.Ord) core.Ord {
	i, there := t.find(ord)
	if there || i == 0 {
		return ord
	}
	if r := t.runs[i-1]; uint32(ord-r.doc) <= r.n {
		return r.doc
	}
	return ord
}

// Documents returns the documents of a list of vectors, best first, each once and
// with the score of its best vector. It works in the place of the list.
func (t *Table) Documents(list []index.Neighbor) []index.Neighbor {
	t.mu.RLock()
	defer t.mu.RUnlock()
	seen := make(map[core.Ord]struct{})
	out := list[:0]
	for _, n := range list {
		n.Ord = t.owner(n.Ord)
		if _, again := seen[n.Ord]; !again {
			seen[n.Ord] = struct{}{}
			out = append(out, n)
		}
	}
	return out
}

// Vectors returns the ordinals under which the vectors of documents are: their
// own, or those of their passages. It returns docs itself where none was cut,
// and else a set of its own.
func (t *Table) Vectors(docs *core.Set) *core.Set {
	t.mu.RLock()
	defer t.mu.RUnlock()
	if docs.Overlap(t.cut) == 0 {
		return docs
	}
	cut := docs.Clone()
	cut.And(t.cut)
	out := docs.Clone()
	out.AndNot(cut)
	for doc := range cut.All() {
		out.AddRange(doc+1, t.count(doc))
	}
	return out
}

// SizeBytes estimates the memory held, in bytes.
func (t *Table) SizeBytes() int64 {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return int64(8*cap(t.runs) + t.cut.SizeBytes())
}
