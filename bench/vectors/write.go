package vectors

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"strings"
)

// Writer writes vectors to a file in NumPy's format, as a matrix of float32. The
// file appears under its name when it is complete.
type Writer struct {
	path string
	file *os.File
	w    *bufio.Writer
	row  []byte // as long as the first vector
	rows int
}

// headerLen is the length of what stands before the numbers: room for any shape,
// and a multiple of 64, as the format asks for.
const headerLen = 128

// Create begins a file. End it by Close, or by Abandon after an error.
func Create(path string) (*Writer, error) {
	f, err := os.Create(path + ".partial")
	if err != nil {
		return nil, err
	}
	w := &Writer{path: path, file: f, w: bufio.NewWriterSize(f, 1<<20)}
	_, err = w.w.Write(make([]byte, headerLen)) // written at the end, when the shape is known
	return w, err
}

// Write adds vectors, which are all as long as the first of the file.
func (w *Writer) Write(vectors [][]float32) error {
	for _, v := range vectors {
		if w.rows == 0 {
			w.row = make([]byte, 4*len(v))
		}
		if 4*len(v) != len(w.row) {
			return fmt.Errorf("a vector has %d numbers, the first had %d", len(v), len(w.row)/4)
		}
		for i, x := range v {
			binary.LittleEndian.PutUint32(w.row[4*i:], math.Float32bits(x))
		}
		if _, err := w.w.Write(w.row); err != nil {
			return err
		}
		w.rows++
	}
	return nil
}

// Close completes the file and gives it its name.
func (w *Writer) Close() error {
	header := fmt.Sprintf("{'descr': '<f4', 'fortran_order': False, 'shape': (%d, %d), }", w.rows, len(w.row)/4)
	start := npyMagic + "\x01\x00" + string(binary.LittleEndian.AppendUint16(nil, headerLen-10))
	header = start + header + strings.Repeat(" ", headerLen-1-len(start)-len(header)) + "\n"
	err := w.w.Flush()
	if err == nil {
		_, err = w.file.WriteAt([]byte(header), 0)
	}
	err = errors.Join(err, w.file.Close())
	if err != nil {
		_ = os.Remove(w.path + ".partial") // at worst a partial file stays
	}
	w.file = nil
	if err != nil {
		return err
	}
	return os.Rename(w.path+".partial", w.path)
}

// Abandon removes what an error has left. It does nothing after Close.
func (w *Writer) Abandon() {
	if w.file != nil {
		_ = w.file.Close()           // what was written is not kept
		_ = os.Remove(w.file.Name()) // at worst a partial file stays
		w.file = nil
	}
}
