package lexical

import (
	"cmp"
	"context"
	"encoding/binary"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/vecdb/vecdb/internal/core"
)

// The parameters of BM25: how soon further occurrences of a term stop to count
// and how much the length of a document does.
const (
	k1 = 1.2
	b  = 0.75
)

// The memory of what each term takes beside its postings: itself and its place
// in the dictionary.
const (
	postingsBytes = int64(unsafe.Sizeof(postings{}))
	blockBytes    = int64(unsafe.Sizeof(block{}))
	termBytes     = int64(unsafe.Sizeof(term{})) + 40
	pageBytes     = int64(unsafe.Sizeof(page{}))
)

// Item is a text to insert under an ordinal.
type Item struct {
	Ord  core.Ord
	Text string
}

// Index finds the documents that hold the words of a query. All methods are
// safe for concurrent use; searches do not wait for insertions.
type Index struct {
	dictMu sync.RWMutex     // guards dict; taken for single look-ups and additions
	dict   map[string]*term // also read without the lock under mu, as only its holder writes
	docs   atomic.Int64     // documents present
	tokens atomic.Int64     // their lengths in all
	pages  atomic.Pointer[pages]
	bytes  atomic.Int64
	pool   sync.Pool // of *scratch

	mu    sync.Mutex // held by writers; guards the rest; dictMu may be taken under it
	terms []*term    // by id; nil where an id is free
	free  []uint32   // ids
	dirty []*term    // those with unpublished postings
}

// New returns an empty index.
func New() *Index {
	x := &Index{dict: make(map[string]*term)}
	x.pages.Store(new(pages))
	x.pool.New = func() any { return new(scratch) }
	return x
}

// Len returns the number of documents present. Documents without a single term
// are not counted.
func (x *Index) Len() int { return int(x.docs.Load()) }

// SizeBytes estimates the memory held, in bytes.
func (x *Index) SizeBytes() int64 { return x.bytes.Load() }

// Insert adds texts. One under an ordinal that is present replaces the text
// there; an ordinal that was deleted is never inserted again. On ctx's error,
// the only one, some of the items are inserted.
func (x *Index) Insert(ctx context.Context, items []Item) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	defer x.publish()
	terms := newCounter()
	for _, it := range items {
		if err := ctx.Err(); err != nil {
			return err
		}
		list, length := terms.count(it.Text)
		x.remove(it.Ord, true)
		if length > 0 {
			x.insert(it.Ord, list, length)
		}
	}
	return nil
}

// Delete removes ordinals; absent ones are no error. A deleted ordinal is never
// returned by a search that starts afterwards.
func (x *Index) Delete(ords ...core.Ord) {
	x.mu.Lock()
	defer x.mu.Unlock()
	defer x.publish()
	for _, ord := range ords {
		x.remove(ord, false)
	}
}

// Holds reports whether the index has, under ord, what it would have of text.
func (x *Index) Holds(ord core.Ord, text string) bool {
	list, length := count(text)
	x.mu.Lock()
	defer x.mu.Unlock()
	p := x.pages.Load().page(ord)
	if p == nil || length == 0 {
		return length == int(x.pages.Load().length(ord))
	}
	entries := make([]posting, len(list))
	for i, c := range list {
		t := x.dict[c.term]
		if t == nil {
			return false
		}
		entries[i] = posting{t, uint8(min(c.count, maxCount))}
	}
	slices.SortFunc(entries, compareIDs)
	return int(p.lengths[ord%pageLen].Load()) == length && p.words[ord%pageLen] == encodeWords(entries)
}

// posting is an entry of a document's list of words.
type posting struct {
	term  *term
	count uint8
}

func compareIDs(a, b posting) int { return cmp.Compare(a.term.id, b.term.id) }

// insert adds a document that is not present.
func (x *Index) insert(ord core.Ord, list []counted, length int) {
	entries := make([]posting, len(list))
	for i, c := range list {
		entries[i] = posting{x.term(c.term), uint8(min(c.count, maxCount))}
	}
	slices.SortFunc(entries, compareIDs)
	x.place(ord, entries, length)
}

// place puts a document that is not present in its page and its postings. The
// entries are in the order of the terms' ids.
func (x *Index) place(ord core.Ord, entries []posting, length int) {
	length = min(length, 1<<32-1)
	p := x.page(ord)
	p.words[ord%pageLen] = encodeWords(entries)
	p.live++
	x.grow(int64(len(p.words[ord%pageLen])))
	// The length comes first: what is in the postings and has a length is there.
	p.lengths[ord%pageLen].Store(uint32(length))
	x.docs.Add(1)
	x.tokens.Add(int64(length))
	lengths := x.pages.Load().length
	for _, e := range entries {
		d := x.touch(e.term)
		before := d.sizeBytes()
		d.add(ord, e.count, uint32(length), lengths)
		x.grow(d.sizeBytes() - before)
		e.term.df.Add(1)
	}
}

// remove takes a document out, if it is there. Its postings stay until there
// are many such, unless they are to be purged because the ordinal lives on.
func (x *Index) remove(ord core.Ord, purge bool) {
	at := x.pages.Load().entry(ord)
	if at == nil {
		return
	}
	p := at.page.Load()
	if p == nil {
		return
	}
	length := p.lengths[ord%pageLen].Load()
	if length == 0 {
		return
	}
	at.gaps.Store(true)
	p.lengths[ord%pageLen].Store(0)
	x.docs.Add(-1)
	x.tokens.Add(-int64(length))
	for id := range decodeWords(p.words[ord%pageLen]) {
		x.release(x.terms[id], purge)
	}
	x.grow(-int64(len(p.words[ord%pageLen])))
	p.words[ord%pageLen] = ""
	if p.live--; p.live == 0 {
		at.page.Store(nil)
		x.grow(-pageBytes)
	}
}

// release takes note that one document less holds t.
func (x *Index) release(t *term, purge bool) {
	df := int(t.df.Add(-1))
	d := x.touch(t)
	switch dead := len(d.ords) - df; {
	case df == 0:
		x.forget(t)
	case purge || dead > df/2+blockLen/4:
		before := d.sizeBytes()
		lengths := x.pages.Load().length
		t.dirty = d.filter(lengths, func(ord core.Ord) bool { return lengths(ord) > 0 })
		x.grow(t.dirty.sizeBytes() - before)
	}
}

// forget takes a term that no document holds out of the dictionary.
func (x *Index) forget(t *term) {
	x.dictMu.Lock()
	delete(x.dict, t.text)
	x.dictMu.Unlock()
	x.grow(-t.dirty.sizeBytes() - termBytes - int64(len(t.text)))
	t.dirty = new(postings)
	x.terms[t.id] = nil
	x.free = append(x.free, t.id)
}

// term returns the term of that text, a new one when there is none.
func (x *Index) term(text string) *term {
	if t := x.dict[text]; t != nil {
		return t
	}
	t := &term{text: strings.Clone(text)}
	t.view.Store(new(postings))
	if n := len(x.free); n > 0 {
		t.id, x.free = x.free[n-1], x.free[:n-1]
		x.terms[t.id] = t
	} else {
		t.id = uint32(len(x.terms))
		x.terms = append(x.terms, t)
	}
	x.grow(termBytes + int64(len(text)) + postingsBytes)
	x.dictMu.Lock()
	x.dict[t.text] = t
	x.dictMu.Unlock()
	return t
}

// touch returns the postings of t as the writer has them.
func (x *Index) touch(t *term) *postings {
	if t.dirty == nil {
		d := *t.view.Load()
		t.dirty = &d
		x.dirty = append(x.dirty, t)
	}
	return t.dirty
}

// publish shows searches what was written.
func (x *Index) publish() {
	for _, t := range x.dirty {
		t.view.Store(t.dirty)
		t.dirty = nil
	}
	clear(x.dirty)
	x.dirty = x.dirty[:0]
}

// page returns the page of ord, a new one when there is none.
func (x *Index) page(ord core.Ord) *page {
	ps := *x.pages.Load()
	i := int(ord / pageLen)
	if i >= len(ps) {
		// A list twice as long, so that growing page by page stays cheap.
		longer := make(pages, max(i+1, min(2*len(ps), 1<<20)))
		for j := range ps {
			longer[j].page.Store(ps[j].page.Load())
			longer[j].gaps.Store(ps[j].gaps.Load())
		}
		x.grow(entryBytes * int64(len(longer)-len(ps)))
		x.pages.Store(&longer)
		ps = longer
	}
	p := ps[i].page.Load()
	if p == nil {
		p = new(page)
		ps[i].page.Store(p)
		x.grow(pageBytes)
	}
	return p
}

func (x *Index) grow(n int64) { x.bytes.Add(n) }

// encodeWords writes the terms of a document: for each the distance of its id
// from that before and its count.
func encodeWords(entries []posting) string {
	out := make([]byte, 0, 3*len(entries))
	last := uint32(0)
	for _, e := range entries {
		out = binary.AppendUvarint(out, uint64(e.term.id-last))
		out = append(out, e.count)
		last = e.term.id
	}
	return string(out)
}

// decodeWords yields the ids and counts that encodeWords has written.
func decodeWords(words string) func(yield func(id uint32, count uint8) bool) {
	return func(yield func(uint32, uint8) bool) {
		id, data := uint32(0), unsafe.Slice(unsafe.StringData(words), len(words))
		for len(data) > 0 {
			d, n := binary.Uvarint(data)
			id += uint32(d)
			if !yield(id, data[n]) {
				return
			}
			data = data[n+1:]
		}
	}
}
