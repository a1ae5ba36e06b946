package hnsw

import (
	"context"
	"encoding/binary"
	"hash/crc32"
	"math/rand/v2"
	"os"
	"runtime"
	"runtime/debug"
	"testing"

	"github.com/vecdb/vecdb/index"
	"github.com/vecdb/vecdb/internal/core"
)

// fuzzed is a snapshot in a file that is damaged and mended again and again, so
// that an input costs what it changes and not the whole file.
type fuzzed struct {
	sample
	h       *header
	good    []byte
	data    []byte // what the file holds
	file    *os.File
	touched []section // where data differs from good
	cut     bool      // whether the file is shorter
}

// newFuzzed returns a snapshot of about n vectors none of whose parts is empty,
// but for those that only L2 has.
func newFuzzed(f *testing.F, cfg index.Config, o Options, n int) *fuzzed {
	o.ScanBelow, o.EfConstruction, o.Seed = -1, 24, fuzzSeed
	z := &fuzzed{sample: newSample(f, cfg, o, n)}
	g := z.x.state.Load().graph
	g.mend() // which leaves slots and nodes to be used again
	alike := around(rand.New(rand.NewPCG(6, 1)), 2*crowdFrom, z.vectors[0], 1e-3)
	beside := append([]float32{1e13}, z.vectors[0][1:]...) // for L2
	if err := z.x.Insert(context.Background(), itemsOf(core.Ord(n), append(alike, beside))); err != nil {
		f.Fatal(err)
	}
	for i := 3 * n / 4; i < n; i += 3 {
		z.x.Delete(core.Ord(i))
	}
	if _, level, _ := g.entry.get(); level < 2 || g.crowded.Load() == 0 {
		f.Fatalf("the sample has %d layers and %d crowds", level, g.crowded.Load())
	}
	if err := z.x.WriteSnapshot(context.Background(), z.path, snapshotMark); err != nil {
		f.Fatal(err)
	}
	var err error
	if z.good, err = os.ReadFile(z.path); err != nil {
		f.Fatal(err)
	}
	if z.h, err = decodeHeader(z.good[:headerLen]); err != nil {
		f.Fatal(err)
	}
	for sec, s := range z.h.Sections {
		wanted := true
		switch sec {
		case secFines:
			wanted = z.h.FineLen > 0
		case secOrds, secVectors, secCenter:
			wanted = cfg.Metric == index.L2
		}
		if wanted && s.Length == 0 {
			f.Fatalf("section %d of the sample is empty", sec)
		}
	}
	z.data = append([]byte(nil), z.good...)
	if z.file, err = os.OpenFile(z.path, os.O_RDWR, 0); err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = z.file.Close() })
	z.x = nil
	return z
}

// pieceLen is the length of a piece of an input: in the low bits of the first
// byte what is changed, above them how many bytes; where, in three bytes that
// count in that part; and four bytes to put there.
const pieceLen = 8

// What a piece changes besides a section.
const (
	changeSums = sectionCount + iota
	changeHeader
	changeAny    // of the whole file
	changeLength // cuts the file
	leaveSums    // lets the checksums be wrong
	changes
)

// damage changes the file by pieces, most of which leave checksums that hold.
func (z *fuzzed) damage(t *testing.T, pieces []byte) {
	parts := append(z.h.Sections[:], z.h.Sums, section{0, uint64(binary.Size(z.h))}, section{0, uint64(len(z.data))})
	seal, size := true, uint64(len(z.data))
	for ; len(pieces) >= pieceLen; pieces = pieces[pieceLen:] {
		at := uint64(binary.LittleEndian.Uint32(pieces)) >> 8
		switch kind := int(pieces[0]) % 16 % changes; kind {
		case changeLength:
			size = at % uint64(len(z.data))
		case leaveSums:
			seal = false
		default:
			width := uint64(1) << (pieces[0] >> 4 & 3 % 3)
			if part := parts[kind]; part.Length >= width {
				z.write(part.Offset+at%part.Length/width*width, pieces[4:4+width])
			}
		}
	}
	if seal {
		z.seal()
	}
	for _, s := range z.touched {
		if _, err := z.file.WriteAt(z.data[s.Offset:][:s.Length], int64(s.Offset)); err != nil {
			t.Fatal(err)
		}
	}
	if z.cut = size < uint64(len(z.data)); z.cut {
		if err := z.file.Truncate(int64(size)); err != nil {
			t.Fatal(err)
		}
	}
}

func (z *fuzzed) write(at uint64, b []byte) {
	z.touched = append(z.touched, section{at, uint64(copy(z.data[at:], b))})
}

// seal makes the checksums of what was changed hold again.
func (z *fuzzed) seal() {
	h := new(header)
	if _, err := binary.Decode(z.data, binary.LittleEndian, h); err != nil {
		panic(err) // the page is longer than the header
	}
	if h.checkSections(uint64(len(z.data))) == nil {
		changed := z.touched
		at := h.Sums.Offset
		for _, s := range h.Sections {
			for from := uint64(0); from < s.Length; from += chunkLen {
				chunk := section{s.Offset + from, min(chunkLen, s.Length-from)}
				if *h != *z.h || chunk.meets(changed) {
					z.write(at, binary.LittleEndian.AppendUint32(nil, crc32.Checksum(z.data[chunk.Offset:][:chunk.Length], castagnoli)))
				}
				at += 4
			}
		}
		h.SumsCRC = crc32.Checksum(z.data[h.Sums.Offset:][:h.Sums.Length], castagnoli)
		z.write(0, h.encode()[:binary.Size(h)])
	}
	z.write(headerLen-4, binary.LittleEndian.AppendUint32(nil, crc32.Checksum(z.data[:headerLen-4], castagnoli)))
}

// meets reports whether any of others lies in the section in part.
func (s section) meets(others []section) bool {
	for _, o := range others {
		if o.Offset < s.Offset+s.Length && s.Offset < o.Offset+o.Length {
			return true
		}
	}
	return false
}

// mend undoes the damage.
func (z *fuzzed) mend(t *testing.T) {
	whole := section{0, uint64(len(z.good))}
	if z.cut {
		z.touched = append(z.touched[:0], whole)
	}
	for _, s := range z.touched {
		copy(z.data[s.Offset:][:s.Length], z.good[s.Offset:])
		if _, err := z.file.WriteAt(z.good[s.Offset:][:s.Length], int64(s.Offset)); err != nil {
			t.Fatal(err)
		}
	}
	z.touched, z.cut = z.touched[:0], false
}

// fuzzSmall and fuzzLarge are how many vectors samples have: enough for a crowd and
// for layers above the bottom, and for pivots.
const (
	fuzzSmall = 40
	fuzzLarge = 600
)

// fuzzSamples returns small snapshots of each mode and metric, with vectors kept
// exactly and not, and large ones, which take a hundred times as long.
func fuzzSamples(f *testing.F) (small, large []*fuzzed) {
	modes := []Options{{}, {Compact: true}, {Disk: true}}
	for _, o := range modes {
		for _, m := range []index.Metric{index.L2, index.Cosine, index.Dot} {
			small = append(small, newFuzzed(f, index.Config{Dim: exactUpTo + 1, Metric: m}, o, fuzzSmall))
		}
		large = append(large, newFuzzed(f, index.Config{Dim: exactUpTo + 1}, o, fuzzLarge))
	}
	for _, o := range modes[:2] {
		small = append(small, newFuzzed(f, index.Config{Dim: 16, Metric: index.L2}, o, fuzzSmall))
	}
	return small, large
}

// fuzzSeed is one with which few vectors have several layers.
const fuzzSeed = 47

// fuzzLargeFrom is from which number on one input of eight is about a large sample.
const fuzzLargeFrom = 250

// FuzzOpenSnapshot opens snapshots with any damage, nearly all of them with
// checksums that hold, and uses what opens. A million inputs take some twenty
// minutes of one core, if no time goes into making those that are kept shorter:
//
//	go test -run '^$' -fuzz FuzzOpenSnapshot -fuzztime 1000000x -fuzzminimizetime 1x ./index/hnsw
func FuzzOpenSnapshot(f *testing.F) {
	// The samples are the same each time, and the same input goes the same way,
	// which is how those that go new ones are known.
	threads := runtime.GOMAXPROCS(1)
	// Little lives on from an input to the next.
	collect, limit := debug.SetGCPercent(1000), debug.SetMemoryLimit(512<<20)
	f.Cleanup(func() {
		runtime.GOMAXPROCS(threads)
		debug.SetGCPercent(collect)
		debug.SetMemoryLimit(limit)
	})
	small, large := fuzzSamples(f)
	for i := range byte(len(small)) {
		f.Add(i, []byte{})
		for part := range byte(changeSums) {
			n := i*31 + part*67 // anywhere in the part
			f.Add(i, []byte{part | 2<<4, n, n * 3, 0, 0xfe, 0xff, 0xff, 0xff, part, n * 5, n * 7, 0, 3, 0, 0, 0})
		}
		f.Add(i, []byte{changeAny, i * 8, 0, 0, 0, 0, 0, 0})
		f.Add(i, []byte{changeLength, 0x88, 0x13, i, 0, 0, 0, 0})
		f.Add(i, []byte{secBlocks, 100, 2, 0, 9, 0, 0, 0, leaveSums, 0, 0, 0, 0, 0, 0, 0})
		f.Add(i, []byte{changeSums, 0, 0, 0, 1, 0, 0, 0, leaveSums, 0, 0, 0, 0, 0, 0, 0})
	}
	for i := range byte(len(large)) {
		f.Add(fuzzLargeFrom+i, []byte{})
	}
	for at := 0; at < binary.Size(header{}); at += 4 {
		f.Add(byte(at), []byte{changeHeader | 2<<4, byte(at), byte(at >> 8), 0, 0xfe, 0xff, 0xff, 0x7f})
	}
	f.Fuzz(func(t *testing.T, which uint8, pieces []byte) {
		one := crc32.ChecksumIEEE(pieces)%8 == 0 // of eight inputs, for what takes long
		z := small[int(which)%len(small)]
		if one && which >= fuzzLargeFrom {
			z = large[int(which)%len(large)]
		}
		defer z.mend(t)
		z.damage(t, pieces)
		x, _, err := OpenSnapshot(z.path, z.cfg, z.o)
		if err != nil {
			if !isRefusal(err) {
				t.Fatalf("the error is %v", err)
			}
			return
		}
		use(t, z.sample, x)
		if one {
			if err := x.Check(context.Background(), func(string) {}); err != nil {
				t.Fatal(err)
			}
		}
		if err := x.Verify(context.Background()); err != nil && !isRefusal(err) {
			t.Fatalf("the error is %v", err)
		}
		g := x.state.Load().graph
		g.rowing.Lock() // until who draws rows is done
		g.slab.close()
		g.upper.close()
	})
}

// use searches and changes an index that may be damaged.
func use(t *testing.T, s sample, x *Index) {
	few, many := core.NewSet(1, 5, 40, 41, 60, 61, 102), core.NewSet()
	for ord := core.Ord(0); int(ord) < len(s.vectors); ord += 2 {
		many.Add(ord)
	}
	search := func(q []float32) {
		for _, o := range []index.Options{{K: 10}, {K: 3, Allow: few}, {K: 5, Allow: many}} {
			found, err := x.Search(context.Background(), q, o)
			if err != nil {
				t.Fatal(err)
			}
			for _, n := range found {
				if o.Allow != nil && !o.Allow.Contains(n.Ord) {
					t.Fatalf("found %d, which is not allowed", n.Ord)
				}
			}
		}
	}
	for i, q := range s.vectors[:2] {
		search(q)
		s.insert(t, x, 1000+3*i, 1003+3*i) // some of which are there already
	}
	for _, p := range x.Probes(1, 1) {
		if _, err := x.Ask(context.Background(), p, index.Options{K: 5}); err != nil {
			t.Fatal(err)
		}
		if _, err := x.Scan(context.Background(), p, 5); err != nil {
			t.Fatal(err)
		}
	}
	for ord := range core.Ord(fuzzSmall / 4) {
		x.Delete(4*ord, core.Ord(len(s.vectors))+ord)
	}
	x.state.Load().graph.mend()
	s.insert(t, x, 2000, 2002)
	search(s.vectors[5])
	select {
	case <-x.Broken():
		t.Fatal("memory was read that is not there")
	default:
	}
}
