package embedder

import (
	"cmp"
	"slices"
)

// Bounds of a batch: batches of 8 to 32 texts of like length run best, and
// what is under way cannot be stopped.
const (
	batchTexts  = 32
	batchTokens = 2048 // padded: texts times the longest
)

// item is one text of a call that waits for its vector.
type item struct {
	call  *call
	place int // within the call
}

func (it item) length() int { return len(it.call.seqs[it.place].ids) }

// ordered returns the texts of a call, the longest first, which leaves the
// short ones to even out the workers at the end.
func ordered(c *call) []item {
	out := make([]item, len(c.seqs))
	for i := range out {
		out[i] = item{c, i}
	}
	slices.SortStableFunc(out, func(a, b item) int { return cmp.Compare(b.length(), a.length()) })
	return out
}

// shape is the size of a batch.
type shape struct {
	texts           int
	shortest, width int // tokens of the shortest and of the longest text
}

func (s shape) with(length int) shape {
	if s.texts == 0 {
		return shape{1, length, length}
	}
	return shape{s.texts + 1, min(s.shortest, length), max(s.width, length)}
}

// fits tells whether the batch is within bounds and of like length: a runtime
// that pads then adds an eighth or so to the tokens, and a few where they cost
// less than a run of their own.
func (s shape) fits() bool {
	return s.texts <= batchTexts && s.texts*s.width <= batchTokens && s.width-s.shortest <= 8+s.width/4
}

// maxLookedAt bounds the waiting texts that are looked at for one batch.
const maxLookedAt = 4096

// pick takes a batch out of a lane: the text that has waited longest, and of
// those behind it what fits. It appends the batch to dst and returns it with
// what is left of the lane.
func pick(dst, lane []item) (batch, rest []item) {
	var s shape
	seen, kept := 0, 0
	for ; seen < min(len(lane), maxLookedAt) && s.texts < batchTexts; seen++ {
		it := lane[seen]
		if t := s.with(it.length()); seen == 0 || t.fits() {
			s, dst = t, append(dst, it)
			continue
		}
		lane[kept] = it
		kept++
	}
	copy(lane[seen-kept:seen], lane[:kept])
	clear(lane[:seen-kept]) // so that nobody holds a call that is done
	return dst, lane[seen-kept:]
}
