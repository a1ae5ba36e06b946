package lexical

import (
	"sync/atomic"

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

// pages finds the page of an ordinal. A list is never shortened; an entry whose
// documents are all gone is nil.
type pages []atomic.Pointer[page]

// length returns how many terms the document has, 0 when there is none.
func (ps pages) length(ord core.Ord) uint32 {
	if p := ps.page(ord); p != nil {
		return p.lengths[ord%pageLen].Load()
	}
	return 0
}

// page returns the page of ord, nil when there is none.
func (ps pages) page(ord core.Ord) *page {
	if i := int(ord / pageLen); i < len(ps) {
		return ps[i].Load()
	}
	return nil
}
