package main

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"strings"
)

// npyWriter writes a float32 matrix in NumPy's format, row by row.
type npyWriter struct {
	path string
	file *os.File
	w    *bufio.Writer
	row  []byte
}

func newNPY(path string, rows, cols int) (*npyWriter, error) {
	f, err := os.Create(path + ".partial")
	if err != nil {
		return nil, err
	}
	n := &npyWriter{path: path, file: f, w: bufio.NewWriterSize(f, 1<<20), row: make([]byte, 4*cols)}
	header := fmt.Sprintf("{'descr': '<f4', 'fortran_order': False, 'shape': (%d, %d), }", rows, cols)
	// The numbers begin at a multiple of 64 bytes.
	header += strings.Repeat(" ", 63-(10+len(header))%64) + "\n"
	_, err = n.w.WriteString("\x93NUMPY\x01\x00" + string(binary.LittleEndian.AppendUint16(nil, uint16(len(header)))) + header)
	return n, err
}

func (n *npyWriter) write(vectors [][]float32) error {
	for _, v := range vectors {
		if 4*len(v) != len(n.row) {
			return fmt.Errorf("a vector has %d numbers, the first had %d", len(v), len(n.row)/4)
		}
		for i, x := range v {
			binary.LittleEndian.PutUint32(n.row[4*i:], math.Float32bits(x))
		}
		if _, err := n.w.Write(n.row); err != nil {
			return err
		}
	}
	return nil
}

// close completes the file and gives it its name.
func (n *npyWriter) close() error {
	err := errors.Join(n.w.Flush(), n.file.Close())
	n.file = nil
	if err != nil {
		return err
	}
	return os.Rename(n.path+".partial", n.path)
}

// abandon removes what an error has left.
func (n *npyWriter) abandon() {
	if n.file != nil {
		_ = n.file.Close()           // what was written is not kept
		_ = os.Remove(n.file.Name()) // at worst a partial file stays
	}
}
