// Package framed writes and reads what is kept in files besides records and
// indexes: a header as JSON, before it its length in bytes (uint32), and numbers
// behind it, all of them little-endian. It has no checksum of its own.
package framed

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
)

// Write writes a header and the parts behind it, numbers or slices of numbers of
// fixed sizes, and returns how many bytes that are.
func Write(w io.Writer, header any, parts ...any) (int64, error) {
	about, err := json.Marshal(header)
	if err != nil {
		return 0, err
	}
	to := &counting{w: bufio.NewWriterSize(w, 1<<16)}
	for _, part := range append([]any{uint32(len(about)), about}, parts...) {
		if err := binary.Write(to, binary.LittleEndian, part); err != nil {
			return to.n, err
		}
	}
	return to.n, to.w.Flush()
}

type counting struct {
	w *bufio.Writer
	n int64
}

func (c *counting) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}

// Header reads what Write has written as header into that, a pointer, and returns
// what is behind it.
func Header(data []byte, header any) (rest []byte, err error) {
	if len(data) < 4 || int64(binary.LittleEndian.Uint32(data)) > int64(len(data)-4) {
		return nil, errors.New("it is cut short")
	}
	size := 4 + int(binary.LittleEndian.Uint32(data))
	return data[size:], json.Unmarshal(data[4:size], header)
}

// Parts fills slices of numbers with what is behind a header.
func Parts(data []byte, parts ...any) error {
	in := bytes.NewReader(data)
	for _, part := range parts {
		if err := binary.Read(in, binary.LittleEndian, part); err != nil {
			return err
		}
	}
	return nil
}
