package field

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"
	"os"
	"slices"

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
	if len(data) < len(fileMagic)+snapshot.SumBytes || string(data[:len(fileMagic)]) != fileMagic {
		return nil, snapshot.Mark{}, damaged("it is no snapshot of fields")
	}
	body, sum := data[:len(data)-snapshot.SumBytes], binary.LittleEndian.Uint32(data[len(data)-snapshot.SumBytes:])
	if crc32.Checksum(body, snapshot.Castagnoli) != sum {
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
	rest    []byte
	err     error
	ords    []core.Ord // of the documents, rising
	entries []entry    // theirs
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
	r.entries, r.ords = make([]entry, n), make([]core.Ord, n)
	x.docs, x.ids = make(map[core.Ord]entry, n), make(map[string]core.Ord, n)
	last := core.Ord(0)
	for i := range r.entries {
		e := &r.entries[i]
		last = r.ord(last)
		r.ords[i] = last
		e.id = string(r.bytes())
		e.values = make([]posting, 0, min(r.number(), 64))
		x.live.Add(last)
		x.ids[e.id] = last // the larger ordinal answers to an id
		x.idBytes += int64(len(e.id))
		if r.err != nil {
			return x
		}
	}
	x.texts = r.set()
	for range r.count() {
		r.column(x)
	}
	for i, ord := range r.ords {
		x.docs[ord] = r.entries[i]
		x.postings += int64(len(r.entries[i].values))
	}
	return x
}

func (r *loader) column(x *Index) {
	c := newColumn(string(r.bytes()))
	c.ords = r.set()
	x.fields[c.name] = c
	valued := make([]bool, len(r.ords))
	n := r.count()
	c.values = make(map[key]*value, n)
	values := make([]value, n)
	var held []core.Ord
	for i := range values {
		k := key{kind: kind(min(r.number(), uint64(kinds)))}
		switch {
		case k.kind == isText:
			k.text = string(r.bytes())
		case k.kind >= isHash:
			r.fail("a value has an unknown kind")
		default:
			k.bits, k.nano = r.number(), uint32(r.number())
		}
		if held = r.holders(held[:0]); r.err != nil {
			return
		}
		values[i] = value{key: k, only: held[0]}
		r.fill(c, &values[i], held, valued)
	}
	r.points(c)
	at := 0
	for ord := range c.ords.All() {
		if at = r.place(ord, at); r.err == nil && !valued[at] {
			r.entries[at].values = append(r.entries[at].values, posting{c, nil})
		}
	}
}

// fill puts ordinals, which rise, under a new value.
func (r *loader) fill(c *column, v *value, held []core.Ord, valued []bool) {
	if c.values[v.key] != nil || !slices.IsSorted(held) || held[0] == held[len(held)-1] && len(held) > 1 {
		r.fail("a value is there twice")
		return
	}
	if len(held) > 1 {
		v.set = core.NewSet(held...)
	}
	c.enter(v)
	at := 0
	for i, ord := range held {
		at = r.place(ord, at)
		if r.err != nil || i > 0 && ord == held[i-1] || !c.ords.Contains(ord) {
			r.fail("a value has a document that does not have the field")
			return
		}
		valued[at] = true
		r.entries[at].values = append(r.entries[at].values, posting{c, v})
		if v.key.plainly() {
			c.codes.note(ord, v)
		}
	}
	c.shared += int64(len(held) - 1)
}

// place returns the place of a document, which is not before from.
func (r *loader) place(ord core.Ord, from int) int {
	rest := r.ords[from:]
	// Nearly all ordinals of a set are close to each other.
	step := 1
	for step < len(rest) && rest[step] <= ord {
		step *= 2
	}
	at, there := slices.BinarySearch(rest[:min(step, len(rest))], ord)
	if !there {
		r.fail("a field has a document that is not there")
		return 0
	}
	return from + at
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
