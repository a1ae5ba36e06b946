package field

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"
	"os"

	"github.com/vecdb/vecdb/index/snapshot"
	"github.com/vecdb/vecdb/internal/core"
)

// OpenSnapshot returns the index that WriteSnapshot wrote to path, with the
// mark it was given. The error matches core.ErrCorrupt when the file is damaged
// and core.ErrInvalid when it is of another version.
func OpenSnapshot(path string) (*Index, snapshot.Mark, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, snapshot.Mark{}, err
	}
	x, m, err := load(data)
	if err != nil {
		return nil, snapshot.Mark{}, fmt.Errorf("open snapshot %s: %w", path, err)
	}
	return x, m, nil
}

func damaged(what string) error { return fmt.Errorf("%s: %w", what, core.ErrCorrupt) }

func load(data []byte) (*Index, snapshot.Mark, error) {
	if len(data) < len(fileMagic)+sumBytes || string(data[:len(fileMagic)]) != fileMagic {
		return nil, snapshot.Mark{}, damaged("it is no snapshot of fields")
	}
	body, sum := data[:len(data)-sumBytes], binary.LittleEndian.Uint32(data[len(data)-sumBytes:])
	if crc32.Checksum(body, castagnoli) != sum {
		return nil, snapshot.Mark{}, damaged("the checksum does not hold")
	}
	r := &loader{rest: body[len(fileMagic):]}
	if version := r.number(); version != fileVersion {
		return nil, snapshot.Mark{}, core.Invalid("", "", "the snapshot has version %d, this program reads %d", version, fileVersion)
	}
	m := snapshot.Mark{Seq: r.number(), Tag: r.number()}
	x := r.index()
	if r.err == nil && len(r.rest) > 0 {
		r.fail("it is longer than its content")
	}
	return x, m, r.err
}

// loader reads the parts of a snapshot whose checksum holds. Numbers are
// checked all the same, so that no file can make it take more memory than its
// own size asks for, or panic.
type loader struct {
	rest []byte
	err  error
	docs map[core.Ord]*entry
}

func (r *loader) fail(what string) {
	if r.err == nil {
		r.err = damaged(what)
	}
	r.rest = nil
}

func (r *loader) number() uint64 {
	n, size := binary.Uvarint(r.rest)
	if size <= 0 {
		r.fail("it is cut short")
		return 0
	}
	r.rest = r.rest[size:]
	return n
}

// count reads how many things follow, each of a byte at the least.
func (r *loader) count() int {
	n := r.number()
	if n > uint64(len(r.rest)) {
		r.fail("a number is not what it can be")
		return 0
	}
	return int(n)
}

func (r *loader) bytes() []byte {
	n := r.count()
	b := r.rest[:n]
	r.rest = r.rest[n:]
	return b
}

func (r *loader) set() *core.Set {
	set, err := core.ReadSet(r.bytes())
	if err != nil {
		r.fail(err.Error())
		return core.NewSet()
	}
	return set
}

func (r *loader) ord(last core.Ord) core.Ord {
	n := uint64(last) + r.number()
	if n >= uint64(core.NoOrd) {
		r.fail("an ordinal is not what it can be")
		return 0
	}
	return core.Ord(n)
}

func (r *loader) index() *Index {
	x := New()
	n := r.count()
	entries := make([]entry, n)
	r.docs = make(map[core.Ord]*entry, n)
	ords := make([]core.Ord, n)
	last := core.Ord(0)
	for i := range entries {
		last = r.ord(last)
		ords[i] = last
		entries[i].id = string(r.bytes())
		entries[i].values = make([]posting, 0, min(r.number(), 64))
		r.docs[last] = &entries[i]
		x.live.Add(last)
		x.ids[entries[i].id] = last // the larger ordinal answers to an id
		x.idBytes += int64(len(entries[i].id))
		if r.err != nil {
			return x
		}
	}
	x.texts = r.set()
	for range r.count() {
		r.column(x)
	}
	for i, ord := range ords {
		x.docs[ord] = entries[i]
		x.postings += int64(len(entries[i].values))
	}
	return x
}

func (r *loader) column(x *Index) {
	c := newColumn(string(r.bytes()))
	c.ords = r.set()
	x.fields[c.name] = c
	valued := core.NewSet()
	var held []core.Ord
	for range r.count() {
		k := key{kind: kind(min(r.number(), uint64(kinds)))}
		switch {
		case k.kind == isText:
			k.text = string(r.bytes())
		case k.kind >= isHash:
			r.fail("a value has an unknown kind")
		default:
			k.bits, k.nano = r.number(), uint32(r.number())
		}
		held = r.holders(held[:0])
		if r.err != nil {
			return
		}
		r.fill(c, k, held)
		for _, ord := range held {
			valued.Add(ord)
		}
	}
	r.points(c)
	rest := c.ords.Clone()
	rest.AndNot(valued)
	for ord := range rest.All() {
		r.place(ord, posting{c, nil})
	}
}

// fill puts ordinals under a value.
func (r *loader) fill(c *column, k key, held []core.Ord) {
	for _, ord := range held {
		if !c.ords.Contains(ord) {
			r.fail("a value has a document that does not have the field")
			return
		}
		v := c.add(k, ord)
		if v == nil {
			r.fail("a value is there twice")
			return
		}
		r.place(ord, posting{c, v})
	}
}

// place notes where an ordinal stands.
func (r *loader) place(ord core.Ord, p posting) {
	e := r.docs[ord]
	if e == nil {
		r.fail("a field has a document that is not there")
		return
	}
	e.values = append(e.values, p)
}

// holders appends the ordinals that hold a value.
func (r *loader) holders(out []core.Ord) []core.Ord {
	n := r.number()
	if n == 0 || n > math.MaxUint32 {
		r.fail("a value has no documents")
		return out
	}
	if n > fewOrdinals {
		for ord := range r.set().All() {
			out = append(out, ord)
		}
		return out
	}
	last := core.Ord(0)
	for range n {
		last = r.ord(last)
		out = append(out, last)
	}
	return out
}

func (r *loader) points(c *column) {
	for range r.count() {
		ord := r.ord(0)
		for range r.count() {
			c.addPoint(ord, core.Point{Lat: math.Float64frombits(r.number()), Lon: math.Float64frombits(r.number())})
		}
	}
}
