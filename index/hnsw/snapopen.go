package hnsw

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"math/rand/v2"
	"os"

	"github.com/vecdb/vecdb/index"
	"github.com/vecdb/vecdb/index/flat"
	"github.com/vecdb/vecdb/internal/core"
)

// OpenSnapshot returns the index that WriteSnapshot wrote to path, with the mark
// it was given. Where the system can, the file is mapped, so that the index is
// ready at once and takes memory as it is used; it must not be written or cut
// while the index lives, but may be replaced or removed. What a search follows
// is checked; whether the codes themselves are as they were written, Verify
// tells later. The error matches core.ErrCorrupt when the file is damaged, and
// core.ErrInvalid when it is of another format or was made with other settings.
func OpenSnapshot(path string, cfg index.Config, o Options) (*Index, Mark, error) {
	x, err := New(cfg, o)
	if err != nil {
		return nil, Mark{}, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, Mark{}, err
	}
	m, err := x.open(f)
	if err != nil {
		return nil, Mark{}, errors.Join(fmt.Errorf("open snapshot %s: %w", path, err), f.Close())
	}
	return x, m, nil
}

// open fills the empty index from f and keeps f until it is verified.
func (x *Index) open(f *os.File) (Mark, error) {
	if !littleEndian {
		return Mark{}, core.Invalid("", "", "snapshots need a little-endian machine")
	}
	info, err := f.Stat()
	if err != nil {
		return Mark{}, err
	}
	page := make([]byte, headerLen)
	if _, err := f.ReadAt(page, 0); errors.Is(err, io.EOF) {
		return Mark{}, damaged("the file has %d bytes", info.Size())
	} else if err != nil {
		return Mark{}, err
	}
	h, err := decodeHeader(page)
	if err != nil {
		return Mark{}, err
	}
	sp := newSpace(x.cfg.Metric, x.cfg.Dim, x.opt.Seed, nil)
	if err := h.fits(newHeader(sp, newLayout(sp.padded, x.opt), x.opt)); err != nil {
		return Mark{}, err
	}
	if err := h.checkSections(uint64(info.Size())); err != nil {
		return Mark{}, err
	}
	r := &snapshotReader{f: f, h: h}
	if r.sums, err = r.readSums(); err != nil {
		return Mark{}, err
	}
	x.guard = newGuard()
	err = x.guard.run(func() error {
		st, err := r.state(x, sp)
		if err == nil {
			st.graph.guard = x.guard
			x.state.Store(st)
		}
		return err
	})
	if err != nil {
		return Mark{}, err
	}
	x.unverified.reader = r
	return h.Mark, nil
}

// snapshotReader reads the sections of a file whose header was checked.
type snapshotReader struct {
	f    *os.File
	h    *header
	sums [sectionCount][]byte // checksums, one after the other
}

func (r *snapshotReader) readSums() (out [sectionCount][]byte, err error) {
	all := make([]byte, r.h.Sums.Length)
	if _, err := r.f.ReadAt(all, int64(r.h.Sums.Offset)); err != nil && len(all) > 0 {
		return out, err
	}
	if crc32.Checksum(all, castagnoli) != r.h.SumsCRC {
		return out, damaged("the checksum of the checksums does not hold")
	}
	for i, s := range r.h.Sections {
		n := 4 * chunksOf(s.Length)
		out[i], all = all[:n], all[n:]
	}
	return out, nil
}

// check compares a chunk of a section with its checksum.
func (r *snapshotReader) check(sec, chunk int, data []byte) error {
	if crc32.Checksum(data, castagnoli) != binary.LittleEndian.Uint32(r.sums[sec][4*chunk:]) {
		return damaged("the checksum of chunk %d of section %d does not hold", chunk, sec)
	}
	return nil
}

// checkAll compares a whole section with its checksums.
func (r *snapshotReader) checkAll(sec int, data []byte) error {
	for chunk := 0; len(data) > 0; chunk++ {
		n := min(len(data), chunkLen)
		if err := r.check(sec, chunk, data[:n]); err != nil {
			return err
		}
		data = data[n:]
	}
	return nil
}

// bytes reads a section and checks it.
func (r *snapshotReader) bytes(sec int) ([]byte, error) {
	s := r.h.Sections[sec]
	data := make([]byte, s.Length)
	if _, err := r.f.ReadAt(data, int64(s.Offset)); err != nil && len(data) > 0 {
		return nil, err
	}
	return data, r.checkAll(sec, data)
}

// numbers reads a section of 32-bit numbers and checks it.
func (r *snapshotReader) numbers(sec int) ([]uint32, error) {
	data, err := r.bytes(sec)
	if err != nil {
		return nil, err
	}
	out := make([]uint32, len(data)/4)
	for i := range out {
		out[i] = binary.LittleEndian.Uint32(data[4*i:])
	}
	return out, nil
}

// state makes the graph and the flat index.
func (r *snapshotReader) state(x *Index, sp *space) (*state, error) {
	sp.unit, sp.fill = r.h.Unit, r.h.Fill
	center, err := r.bytes(secCenter)
	if err != nil {
		return nil, err
	}
	for i := range sp.center {
		c := math.Float64frombits(binary.LittleEndian.Uint64(center[8*i:]))
		if math.IsNaN(c) || math.IsInf(c, 0) {
			return nil, damaged("the center of the space is not finite")
		}
		sp.center[i] = c
	}
	f, err := r.flat(x.cfg)
	if err != nil {
		return nil, err
	}
	g, err := newGraph(sp, x.opt)
	if err != nil {
		return nil, err
	}
	// Levels are drawn from another sequence than before.
	g.rng = rand.New(rand.NewPCG(x.opt.Seed, 7+r.h.Slots))
	if err := r.graph(g); err != nil {
		g.slab.close()
		g.upper.close()
		return nil, err
	}
	return &state{flat: f, graph: g, apart: int(min(r.h.Apart, uint64(f.Len())))}, nil
}

// flat makes the index of the vectors beside the graph.
func (r *snapshotReader) flat(cfg index.Config) (*flat.Index, error) {
	f, err := flat.New(cfg)
	if err != nil {
		return nil, err
	}
	ords, err := r.numbers(secOrds)
	if err != nil {
		return nil, err
	}
	floats, err := r.numbers(secVectors)
	if err != nil {
		return nil, err
	}
	items := make([]index.Item, len(ords))
	for i, ord := range ords {
		v := make([]float32, cfg.Dim)
		for j := range v {
			v[j] = math.Float32frombits(floats[i*cfg.Dim+j])
		}
		items[i] = index.Item{Ord: core.Ord(ord), Vector: v}
	}
	if err := f.Insert(context.Background(), items); err != nil {
		return nil, damaged("a vector beside the graph: %v", err)
	}
	if f.Len() != len(items) {
		return nil, damaged("an ordinal is beside the graph twice")
	}
	return f, nil
}
