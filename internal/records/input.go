package records

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"sync/atomic"

	"github.com/vecdb/vecdb/internal/core"
)

// input is a source with its packing and encoding taken off: UTF-8 comes out,
// without a byte order mark, though parts that are broken in the source are
// not valid.
type input struct {
	*bufio.Reader
	source   io.Reader
	size     int64 // of the source, -1 when unknown
	count    atomic.Int64
	gzip     bool
	encoding string
	note     string // what a person should know, or ""
}

// counter counts what is read from the source. It is the lowest layer.
type counter struct {
	r io.Reader
	n *atomic.Int64
}

func (c counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n.Add(int64(n))
	return n, err
}

func openInput(src io.Reader, encoding string) (*input, error) {
	in := &input{source: src, size: sourceSize(src)}
	packed := bufio.NewReaderSize(counter{src, &in.count}, peekBytes)
	head, err := packed.Peek(8)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	unpacked := packed
	if bytes.HasPrefix(head, []byte{0x1f, 0x8b}) {
		z, err := gzip.NewReader(packed)
		if err != nil {
			return nil, fmt.Errorf("unpack gzip: %w", err)
		}
		in.gzip = true
		unpacked = bufio.NewReaderSize(z, peekBytes)
	}
	begin, err := unpacked.Peek(peekBytes)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if err := refuseBinary(begin); err != nil {
		return nil, err
	}
	chosen, err := chooseEncoding(encoding, begin)
	if err != nil {
		return nil, err
	}
	in.encoding, in.note = chosen.name, chosen.note
	in.Reader = chosen.reader(unpacked)
	return in, nil
}

// sourceSize returns the length of a regular file, -1 of anything else.
func sourceSize(src io.Reader) int64 {
	f, ok := src.(*os.File)
	if !ok {
		return -1
	}
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return -1
	}
	return info.Size()
}

// peek returns the beginning without consuming it. What stands in the way of
// reading shows when it is read.
func (in *input) peek() []byte {
	head, _ := in.Peek(peekBytes)
	return head
}

func (in *input) close() error {
	if c, ok := in.source.(io.Closer); ok {
		return c.Close()
	}
	return nil
}

// binaryKinds are kinds of files that people try, by their first bytes.
var binaryKinds = []struct{ magic, what, hint string }{
	{"PK\x03\x04", "a zip archive or an Excel workbook", "unpack it, or save the sheet as CSV"},
	{"PK\x05\x06", "an empty zip archive", "give the file itself"},
	{"PAR1", "a Parquet file", "convert it to CSV or JSON lines"},
	{"%PDF", "a PDF", "extract its text first"},
	{"\x28\xb5\x2f\xfd", "packed with zstd", "unpack it: zstd -dc FILE | vecdb add -"},
	{"BZh", "packed with bzip2", "unpack it: bzip2 -dc FILE | vecdb add -"},
	{"\xfd7zXZ\x00", "packed with xz", "unpack it: xz -dc FILE | vecdb add -"},
	{"\x1f\x8b", "packed with gzip twice", "unpack it once: gzip -dc FILE | vecdb add -"},
	{"SQLite format 3\x00", "an SQLite database", "export a table as CSV"},
	{"\xd0\xcf\x11\xe0", "an old Office document", "save it as CSV or text"},
	{"\x7fELF", "a program", "give a file of texts"},
	{"\x89PNG", "a picture", "give a file of texts"},
	{"\xff\xd8\xff", "a picture", "give a file of texts"},
}

// refuseBinary tells kinds of files that hold no text that can be read.
func refuseBinary(head []byte) error {
	for _, k := range binaryKinds {
		if bytes.HasPrefix(head, []byte(k.magic)) {
			return core.Invalid("", k.hint, "the input is %s", k.what)
		}
	}
	if bytes.IndexByte(head, 0) >= 0 && !hasUTF16Mark(head) {
		return core.Invalid("", "give CSV, TSV, JSON, JSON lines or plain text; for UTF-16 without a mark add --encoding utf-16le",
			"the input is binary data, not text")
	}
	return nil
}

func hasUTF16Mark(head []byte) bool {
	return bytes.HasPrefix(head, []byte{0xff, 0xfe}) || bytes.HasPrefix(head, []byte{0xfe, 0xff})
}
