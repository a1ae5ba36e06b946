package vecdb

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"

	"github.com/vecdb/vecdb/index/snapshot"
	"github.com/vecdb/vecdb/internal/core"
)

// keptForm is the form of the files that keep what a collection has learnt: magic,
// the body, and in the end a CRC-32C of both (little-endian). What cannot be read
// can be learnt again.
type keptForm struct {
	suffix string // of the name
	magic  string
	what   string // for errors, for instance "heads"
}

var keptTable = crc32.MakeTable(crc32.Castagnoli)

// keeps reports whether there is a folder to write to.
func (s *snapshotFolder) keeps() bool { return s != nil && !s.readOnly }

// keep writes the file of a collection, if there is a folder to write to.
func (s *snapshotFolder) keep(number uint32, form keptForm, body []byte) error {
	if !s.keeps() {
		return nil
	}
	sum := crc32.Update(crc32.Checksum([]byte(form.magic), keptTable), keptTable, body)
	end := binary.LittleEndian.AppendUint32(nil, sum)
	return s.write(number, form.suffix, int64(len(form.magic)+len(body)+len(end)), func(path string) error {
		return snapshot.Write(path, func(f *os.File) error {
			for _, part := range [][]byte{[]byte(form.magic), body, end} {
				if _, err := f.Write(part); err != nil {
					return err
				}
			}
			return nil
		})
	})
}

// kept returns the body of the file of a collection. The error matches
// fs.ErrNotExist where there is none, and core.ErrCorrupt where it is damaged.
func (s *snapshotFolder) kept(number uint32, form keptForm) ([]byte, error) {
	if s == nil {
		return nil, fs.ErrNotExist
	}
	data, err := os.ReadFile(s.path(number, form.suffix))
	if err != nil {
		return nil, err
	}
	body, ok := bytes.CutPrefix(data, []byte(form.magic))
	if !ok || len(body) < 4 {
		return nil, fmt.Errorf("the file of %s has another form: %w", form.what, core.ErrCorrupt)
	}
	end := len(data) - 4
	if binary.LittleEndian.Uint32(data[end:]) != crc32.Checksum(data[:end], keptTable) {
		return nil, fmt.Errorf("the checksum of the file of %s does not hold: %w", form.what, core.ErrCorrupt)
	}
	return body[:len(body)-4], nil
}
