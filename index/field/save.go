package field

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
	"maps"
	"math"
	"os"
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
	sumBytes    = 4
	saveBuffer  = 1 << 18
	saveFrom    = 1_000 // documents
	fewOrdinals = 32    // are a list
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

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
	err := snapshot.Write(path, func(f *os.File) error {
		w := &saver{ctx: ctx, sum: crc32.New(castagnoli)}
		w.out = bufio.NewWriterSize(io.MultiWriter(f, w.sum), saveBuffer)
		x.save(w, m)
		return w.finish(f)
	})
	if err != nil {
		return fmt.Errorf("write snapshot of fields: %w", err)
	}
	return nil
}

// saver writes the parts of a snapshot.
type saver struct {
	ctx context.Context
	sum hash.Hash32
	out *bufio.Writer // keeps its first error
	err error         // of the context, or of a set
	buf []byte
}

func (w *saver) number(n uint64) {
	w.buf = binary.AppendUvarint(w.buf[:0], n)
	_, _ = w.out.Write(w.buf) // told by Flush
}

func (w *saver) text(s string) {
	w.number(uint64(len(s)))
	_, _ = w.out.WriteString(s) // told by Flush
}

func (w *saver) set(s *core.Set) {
	data, err := s.AppendTo(nil)
	w.err = errors.Join(w.err, err)
	w.number(uint64(len(data)))
	_, _ = w.out.Write(data) // told by Flush
}

func (w *saver) finish(f *os.File) error {
	if err := errors.Join(w.err, w.out.Flush()); err != nil {
		return err
	}
	_, err := f.Write(binary.LittleEndian.AppendUint32(nil, w.sum.Sum32()))
	return err
}

func (x *Index) save(w *saver, m snapshot.Mark) {
	_, _ = w.out.WriteString(fileMagic) // told by Flush
	for _, n := range []uint64{fileVersion, m.Seq, m.Tag, uint64(len(x.docs))} {
		w.number(n)
	}
	last := core.Ord(0)
	for ord := range x.live.All() {
		e := x.docs[ord]
		w.number(uint64(ord - last))
		w.text(e.id)
		w.number(uint64(len(e.values)))
		last = ord
	}
	w.set(x.texts)
	names := slices.DeleteFunc(slices.Sorted(maps.Keys(x.fields)), func(name string) bool { return name == hashes })
	w.number(uint64(len(names)))
	for _, name := range names {
		if err := w.ctx.Err(); err != nil {
			w.err = errors.Join(w.err, err)
			return
		}
		x.fields[name].save(w)
	}
}

func (c *column) save(w *saver) {
	w.text(c.name)
	w.set(c.ords)
	w.number(uint64(len(c.values)))
	for k, v := range c.values {
		w.number(uint64(k.kind))
		if k.kind == isText {
			w.text(k.text)
		} else {
			w.number(k.bits)
			w.number(uint64(k.nano))
		}
		w.holders(v)
	}
	w.number(uint64(len(c.points)))
	for _, ord := range slices.Sorted(maps.Keys(c.points)) {
		w.number(uint64(ord))
		w.number(uint64(len(c.points[ord])))
		for _, p := range c.points[ord] {
			w.number(math.Float64bits(p.Lat))
			w.number(math.Float64bits(p.Lon))
		}
	}
}

// holders writes the ordinals that hold a value.
func (w *saver) holders(v *value) {
	if v.set == nil {
		w.number(1)
		w.number(uint64(v.only))
		return
	}
	n := v.set.Len()
	if w.number(uint64(n)); n > fewOrdinals {
		w.set(v.set)
		return
	}
	last := core.Ord(0)
	for ord := range v.set.All() {
		w.number(uint64(ord - last))
		last = ord
	}
}
