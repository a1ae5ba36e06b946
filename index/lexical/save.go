package lexical

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
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
	sumBytes    = 4
	saveBuffer  = 1 << 18
	saveFrom    = 1_000 // documents
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

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
	err := snapshot.Write(path, func(f *os.File) error {
		w := &saver{ctx: ctx, sum: crc32.New(castagnoli)}
		w.out = bufio.NewWriterSize(io.MultiWriter(f, w.sum), saveBuffer)
		x.save(w, m)
		return w.finish(f)
	})
	if err != nil {
		return fmt.Errorf("write snapshot of words: %w", err)
	}
	return nil
}

// saver writes the parts of a snapshot.
type saver struct {
	ctx context.Context
	sum hash.Hash32
	out *bufio.Writer // keeps its first error
	err error         // of the context
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

func (w *saver) finish(f *os.File) error {
	if err := errors.Join(w.err, w.out.Flush()); err != nil {
		return err
	}
	_, err := f.Write(binary.LittleEndian.AppendUint32(nil, w.sum.Sum32()))
	return err
}

// save writes the terms under numbers without gaps, then the documents.
func (x *Index) save(w *saver, m snapshot.Mark) {
	_, _ = w.out.WriteString(fileMagic) // told by Flush
	for _, n := range []uint64{fileVersion, m.Seq, m.Tag, uint64(len(x.dict))} {
		w.number(n)
	}
	numbers := make([]uint32, len(x.terms))
	n := uint32(0)
	for id, t := range x.terms {
		if t != nil {
			w.text(t.text)
			numbers[id] = n
			n++
		}
	}
	w.number(uint64(x.Len()))
	last := core.Ord(0)
	for i := range *x.pages.Load() {
		p := (*x.pages.Load())[i].Load()
		if p == nil {
			continue
		}
		if w.err = w.ctx.Err(); w.err != nil {
			return
		}
		for d := range p.lengths {
			if length := p.lengths[d].Load(); length > 0 {
				ord := core.Ord(i)*pageLen + core.Ord(d)
				w.number(uint64(ord - last))
				w.number(uint64(length))
				w.words(p.words[d], numbers)
				last = ord
			}
		}
	}
}

// words writes a list of words with the ids replaced by numbers, which rise
// with them.
func (w *saver) words(words string, numbers []uint32) {
	var list []byte
	last := uint32(0)
	for id, count := range decodeWords(words) {
		list = binary.AppendUvarint(list, uint64(numbers[id]-last))
		list = append(list, count)
		last = numbers[id]
	}
	w.number(uint64(len(list)))
	_, _ = w.out.Write(list) // told by Flush
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
	r := &loader{ctx: ctx, in: bufio.NewReaderSize(io.NewSectionReader(f, 0, size), saveBuffer), left: size}
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
	size := info.Size() - sumBytes
	if size < int64(len(fileMagic)) {
		return 0, damaged("the file has %d bytes", info.Size())
	}
	sum := crc32.New(castagnoli)
	if _, err := io.Copy(sum, io.NewSectionReader(f, 0, size)); err != nil {
		return 0, err
	}
	var want [sumBytes]byte
	if _, err := f.ReadAt(want[:], size); err != nil {
		return 0, err
	}
	if binary.LittleEndian.Uint32(want[:]) != sum.Sum32() {
		return 0, damaged("the checksum does not hold")
	}
	return size, nil
}
