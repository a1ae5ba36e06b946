package lexical

import (
	"bufio"
	"context"
	"encoding/binary"
	"io"
	"math"

	"github.com/vecdb/vecdb/index/snapshot"
	"github.com/vecdb/vecdb/internal/core"
)

// loader reads the parts of a snapshot whose checksum holds. The lengths in it
// are checked all the same, so that no file can make it take more memory than
// its own size asks for.
type loader struct {
	ctx  context.Context
	in   *bufio.Reader
	left int64 // bytes
	err  error
}

// number reads a number of at most limit.
func (r *loader) number(limit uint64) uint64 {
	if r.err != nil {
		return 0
	}
	n, err := binary.ReadUvarint(r.in)
	if err != nil || n > limit {
		r.err = damaged("a number is not what it can be")
		return 0
	}
	return n
}

// bytes reads a list of bytes with its length before.
func (r *loader) bytes() []byte {
	out := make([]byte, r.number(uint64(r.left)))
	if r.err == nil {
		if _, err := io.ReadFull(r.in, out); err != nil {
			r.err = damaged("a list is cut short")
		}
	}
	return out
}

// load reads the whole index.
func (r *loader) load() (*Index, snapshot.Mark, error) {
	magic := make([]byte, len(fileMagic))
	if _, err := io.ReadFull(r.in, magic); err != nil || string(magic) != fileMagic {
		return nil, snapshot.Mark{}, damaged("it is no snapshot of words")
	}
	if v := r.number(math.MaxUint64); r.err == nil && v != fileVersion {
		return nil, snapshot.Mark{}, core.Invalid("", "make the index anew", "the snapshot has format %d, this vecdb reads format %d", v, fileVersion)
	}
	m := snapshot.Mark{Seq: r.number(math.MaxUint64), Tag: r.number(math.MaxUint64)}
	x := New()
	for n := r.number(uint64(r.left)); n > 0 && r.err == nil; n-- {
		text := string(r.bytes())
		if text == "" || x.dict[text] != nil {
			r.err = damaged("the term %.80q is there twice or empty", text)
			break
		}
		x.term(text)
	}
	last := uint64(0)
	for i, n := uint64(0), r.number(uint64(r.left)); i < n && r.err == nil; i++ {
		last = r.document(x, last, i)
		if i%pageLen == 0 && r.ctx.Err() != nil {
			return nil, snapshot.Mark{}, r.ctx.Err()
		}
	}
	if r.err != nil {
		return nil, snapshot.Mark{}, r.err
	}
	for _, t := range x.terms {
		if t.df.Load() == 0 {
			return nil, snapshot.Mark{}, damaged("no document holds the term %.80q", t.text)
		}
	}
	x.publish()
	return x, m, nil
}

// document reads the document that follows ordinal last and returns its own.
func (r *loader) document(x *Index, last, i uint64) uint64 {
	ord := last + r.number(uint64(core.NoOrd)-1-last)
	length := r.number(math.MaxUint32)
	list := r.bytes()
	if r.err == nil && (length == 0 || len(list) == 0 || (i > 0 && ord == last)) {
		r.err = damaged("a document is empty or there twice")
	}
	if r.err != nil {
		return last
	}
	entries, ok := x.entries(list)
	if !ok {
		r.err = damaged("the words of ordinal %d are not a list of terms", ord)
		return last
	}
	x.place(core.Ord(ord), entries, int(length))
	return ord
}

// entries returns the postings of a list of words, and whether it is one.
func (x *Index) entries(list []byte) ([]posting, bool) {
	entries := make([]posting, 0, len(list)/2)
	id := uint64(0)
	for len(list) > 0 {
		d, n := binary.Uvarint(list)
		if n <= 0 || n >= len(list) || d > uint64(len(x.terms)) || (d == 0 && len(entries) > 0) {
			return nil, false
		}
		if id += d; id >= uint64(len(x.terms)) {
			return nil, false
		}
		count := list[n]
		list = list[n+1:]
		if count == 0 {
			return nil, false
		}
		entries = append(entries, posting{x.terms[id], count})
	}
	return entries, true
}
