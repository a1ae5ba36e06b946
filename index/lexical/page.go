package lexical

import (
	"sync/atomic"
	"unsafe"

	"github.com/vecdb/vecdb/internal/core"
)

// pageLen is how many ordinals share a page.
const pageLen = 4096

// page holds what is known of pageLen documents.
type page struct {
	lengths [pageLen]atomic.Uint32 // terms of each, 0 where there is none
	words   [pageLen]string        // ids and counts of its terms; the writer's
	live    int                    // documents; the writer's
}

// pages finds the page of an ordinal. A list is never shortened.
type pages []entry

// entry tells of a page.
type entry struct {
	page atomic.Pointer[page] // nil where all documents are gone
	gaps atomic.Bool          // postings may be of documents that are not there any more
}

const entryBytes = int64(unsafe.Sizeof(entry{}))

// length returns how many terms the document has, 0 when there is none.
func (ps pages) length(ord core.Ord) uint32 {
	if p := ps.page(ord); p != nil {
		return p.lengths[ord%pageLen].Load()
	}
	return 0
}

// holds reports whether a document that a posting tells of is there still. Without
// gaps it is, and its length need not come from memory.
func (ps pages) holds(ord core.Ord) bool {
	e := ps.entry(ord)
	return e != nil && (!e.gaps.Load() || ps.length(ord) > 0)
}

// page returns the page of ord, nil when there is none.
func (ps pages) page(ord core.Ord) *page {
	if e := ps.entry(ord); e != nil {
		return e.page.Load()
	}
	return nil
}

// entry returns what tells of the page of ord, nil where the list does not go so far.
func (ps pages) entry(ord core.Ord) *entry {
	if i := int(ord / pageLen); i < len(ps) {
		return &ps[i]
	}
	return nil
}
