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
	ords    []core.Ord
	counts  []uint8 // occurrences, at most maxCount
	lengths []uint8 // of the documents, so that they need not be looked up; long for longer ones
	blocks  []block // of each blockLen postings that are complete
	tail    block   // of the rest
}

// maxCount is what higher counts of a term in one document count as. BM25
// hardly tells them apart.
const maxCount = 255

// long stands for the length of a document that its page tells.
const long = 255

// block bounds the scores of some postings.
type block struct {
	first    core.Ord
	count    uint8  // the highest
	shortest uint32 // the least length of a document
}

func (b *block) take(ord core.Ord, count uint8, length uint32) {
	if b.count == 0 {
		b.first, b.shortest = ord, length
	}
	b.count, b.shortest = max(b.count, count), min(b.shortest, length)
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
	} // the lengths are made anew with the blocks
	p.bound(lengths)
}

func (p *postings) append(ord core.Ord, count uint8, length uint32) {
	p.ords = append(p.ords, ord)
	p.counts = append(p.counts, count)
	p.lengths = append(p.lengths, uint8(min(length, long)))
	p.tail.take(ord, count, length)
	if len(p.ords)%blockLen == 0 {
		p.blocks = append(p.blocks, p.tail)
		p.tail = block{}
	}
}

// bound makes the lengths and the blocks anew.
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

// block returns the block with that number; that behind the complete ones is the
// tail.
func (p *postings) block(i int) block {
	if i < len(p.blocks) {
		return p.blocks[i]
	}
	return p.tail
}

// blockOf returns the number of the last block from number i on that begins at ord
// or before; i where there is none.
func (p *postings) blockOf(i int, ord core.Ord) int {
	step := 1
	for i+step < len(p.blocks) && p.blocks[i+step].first <= ord {
		i += step
		step *= 2
	}
	for ; step > 0; step /= 2 {
		if i+step < len(p.blocks) && p.blocks[i+step].first <= ord {
			i += step
		}
	}
	if i == len(p.blocks)-1 && p.tail.count > 0 && p.tail.first <= ord {
		i++
	}
	return i
}

// seek returns the place of the first ordinal from place lo on that is not below
// ord. It goes by the blocks, which takes fewer lines of memory than seeking among
// the ordinals where they are far from each other.
func (p *postings) seek(lo int, ord core.Ord) int {
	b := p.blockOf(lo/blockLen, ord)
	return seek(p.ords[:min(len(p.ords), (b+1)*blockLen)], max(lo, b*blockLen), ord)
}

// length returns the length of the document of a posting, which is in that page.
func (p *postings) length(i int, of *page) uint32 {
	if n := p.lengths[i]; n < long {
		return uint32(n)
	}
	return of.lengths[p.ords[i]%pageLen].Load()
}

// dense reports whether a page has as many postings as a block, on average.
func (p *postings) dense() bool {
	n := len(p.ords)
	return n > 0 && len(p.blocks) > int(p.ords[n-1]/pageLen)
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
	return int64(4*cap(p.ords)+cap(p.counts)+cap(p.lengths)) + int64(cap(p.blocks))*blockBytes + postingsBytes
}
