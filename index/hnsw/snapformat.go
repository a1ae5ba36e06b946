package hnsw

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"
	"slices"

	"github.com/vecdb/vecdb/index"
	"github.com/vecdb/vecdb/internal/core"
)

// A snapshot is one file, little-endian: a page with the header, the sections,
// each from a multiple of sectionAlign, and the checksums of the sections, one
// CRC-32C for each chunkLen bytes or rest. The parts of the graph lie in their
// sections as they lie in memory, so that they can be mapped.
const (
	snapshotMagic   = "vecdb\x00gr"
	snapshotVersion = 2
	headerLen       = 4096
	sectionAlign    = 64 << 10 // at least a page, on every system
	chunkLen        = 1 << 20
)

// The sections, in their order in the file.
const (
	secBlocks = iota
	secMetas
	secFines
	secNodes
	secLists
	secShared  // pairs of a slot and a further ordinal of its vertex
	secFree    // slots
	secDead    // slots
	secOrds    // of the vectors beside the graph
	secVectors // beside the graph
	secCenter  // of the space
	sectionCount
)

// section tells where a part lies in the file.
type section struct{ Offset, Length uint64 }

// header is what the first page holds, in its last four bytes its checksum.
type header struct {
	Magic      [8]byte
	Version    uint32
	Metric     uint32 // its place in snapshotMetrics
	Dim        uint32
	Padded     uint32
	Mode       uint32 // 0, or 1 if Compact, or 2 if Disk
	Stride     uint32 // bytes a block
	FineLen    uint32 // bytes of fine codes a vertex
	Rotation   uint32 // checksum of the signs of the rotation
	Seed       uint64
	Unit       float64 // of the space
	Mark       Mark
	Slots      uint64 // in use, dead and free ones included
	EntryNode  uint32
	EntryLevel uint32 // 0 when there is no entry
	Sections   [sectionCount]section
	Sums       section // the checksums of the sections
	SumsCRC    uint32  // the checksum of those
	Apart      uint64  // vectors beside the graph when it was made
	Fill       float64 // of the space
}

var snapshotMetrics = [...]index.Metric{index.Cosine, index.L2, index.Dot}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func damaged(format string, args ...any) error {
	return fmt.Errorf("%s: %w", fmt.Sprintf(format, args...), core.ErrCorrupt)
}

// newHeader returns the header of a graph without what depends on its content.
func newHeader(sp *space, l layout, o Options) *header {
	h := &header{
		Version: snapshotVersion, Metric: uint32(slices.Index(snapshotMetrics[:], sp.metric)),
		Dim: uint32(sp.dim), Padded: uint32(sp.padded), Stride: uint32(l.stride), FineLen: uint32(l.fineLen),
		Rotation: sp.rot.checksum(), Seed: o.Seed, Unit: sp.unit, Fill: sp.fill,
	}
	copy(h.Magic[:], snapshotMagic)
	switch {
	case o.Disk:
		h.Mode = 2
	case o.Compact:
		h.Mode = 1
	}
	return h
}

// encode returns the first page.
func (h *header) encode() []byte {
	page := make([]byte, headerLen)
	if _, err := binary.Encode(page, binary.LittleEndian, h); err != nil {
		panic(err) // the header has a fixed size
	}
	binary.LittleEndian.PutUint32(page[headerLen-4:], crc32.Checksum(page[:headerLen-4], castagnoli))
	return page
}

func decodeHeader(page []byte) (*header, error) {
	h := new(header)
	if _, err := binary.Decode(page, binary.LittleEndian, h); err != nil {
		return nil, damaged("the header is cut short")
	}
	if string(h.Magic[:]) != snapshotMagic {
		return nil, damaged("it is no snapshot of a graph")
	}
	if binary.LittleEndian.Uint32(page[headerLen-4:]) != crc32.Checksum(page[:headerLen-4], castagnoli) {
		return nil, damaged("the checksum of the header does not hold")
	}
	if h.Version != snapshotVersion {
		return nil, core.Invalid("", "use the vecdb that wrote it", "the snapshot has format %d, this vecdb reads format %d", h.Version, snapshotVersion)
	}
	return h, nil
}

// fits reports by an error whether a snapshot with header h belongs to an
// index that would write header want.
func (h *header) fits(want *header) error {
	if h.Metric != want.Metric || h.Dim != want.Dim || h.Mode != want.Mode || h.Seed != want.Seed {
		return core.Invalid("", "make the index anew", "the snapshot was made with other settings")
	}
	if h.Padded != want.Padded || h.Stride != want.Stride || h.FineLen != want.FineLen || h.Rotation != want.Rotation {
		return core.Invalid("", "make the index anew", "the snapshot has another layout")
	}
	if !(h.Unit > 0) || math.IsInf(h.Unit, 0) {
		return damaged("the unit of the space is %g", h.Unit)
	}
	if !(h.Fill >= 0) {
		return damaged("the mean length in the space is %g", h.Fill)
	}
	return nil
}

// checkSections checks the table of sections against the counts and the length
// of the file.
func (h *header) checkSections(size uint64) error {
	inside := func(s section) bool {
		return s.Offset >= headerLen && s.Offset%sectionAlign == 0 && s.Offset <= size && s.Length <= size-s.Offset
	}
	chunks := uint64(0)
	for i, s := range h.Sections {
		if !inside(s) {
			return damaged("section %d lies outside of the file", i)
		}
		chunks += uint64(chunksOf(s.Length))
	}
	if !inside(h.Sums) || h.Sums.Length != 4*chunks {
		return damaged("the checksums lie outside of the file")
	}
	if h.Slots > maxSlots {
		return damaged("there are %d slots", h.Slots)
	}
	s := &h.Sections
	center := uint64(0)
	if int(h.Metric) == slices.Index(snapshotMetrics[:], index.L2) {
		center = 8 * uint64(h.Dim)
	}
	switch {
	case s[secBlocks].Length != h.Slots*uint64(h.Stride), s[secMetas].Length != h.Slots*uint64(metaLen),
		s[secFines].Length != h.Slots*uint64(h.FineLen), s[secCenter].Length != center,
		s[secNodes].Length%uint64(nodeLen) != 0, s[secLists].Length%uint64(listLen) != 0,
		s[secShared].Length%8 != 0, s[secFree].Length%4 != 0, s[secDead].Length%4 != 0, s[secOrds].Length%4 != 0,
		s[secVectors].Length != s[secOrds].Length*uint64(h.Dim):
		return damaged("the length of a section is not what the counts ask for")
	}
	return nil
}

func chunksOf(length uint64) int { return int((length + chunkLen - 1) / chunkLen) }

// checksum tells rotations apart.
func (r *rotation) checksum() uint32 {
	var b bytes.Buffer
	for _, signs := range r.signs {
		for _, s := range signs {
			b.WriteByte(byte(int8(s)))
		}
	}
	return crc32.Checksum(b.Bytes(), castagnoli)
}
