package lexical

import (
	"slices"
	"sync/atomic"

	"github.com/vecdb/vecdb/internal/core"
)

// blockLen is how many postings share one upper bound.
const blockLen = 128

// term is a word of the dictionary with its postings.
type term struct {
	text  string
	id    uint32                   // its place in the writer's list
	df    atomic.Int64             // documents that hold it
	view  atomic.Pointer[postings] // what searches see
	dirty *postings                // what the writer has of it and has not published
}

// postings lists the documents that hold a term, in rising order. Some of them
// may be deleted. A published view is never changed, but the writer appends
// behind its end.
type postings struct {
	ords   []core.Ord
	counts []uint8 // occurrences, at most maxCount
	blocks []block // of each blockLen postings that are complete
	tail   block   // of the rest
}

// maxCount is what higher counts of a term in one document count as. BM25
// hardly tells them apart.
const maxCount = 255

// block bounds the scores of some postings.
type block struct {
	count    uint8  // the highest
	shortest uint32 // the least length of a document
}

func (b *block) take(count uint8, length uint32) {
	if b.count == 0 || length < b.shortest {
		b.shortest = length
	}
	b.count = max(b.count, count)
}

// add appends a posting, or puts it into its place when that is not the end.
func (p *postings) add(ord core.Ord, count uint8, length uint32, lengths func(core.Ord) uint32) {
	if n := len(p.ords); n == 0 || p.ords[n-1] < ord {
		p.append(ord, count, length)
		return
	}
	at, there := slices.BinarySearch(p.ords, ord)
	if there { // of a deleted document
		p.counts = slices.Clone(p.counts)
		p.counts[at] = count
	} else {
		p.ords = slices.Insert(slices.Clone(p.ords), at, ord)
		p.counts = slices.Insert(slices.Clone(p.counts), at, count)
	}
	p.bound(lengths)
}

func (p *postings) append(ord core.Ord, count uint8, length uint32) {
	p.ords = append(p.ords, ord)
	p.counts = append(p.counts, count)
	p.tail.take(count, length)
	if len(p.ords)%blockLen == 0 {
		p.blocks = append(p.blocks, p.tail)
		p.tail = block{}
	}
}

// bound makes the blocks anew.
func (p *postings) bound(lengths func(core.Ord) uint32) {
	*p = *p.filter(lengths, func(core.Ord) bool { return true })
}

// filter returns new postings with those that keep lets stay.
func (p *postings) filter(lengths func(core.Ord) uint32, keep func(core.Ord) bool) *postings {
	out := new(postings)
	for i, ord := range p.ords {
		if keep(ord) {
			out.append(ord, p.counts[i], max(1, lengths(ord)))
		}
	}
	return out
}

// seek returns the place of the first ordinal from place lo on that is not below
// ord. It looks nearby first: most places asked for are. Then it halves without a
// branch, as nobody can foresee which half it is.
func seek(ords []core.Ord, lo int, ord core.Ord) int {
	if lo >= len(ords) || ords[lo] >= ord {
		return lo
	}
	step := seekStep
	for lo+step < len(ords) && ords[lo+step-1] < ord {
		lo += step
		step *= 2
	}
	n := min(step, len(ords)-lo)
	for n > 1 {
		half := n / 2
		below := int((int64(ords[lo+half-1]) - int64(ord)) >> 63) // all ones where it is
		lo += half & below
		n -= half
	}
	if ords[lo] < ord {
		lo++
	}
	return lo
}

// seekStep is how many places seek looks at first.
const seekStep = 8

// sizeBytes is the memory that the postings take.
func (p *postings) sizeBytes() int64 {
	return int64(4*cap(p.ords)+cap(p.counts)+8*cap(p.blocks)) + postingsBytes
}
