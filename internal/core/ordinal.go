package core

import (
	"bytes"
	"errors"
	"fmt"
	"iter"

	"github.com/RoaringBitmap/roaring/v2"
)

// Ord is the dense number of a stored document or passage within its collection.
// Ordinals start at 0, grow with every write and are never reused while the
// collection lives: an updated document gets a new ordinal and its old one
// becomes a hole. The passages of a document that was cut have the ordinals
// behind its own. Indexes and filters know only ordinals; only storage knows
// the ids behind them.
type Ord uint32

// Set is a set of ordinals, held as a compressed (roaring) bitmap. The zero
// value is not usable; make sets with NewSet. A Set is not safe for concurrent
// use while it is being changed.
type Set struct {
	bits *roaring.Bitmap
}

// NewSet returns a set that holds the given ordinals.
func NewSet(ords ...Ord) *Set {
	s := &Set{bits: roaring.New()}
	for _, o := range ords {
		s.bits.Add(uint32(o))
	}
	return s
}

// Add puts o into the set.
func (s *Set) Add(o Ord) { s.bits.Add(uint32(o)) }

// AddRange puts the n ordinals from first on into the set.
func (s *Set) AddRange(first Ord, n int) { s.bits.AddRange(uint64(first), uint64(first)+uint64(n)) }

// Remove takes o out of the set; it is no error when o is not a member.
func (s *Set) Remove(o Ord) { s.bits.Remove(uint32(o)) }

// Contains reports whether o is a member.
func (s *Set) Contains(o Ord) bool { return s.bits.Contains(uint32(o)) }

// Len returns the number of members.
func (s *Set) Len() int { return int(s.bits.GetCardinality()) }

// Equal reports whether both sets have the same members.
func (s *Set) Equal(t *Set) bool { return s.bits.Equals(t.bits) }

// Overlap returns the number of members that t holds too.
func (s *Set) Overlap(t *Set) int { return int(s.bits.AndCardinality(t.bits)) }

// And keeps only the members that t holds too.
func (s *Set) And(t *Set) { s.bits.And(t.bits) }

// Or adds all members of t.
func (s *Set) Or(t *Set) { s.bits.Or(t.bits) }

// AndNot removes all members of t.
func (s *Set) AndNot(t *Set) { s.bits.AndNot(t.bits) }

// Clone returns an independent copy.
func (s *Set) Clone() *Set { return &Set{bits: s.bits.Clone()} }

// SizeBytes estimates the memory that the set takes, in bytes.
func (s *Set) SizeBytes() int { return int(s.bits.GetSizeInBytes()) }

// All yields the members in ascending order. The set must not change
// meanwhile.
func (s *Set) All() iter.Seq[Ord] {
	return func(yield func(Ord) bool) {
		for it := s.bits.Iterator(); it.HasNext(); {
			if !yield(Ord(it.Next())) {
				return
			}
		}
	}
}

// Batches yields the members in ascending order, as many at a time as batch has
// room for; they are in batch until the next ones are. The set must not change
// meanwhile.
func (s *Set) Batches(batch []uint32) iter.Seq[[]uint32] {
	return func(yield func([]uint32) bool) {
		it := s.bits.ManyIterator()
		for n := it.NextMany(batch); n > 0; n = it.NextMany(batch) {
			if !yield(batch[:n]) {
				return
			}
		}
	}
}

// Cursor goes through a set in ascending order, many members at a time. The set
// must not change meanwhile.
type Cursor struct {
	dense []uint64 // all of the set, where that is no longer than its members
	it    roaring.ManyIntIterable
	buf   [256]uint32
	rest  []uint32 // read and not yet passed
}

// Cursor returns a cursor before the first member.
func (s *Set) Cursor() *Cursor {
	if n := s.bits.GetCardinality(); n > 0 && uint64(s.bits.Maximum())/64 < n {
		return &Cursor{dense: s.bits.ToDense()}
	}
	return &Cursor{it: s.bits.ManyIterator()}
}

// Fill sets bits to the members among the 64*len(bits) ordinals from first on,
// a multiple of 64, and reports whether there is any. It passes over members
// below first, and is called with rising firsts.
func (c *Cursor) Fill(bits []uint64, first Ord) bool {
	clear(bits)
	found := false
	if c.it == nil {
		for i, w := range c.dense[min(len(c.dense), int(first/64)):] {
			if i == len(bits) {
				break
			}
			bits[i] = w
			found = found || w != 0
		}
		return found
	}
	for {
		if len(c.rest) == 0 {
			if c.rest = c.buf[:c.it.NextMany(c.buf[:])]; len(c.rest) == 0 {
				return found
			}
		}
		for i, o := range c.rest {
			if o < uint32(first) {
				continue
			}
			at := o - uint32(first)
			if at/64 >= uint32(len(bits)) {
				c.rest = c.rest[i:]
				return found
			}
			bits[at/64] |= 1 << (at % 64)
			found = true
		}
		c.rest = nil
	}
}

// AppendTo appends the set in the portable form of roaring bitmaps, which
// ReadSet reads.
func (s *Set) AppendTo(b []byte) ([]byte, error) {
	data, err := s.bits.ToBytes()
	return append(b, data...), err
}

// ReadSet returns the set that AppendTo has written; it keeps nothing of data.
// The error matches ErrCorrupt where it is none.
func ReadSet(data []byte) (s *Set, err error) {
	defer func() {
		if p := recover(); p != nil {
			s, err = nil, fmt.Errorf("a set of ordinals: %v: %w", p, ErrCorrupt)
		}
	}()
	bits := roaring.New()
	n, err := bits.ReadFrom(bytes.NewReader(data))
	if err == nil && n != int64(len(data)) {
		err = errors.New("it has the wrong length")
	}
	if err == nil && n > 8 { // an empty one is not valid to it
		err = bits.Validate()
	}
	if err != nil {
		return nil, fmt.Errorf("a set of ordinals: %w: %w", err, ErrCorrupt)
	}
	return &Set{bits: bits}, nil
}
