package hnsw

import (
	"context"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"
	"os"
	"unsafe"

	"github.com/vecdb/vecdb/index/snapshot"
	"github.com/vecdb/vecdb/internal/core"
)

// Mark says which state of its collection a snapshot holds.
type Mark = snapshot.Mark

// WriteSnapshot writes the index to the file path, which OpenSnapshot reads. It
// writes aside and renames, so that path holds the old snapshot or the new one
// whatever happens. Insertions and deletions wait meanwhile, searches go on. An
// index that came from a snapshot is verified first, so that damage is not
// passed on. It returns snapshot.ErrSmall while there is no graph.
func (x *Index) WriteSnapshot(ctx context.Context, path string, m Mark) error {
	if err := x.Verify(ctx); err != nil {
		return err
	}
	if !littleEndian {
		return core.Invalid("", "", "snapshots need a little-endian machine")
	}
	x.gate.Lock()
	defer x.gate.Unlock()
	st := x.state.Load()
	if st.graph == nil {
		return snapshot.ErrSmall
	}
	// Deleted vertices may be taken out of the lists outside of the gate.
	st.graph.mending.Lock()
	defer st.graph.mending.Unlock()
	var h *header
	err := snapshot.Write(path, func(f *os.File) error {
		defer st.graph.slab.fines.inOrder()()
		return st.graph.guard.run(func() (err error) {
			h, err = x.writeTo(ctx, f, st, m)
			return err
		})
	})
	if err != nil {
		return fmt.Errorf("write snapshot: %w", err)
	}
	// From now on what lies on disk is read there.
	records := h.Sections[secFines]
	st.graph.slab.fines.moveTo(path, int64(records.Offset), int(records.Length))
	return nil
}

var littleEndian = binary.NativeEndian.Uint16([]byte{1, 0}) == 1

// writeTo writes the snapshot. The caller keeps everything from changing.
func (x *Index) writeTo(ctx context.Context, f *os.File, st *state, m Mark) (*header, error) {
	g := st.graph
	h := newHeader(g.space, g.slab.layout, x.opt)
	h.Mark = m
	n := int(g.n.Load())
	h.Slots, h.Apart = uint64(n), uint64(st.apart)
	if node, level, ok := g.entry.get(); ok {
		h.EntryNode, h.EntryLevel = node, uint32(level)
	}
	w := snapshotWriter{ctx: ctx, f: f, at: headerLen}
	for i, part := range g.parts(n, st) {
		h.Sections[i] = w.section(part, true)
	}
	h.SumsCRC = crc32.Checksum(w.sums, castagnoli)
	h.Sums = w.section(w.sums, false)
	// The header comes last: without it there is no snapshot.
	w.write(h.encode(), 0)
	// An index from the snapshot draws its own, and answers as this one goes on to.
	g.pivots.Store(nil)
	g.sketches.Store(nil)
	g.rows.Store(nil)
	return h, w.err
}

// parts returns the sections. Those of the graph are the memory itself.
func (g *graph) parts(n int, st *state) (out [sectionCount][]byte) {
	out[secBlocks] = g.slab.blocks.mem[:n*int(g.slab.stride)]
	out[secMetas] = g.slab.metas.mem[:n*metaLen]
	out[secFines] = g.slab.fines.mem[:n*g.slab.fineLen]
	out[secNodes] = g.upper.nodes.mem[:int(g.upper.n.Load())*nodeLen]
	out[secLists] = g.upper.lists.mem[:g.upper.used*listLen]
	out[secFree], out[secDead] = bytesOf(g.free), bytesOf(g.dead)
	for v, set := range g.shared {
		for ord := range set.All() {
			out[secShared] = binary.LittleEndian.AppendUint32(out[secShared], v)
			out[secShared] = binary.LittleEndian.AppendUint32(out[secShared], uint32(ord))
		}
	}
	st.flat.Each(func(ord core.Ord, v []float32) {
		out[secOrds] = binary.LittleEndian.AppendUint32(out[secOrds], uint32(ord))
		for _, f := range v {
			out[secVectors] = binary.LittleEndian.AppendUint32(out[secVectors], math.Float32bits(f))
		}
	})
	for _, c := range g.space.center {
		out[secCenter] = binary.LittleEndian.AppendUint64(out[secCenter], math.Float64bits(c))
	}
	return out
}

func bytesOf(list []uint32) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(list))), 4*len(list))
}

// snapshotWriter writes sections one after the other. After an error it does
// nothing.
type snapshotWriter struct {
	ctx  context.Context
	f    *os.File
	at   int64 // the end of what is written
	sums []byte
	err  error
}

// section writes the next section, with its checksums unless it holds those.
func (w *snapshotWriter) section(data []byte, sum bool) section {
	w.at = (w.at + sectionAlign - 1) / sectionAlign * sectionAlign
	s := section{Offset: uint64(w.at), Length: uint64(len(data))}
	for len(data) > 0 {
		chunk := data[:min(len(data), chunkLen)]
		if sum {
			w.sums = binary.LittleEndian.AppendUint32(w.sums, crc32.Checksum(chunk, castagnoli))
		}
		w.write(chunk, w.at)
		w.at += int64(len(chunk))
		data = data[len(chunk):]
	}
	// An empty section too lies inside of the file.
	if w.err == nil && s.Length == 0 {
		w.err = w.f.Truncate(w.at)
	}
	return s
}

func (w *snapshotWriter) write(data []byte, at int64) {
	if w.err == nil {
		w.err = w.ctx.Err()
	}
	if w.err == nil {
		_, w.err = w.f.WriteAt(data, at)
	}
}
