package storage

import (
	"encoding/binary"
	"fmt"

	"github.com/vecdb/vecdb/internal/core"
)

// A document whose text was cut has, besides its own records, a reading under
// its ordinal, which tells where its passages are, and a vector for each of them
// under the ordinals behind its own. Its own vector stands for the whole, and no
// search compares with it.

// maxPassageBytes bounds what the vectors of one document take, so that it fits
// into one batch.
const maxPassageBytes = 3 << 20

// MaxPassages returns how many passages a document may have whose vectors have
// dim numbers.
func MaxPassages(dim int) int { return min(1000, maxPassageBytes/(4*dim+64)) }

// maxReadingNumber bounds the numbers of a reading. A text can have a few tokens
// more than bytes.
const maxReadingNumber = 2 * core.MaxTextBytes

// encodeReading writes the numbers of tokens, then for each passage how far it
// begins behind the one before, its length and its tokens.
func encodeReading(key []byte, x *core.Reading) []byte {
	r := newRecord(kindReading, 12+6*len(x.Passages))
	for _, n := range []int{x.TokensTotal, x.TokensUsed, len(x.Passages)} {
		r = binary.AppendUvarint(r, uint64(n))
	}
	start := 0
	for _, p := range x.Passages {
		for _, n := range []int{p.Start - start, p.End - p.Start, p.Tokens} {
			r = binary.AppendUvarint(r, uint64(n))
		}
		start = p.Start
	}
	return seal(key, r)
}

func decodeReading(key, record []byte) (*core.Reading, error) {
	body, err := open(kindReading, key, record)
	if err != nil {
		return nil, err
	}
	number := func() int {
		n, used := binary.Uvarint(body)
		if used <= 0 || n > maxReadingNumber {
			body, err = nil, corrupt(key, "a number does not fit")
			return 0
		}
		body = body[used:]
		return int(n)
	}
	x := &core.Reading{TokensTotal: number(), TokensUsed: number()}
	count, start := number(), 0
	for range min(count, len(body)) { // a passage takes three bytes and more
		p := core.Passage{Start: start + number()}
		p.End, p.Tokens, start = p.Start+number(), number(), p.Start
		x.Passages = append(x.Passages, p)
	}
	if err == nil && len(x.Passages) != count {
		err = corrupt(key, "passages are missing")
	}
	return x, err
}

// raise brings a store to the newest format with the batch at hand.
func (g *group) raise(s *Store) error {
	if g.raised || s.format.Load() == FormatVersion {
		return nil
	}
	err := s.putFormat(g.batch)
	g.raised = err == nil
	return err
}

// readingAt returns the reading under ord, nil when there is none.
func (c *Collection) readingAt(r Reader, ord core.Ord) (*core.Reading, error) {
	key := readingKey(c.number, ord)
	record, err := r.Get(key)
	if isNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return decodeReading(key, record)
}

// Readings returns what was read of the documents under ords, nil for those that
// were read as a whole or are gone. The passages have no vectors.
func (c *Collection) Readings(ords []core.Ord) ([]*core.Reading, error) {
	out := make([]*core.Reading, len(ords))
	if c.numbers().readings == 0 {
		return out, nil
	}
	err := c.store.engine.View(func(r Reader) (err error) {
		for i, ord := range ords {
			if out[i], err = c.readingAt(r, ord); err != nil {
				return fmt.Errorf("what was read at ordinal %d of collection %s: %w", ord, c.Config().Name, err)
			}
		}
		return nil
	})
	return out, err
}

// PassageVectors returns the vectors of the n passages of the document under
// ord in their order, nil when it is gone.
func (c *Collection) PassageVectors(ord core.Ord, n int) (vectors [][]float32, err error) {
	err = c.store.engine.View(func(r Reader) error {
		vectors, err = Snapshot{c: c, r: r}.PassageVectors(ord, n)
		return err
	})
	return vectors, err
}

// Vectors returns the number of vectors that a search compares with.
func (c *Collection) Vectors() int { return c.numbers().vectors() }

// Cut returns the number of documents whose texts were cut into passages, and
// that of their passages.
func (c *Collection) Cut() (documents, passages int) {
	n := c.numbers()
	return int(n.cut), int(n.passages)
}

// PassageVectors returns the vectors of the n passages of the document under
// ord in their order, nil when it is gone.
func (s Snapshot) PassageVectors(ord core.Ord, n int) ([][]float32, error) {
	vectors := make([][]float32, 0, n)
	first := ord + 1
	err := s.r.Scan(passageKey(s.c.number, first), passageKey(s.c.number, first+core.Ord(n)), func(key, value []byte) error {
		v, err := decodeVector(kindPassage, key, value, s.c.Config().Dim)
		vectors = append(vectors, v)
		return err
	})
	switch {
	case err != nil:
		return nil, fmt.Errorf("passages of the document at ordinal %d of collection %s: %w", ord, s.c.Config().Name, err)
	case len(vectors) == 0:
		return nil, nil
	case len(vectors) < n:
		return nil, fmt.Errorf("the document at ordinal %d of collection %s has %d of %d passages: %w", ord, s.c.Config().Name, len(vectors), n, core.ErrCorrupt)
	}
	return vectors, nil
}

// Readings calls fn for what was read of each long document in the order of
// ordinals until fn returns an error, which it hands back.
func (s Snapshot) Readings(fn func(core.Ord, *core.Reading) error) error {
	if s.n.readings == 0 {
		return nil
	}
	prefix := kindPrefix(s.c.number, kindReading)
	return s.r.Scan(prefix, prefixEnd(prefix), func(key, value []byte) error {
		x, err := decodeReading(key, value)
		if err != nil {
			return fmt.Errorf("what was read at ordinal %d of collection %s: %w", ordOf(key), s.c.Config().Name, err)
		}
		return fn(ordOf(key), x)
	})
}

// Vectors calls fn for each vector that a search compares with, those of whole
// documents in the order of ordinals and then those of passages, until fn
// returns an error, which it hands back.
func (s Snapshot) Vectors(fn func(core.Ord, []float32) error) error {
	cut := core.NewSet()
	err := s.Readings(func(ord core.Ord, x *core.Reading) error {
		if len(x.Passages) > 0 {
			cut.Add(ord)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, kind := range []byte{kindVector, kindPassage} {
		prefix := kindPrefix(s.c.number, kind)
		err := s.r.Scan(prefix, prefixEnd(prefix), func(key, value []byte) error {
			ord := ordOf(key)
			if kind == kindVector && cut.Contains(ord) {
				return nil
			}
			v, err := decodeVector(kind, key, value, s.c.Config().Dim)
			if err != nil {
				return fmt.Errorf("vector at ordinal %d of collection %s: %w", ord, s.c.Config().Name, err)
			}
			return fn(ord, v)
		})
		if err != nil {
			return err
		}
	}
	return nil
}
