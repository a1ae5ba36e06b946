package snapshot

import (
	"bufio"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"os"
)

// SumBytes is the length of the checksum that WriteStream puts at the end.
const SumBytes = 4

// StreamBuffer is how many bytes of a stream are written at a time.
const StreamBuffer = 1 << 18

// Castagnoli is the table of that checksum.
var Castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Stream takes the parts of a snapshot one after the other. WriteStream returns
// its errors.
type Stream struct {
	Err error // of who fills it

	out *bufio.Writer // keeps its first error
	buf []byte
}

// WriteStream writes a file as Write does: magic, version and mark, what fill puts
// behind them, and a CRC-32C of everything before, little-endian. Numbers are
// varints.
func WriteStream(path, magic string, version uint64, m Mark, fill func(*Stream)) error {
	return Write(path, func(f *os.File) error {
		sum := crc32.New(Castagnoli)
		w := &Stream{out: bufio.NewWriterSize(io.MultiWriter(f, sum), StreamBuffer)}
		_, _ = w.out.WriteString(magic) // told by Flush
		for _, n := range []uint64{version, m.Seq, m.Tag} {
			w.Number(n)
		}
		fill(w)
		if err := errors.Join(w.Err, w.out.Flush()); err != nil {
			return err
		}
		_, err := f.Write(binary.LittleEndian.AppendUint32(nil, sum.Sum32()))
		return err
	})
}

// Number writes a number.
func (w *Stream) Number(n uint64) {
	w.buf = binary.AppendUvarint(w.buf[:0], n)
	_, _ = w.out.Write(w.buf) // told by Flush
}

// Text writes a text with its length in bytes before.
func (w *Stream) Text(s string) {
	w.Number(uint64(len(s)))
	_, _ = w.out.WriteString(s) // told by Flush
}

// Bytes writes bytes with their number before.
func (w *Stream) Bytes(b []byte) {
	w.Number(uint64(len(b)))
	_, _ = w.out.Write(b) // told by Flush
}
