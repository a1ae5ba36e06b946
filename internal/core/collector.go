package core

import "github.com/RoaringBitmap/roaring/v2"

// Collector gathers ordinals into a set, many of them quicker than adding each
// to it. Its memory is one bit for each ordinal up to the last.
type Collector struct {
	words []uint64
}

// NewCollector returns a collector of ordinals up to last.
func NewCollector(last Ord) *Collector { return &Collector{words: make([]uint64, last/64+1)} }

// Add takes o, which is at most the last, into the set.
func (c *Collector) Add(o Ord) { c.words[o/64] |= 1 << (o % 64) }

// Set returns the set. The collector is not to be used any more.
func (c *Collector) Set() *Set { return &Set{bits: roaring.FromDense(c.words, false)} }
