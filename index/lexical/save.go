package lexical

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"os"

	"github.com/vecdb/vecdb/index/snapshot"
	"github.com/vecdb/vecdb/internal/core"
)

// A snapshot is one file: magic, version and mark, then numbers as varints: how
// many terms, each with its length in bytes; how many documents, each with the
// distance of its ordinal from that before, its length in terms, and the size
// and content of its list of words; last a CRC-32C of everything before,
// little-endian. The version also stands for the way in which texts become
// terms: where that changes, old snapshots must not be read.
const (
	fileMagic   = "vecdb\x00lx"
	fileVersion = 1
	saveFrom    = 1_000 // documents
)

// WriteSnapshot writes the index to the file path, which OpenSnapshot reads.
// Insertions and deletions wait meanwhile, searches go on. It returns
// snapshot.ErrSmall while there are few documents.
func (x *Index) WriteSnapshot(ctx context.Context, path string, m snapshot.Mark) error {
	if x.Len() < saveFrom {
		return snapshot.ErrSmall
	}
	return x.write(ctx, path, m)
}

func (x *Index) write(ctx context.Context, path string, m snapshot.Mark) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	err := snapshot.WriteStream(path, fileMagic, fileVersion, m, func(w *snapshot.Stream) { x.save(ctx, w) })
	if err != nil {
		return fmt.Errorf("write snapshot of words: %w", err)
	}
	return nil
}

// save writes the terms under numbers without gaps, then the documents.
func (x *Index) save(ctx context.Context, w *snapshot.Stream) {
	w.Number(uint64(len(x.dict)))
	numbers := make([]uint32, len(x.terms))
	n := uint32(0)
	for id, t := range x.terms {
		if t != nil {
			w.Text(t.text)
			numbers[id] = n
			n++
		}
	}
	w.Number(uint64(x.Len()))
	last := core.Ord(0)
	for i := range *x.pages.Load() {
		p := (*x.pages.Load())[i].page.Load()
		if p == nil {
			continue
		}
		if w.Err = ctx.Err(); w.Err != nil {
			return
		}
		for d := range p.lengths {
			if length := p.lengths[d].Load(); length > 0 {
				ord := core.Ord(i)*pageLen + core.Ord(d)
				w.Number(uint64(ord - last))
				w.Number(uint64(length))
				w.Bytes(renumbered(p.words[d], numbers))
				last = ord
			}
		}
	}
}

// renumbered is a list of words with the ids replaced by numbers, which rise with
// them.
func renumbered(words string, numbers []uint32) (list []byte) {
	last := uint32(0)
	for id, count := range decodeWords(words) {
		list = binary.AppendUvarint(list, uint64(numbers[id]-last))
		list = append(list, count)
		last = numbers[id]
	}
	return list
}

// OpenSnapshot returns the index that WriteSnapshot wrote to path, with the
// mark it was given. The error matches core.ErrCorrupt when the file is damaged
// and core.ErrInvalid when it is of another version.
func OpenSnapshot(ctx context.Context, path string) (*Index, snapshot.Mark, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, snapshot.Mark{}, err
	}
	defer f.Close()
	size, err := checkSum(f)
	if err != nil {
		return nil, snapshot.Mark{}, fmt.Errorf("open snapshot %s: %w", path, err)
	}
	r := &loader{ctx: ctx, in: bufio.NewReaderSize(io.NewSectionReader(f, 0, size), snapshot.StreamBuffer), left: size}
	x, m, err := r.load()
	if err != nil {
		return nil, snapshot.Mark{}, fmt.Errorf("open snapshot %s: %w", path, err)
	}
	return x, m, nil
}

func damaged(format string, args ...any) error {
	return fmt.Errorf("%s: %w", fmt.Sprintf(format, args...), core.ErrCorrupt)
}

// checkSum compares a file with its checksum and returns the length of the
// rest.
func checkSum(f *os.File) (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	size := info.Size() - snapshot.SumBytes
	if size < int64(len(fileMagic)) {
		return 0, damaged("the file has %d bytes", info.Size())
	}
	sum := crc32.New(snapshot.Castagnoli)
	if _, err := io.Copy(sum, io.NewSectionReader(f, 0, size)); err != nil {
		return 0, err
	}
	var want [snapshot.SumBytes]byte
	if _, err := f.ReadAt(want[:], size); err != nil {
		return 0, err
	}
	if binary.LittleEndian.Uint32(want[:]) != sum.Sum32() {
		return 0, damaged("the checksum does not hold")
	}
	return size, nil
}
