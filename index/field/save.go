package field

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/vecdb/vecdb/index/snapshot"
	"github.com/vecdb/vecdb/internal/core"
)

// A snapshot is one file: magic, version and mark, then numbers as varints: how
// many documents, each with the distance of its ordinal from that before, its id
// and in how many places it stands; the set of those with a text; how many
// fields, each with its name, the set of those that have it, its values and its
// points. A value is its kind and content and the ordinals that hold it, few as
// a list of distances, many as a roaring bitmap. Last comes a CRC-32C of
// everything before, little-endian. docs/file-format.md has more.
const (
	fileMagic   = "vecdb\x00fi"
	fileVersion = 1
	saveFrom    = 1_000 // documents
	fewOrdinals = 32    // are a list
)

// Len returns the number of documents.
func (x *Index) Len() int {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return len(x.docs)
}

// WriteSnapshot writes the index to the file path, which OpenSnapshot reads.
// Changes wait meanwhile, look-ups go on. It returns snapshot.ErrSmall while
// there are few documents.
func (x *Index) WriteSnapshot(ctx context.Context, path string, m snapshot.Mark) error {
	x.mu.RLock()
	defer x.mu.RUnlock()
	if len(x.docs) < saveFrom {
		return snapshot.ErrSmall
	}
	err := snapshot.WriteStream(path, fileMagic, fileVersion, m, func(w *snapshot.Stream) { x.save(ctx, saver{w}) })
	if err != nil {
		return fmt.Errorf("write snapshot of fields: %w", err)
	}
	return nil
}

// saver writes the parts of a snapshot.
type saver struct{ *snapshot.Stream }

func (w saver) set(s *core.Set) {
	data, err := s.AppendTo(nil)
	w.Err = errors.Join(w.Err, err)
	w.Bytes(data)
}

func (x *Index) save(ctx context.Context, w saver) {
	w.Number(uint64(len(x.docs)))
	last := core.Ord(0)
	for ord := range x.live.All() {
		e := x.docs[ord]
		w.Number(uint64(ord - last))
		w.Text(e.id)
		w.Number(uint64(len(e.values)))
		last = ord
	}
	w.set(x.texts)
	names := slices.DeleteFunc(slices.Sorted(maps.Keys(x.fields)), func(name string) bool { return name == hashes })
	w.Number(uint64(len(names)))
	for _, name := range names {
		if err := ctx.Err(); err != nil {
			w.Err = errors.Join(w.Err, err)
			return
		}
		x.fields[name].save(w)
	}
}

func (c *column) save(w saver) {
	w.Text(c.name)
	w.set(c.ords)
	w.Number(uint64(len(c.values)))
	for k, v := range c.values {
		w.Number(uint64(k.kind))
		if k.kind == isText {
			w.Text(k.text)
		} else {
			w.Number(k.bits)
			w.Number(uint64(k.nano))
		}
		w.holders(v)
	}
	w.Number(uint64(len(c.points)))
	for _, ord := range slices.Sorted(maps.Keys(c.points)) {
		w.Number(uint64(ord))
		w.Number(uint64(len(c.points[ord])))
		for _, p := range c.points[ord] {
			w.Number(math.Float64bits(p.Lat))
			w.Number(math.Float64bits(p.Lon))
		}
	}
}

// holders writes the ordinals that hold a value.
func (w saver) holders(v *value) {
	if v.set == nil {
		w.Number(1)
		w.Number(uint64(v.only))
		return
	}
	n := v.set.Len()
	if w.Number(uint64(n)); n > fewOrdinals {
		w.set(v.set)
		return
	}
	last := core.Ord(0)
	for ord := range v.set.All() {
		w.Number(uint64(ord - last))
		last = ord
	}
}
