package hnsw

import (
	"context"
	"encoding/binary"
	"hash/crc32"
	"os"
	"path/filepath"
	"testing"

	"github.com/vecdb/vecdb/index"
	"github.com/vecdb/vecdb/internal/core"
)

// patch changes a snapshot by pieces of five bytes: where, and what to write
// there. Where counts in the parts that hold something.
func patch(snapshot []byte, h *header, pieces []byte) {
	parts := append(h.Sections[:], h.Sums, section{0, 300})
	for ; len(pieces) >= 5; pieces = pieces[5:] {
		part := parts[int(pieces[0])%len(parts)]
		at := uint64(binary.LittleEndian.Uint16(pieces[1:]))
		if part.Length > 1 {
			binary.LittleEndian.PutUint16(snapshot[part.Offset+min(at, part.Length-2):], binary.LittleEndian.Uint16(pieces[3:]))
		}
	}
}

// reseal makes all checksums hold again.
func reseal(snapshot []byte) {
	h := new(header)
	if _, err := binary.Decode(snapshot, binary.LittleEndian, h); err != nil || h.checkSections(uint64(len(snapshot))) != nil {
		return
	}
	sums := snapshot[h.Sums.Offset:]
	for _, s := range h.Sections {
		for from := uint64(0); from < s.Length; from += chunkLen {
			data := snapshot[s.Offset+from:][:min(chunkLen, s.Length-from)]
			binary.LittleEndian.PutUint32(sums, crc32.Checksum(data, castagnoli))
			sums = sums[4:]
		}
	}
	h.SumsCRC = crc32.Checksum(snapshot[h.Sums.Offset:][:h.Sums.Length], castagnoli)
	copy(snapshot, h.encode())
}

// FuzzOpenSnapshot opens snapshots with any damage, with checksums that hold,
// and uses what opens. A million inputs take about half an hour:
//
//	go test -run '^$' -fuzz FuzzOpenSnapshot -fuzztime 1000000x ./index/hnsw
func FuzzOpenSnapshot(f *testing.F) {
	s := newSample(f, index.Config{Dim: 16, Metric: index.L2}, Options{ScanBelow: -1, EfConstruction: 24}, 120)
	good, err := os.ReadFile(s.path)
	if err != nil {
		f.Fatal(err)
	}
	h, err := decodeHeader(good[:headerLen])
	if err != nil {
		f.Fatal(err)
	}
	path := filepath.Join(f.TempDir(), "fuzzed")
	f.Add([]byte{}, uint32(0), true)
	f.Add([]byte{}, uint32(5000), true)
	f.Add([]byte{0, 64, 0, 0xff, 0x7f}, uint32(0), true)
	for part := range sectionCount + 2 {
		for at := 0; at < 256; at += 36 {
			f.Add([]byte{byte(part), byte(at), 0, 0xfe, 0xff}, uint32(0), true)
			f.Add([]byte{byte(part), byte(at), 0, 3, 0}, uint32(0), at%72 == 0)
		}
	}
	f.Fuzz(func(t *testing.T, pieces []byte, cut uint32, seal bool) {
		data := append([]byte(nil), good...)
		patch(data, h, pieces)
		if seal {
			reseal(data)
		}
		data = data[:len(data)-int(cut)%len(data)]
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
		x, _, err := OpenSnapshot(path, s.cfg, s.o)
		if err != nil {
			if !isRefusal(err) {
				t.Fatalf("the error is %v", err)
			}
			return
		}
		use(t, s, x)
		if err := x.Verify(context.Background()); err != nil && !isRefusal(err) {
			t.Fatalf("the error is %v", err)
		}
		g := x.state.Load().graph
		g.slab.close()
		g.upper.close()
	})
}

// use searches and changes an index that may be damaged.
func use(t *testing.T, s sample, x *Index) {
	allow := core.NewSet(1, 5, 60, 61, 100, 101, 102)
	for i, q := range s.vectors[:8] {
		for _, o := range []index.Options{{K: 10}, {K: 3, Allow: allow}} {
			if _, err := x.Search(context.Background(), q, o); err != nil {
				t.Fatal(err)
			}
		}
		s.insert(t, x, 1000+3*i, 1003+3*i)
	}
	for i := range core.Ord(70) {
		x.Delete(i)
	}
	x.state.Load().graph.mend()
}
