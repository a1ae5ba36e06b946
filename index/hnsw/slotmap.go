package hnsw

import (
	"math"
	"sync"
	"sync/atomic"

	"github.com/vecdb/vecdb/internal/core"
)

// ordsPerPage is how many ordinals one page of a slotMap covers.
const ordsPerPage = 4096

// slotMap tells the slot of each ordinal; it is the authority on which slot
// holds an ordinal. Reading takes no lock.
type slotMap struct {
	pages atomic.Pointer[[]*slotPage]
	mu    sync.Mutex // held to add pages
	count atomic.Int64
	// changes counts how often an ordinal came, went or moved.
	changes atomic.Int64
}

// slotPage holds slot+1 for each of its ordinals, 0 for none.
type slotPage [ordsPerPage]atomic.Uint32

// get returns the slot of ord, nobody when there is none.
func (m *slotMap) get(ord core.Ord) uint32 {
	pages := m.pages.Load()
	if pages == nil || int(ord/ordsPerPage) >= len(*pages) {
		return nobody
	}
	page := (*pages)[ord/ordsPerPage]
	if page == nil {
		return nobody
	}
	return page[ord%ordsPerPage].Load() - 1
}

// getAll puts the slots of ordinals, which best ascend, in the place of these and
// returns them without those that have none.
func (m *slotMap) getAll(ords []uint32) []uint32 {
	pages := m.pages.Load()
	if pages == nil {
		return ords[:0]
	}
	n := 0
	at, page := uint32(math.MaxUint32), (*slotPage)(nil)
	for _, ord := range ords {
		if ord/ordsPerPage != at {
			if at, page = ord/ordsPerPage, nil; int(at) < len(*pages) {
				page = (*pages)[at]
			}
		}
		if page == nil {
			continue
		}
		ords[n] = page[ord%ordsPerPage].Load() - 1
		if ords[n] != nobody {
			n++
		}
	}
	return ords[:n]
}

// swap sets the slot of ord, to nobody to take it away, and returns the one
// before.
func (m *slotMap) swap(ord core.Ord, slot uint32) uint32 {
	if slot == nobody && m.get(ord) == nobody {
		return nobody
	}
	old := m.page(ord)[ord%ordsPerPage].Swap(slot+1) - 1
	switch {
	case old == nobody && slot != nobody:
		m.count.Add(1)
	case old != nobody && slot == nobody:
		m.count.Add(-1)
	}
	if old != slot {
		m.changes.Add(1)
	}
	return old
}

// page returns the page of ord and makes it when it is not there.
func (m *slotMap) page(ord core.Ord) *slotPage {
	at := int(ord / ordsPerPage)
	if pages := m.pages.Load(); pages != nil && at < len(*pages) && (*pages)[at] != nil {
		return (*pages)[at]
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	var pages []*slotPage
	if p := m.pages.Load(); p != nil {
		pages = *p
	}
	if at < len(pages) && pages[at] != nil {
		return pages[at]
	}
	grown := make([]*slotPage, max(at+1, len(pages)))
	copy(grown, pages)
	grown[at] = new(slotPage)
	m.pages.Store(&grown)
	return grown[at]
}

// reserve makes room for ordinals up to last in a map that nobody else sees
// yet, which is filled by put then.
func (m *slotMap) reserve(last core.Ord) {
	pages := make([]*slotPage, int(last/ordsPerPage)+1)
	m.pages.Store(&pages)
}

// put sets the slot of ord and returns false when it has one.
func (m *slotMap) put(ord core.Ord, slot uint32) bool {
	page := &(*m.pages.Load())[ord/ordsPerPage]
	if *page == nil {
		*page = new(slotPage)
	}
	m.count.Add(1)
	return (*page)[ord%ordsPerPage].Swap(slot+1) == 0
}

// bytes returns the memory in use.
func (m *slotMap) bytes() int64 {
	pages := m.pages.Load()
	if pages == nil {
		return 0
	}
	n := int64(8 * len(*pages))
	for _, p := range *pages {
		if p != nil {
			n += ordsPerPage * 4
		}
	}
	return n
}
