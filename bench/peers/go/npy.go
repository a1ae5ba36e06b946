package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"regexp"
	"strconv"
	"strings"
)

var shape = regexp.MustCompile(`'shape': \((\d+), ?(\d*)\)`)

// readNPY returns the numbers of a file of NumPy's, version 1 or 2 in order of
// rows, as its bytes, and its shape.
func readNPY(path, kind string) (data []byte, rows, cols int, err error) {
	file, err := os.ReadFile(path)
	if err != nil {
		return nil, 0, 0, err
	}
	if len(file) < 12 || !bytes.HasPrefix(file, []byte("\x93NUMPY")) {
		return nil, 0, 0, fmt.Errorf("%s is no .npy file", path)
	}
	begin, length := 10, int(binary.LittleEndian.Uint16(file[8:]))
	if file[6] > 1 {
		begin, length = 12, int(binary.LittleEndian.Uint32(file[8:]))
	}
	header := string(file[begin : begin+length])
	m := shape.FindStringSubmatch(header)
	if m == nil || !strings.Contains(header, "'"+kind+"'") || strings.Contains(header, "'fortran_order': True") {
		return nil, 0, 0, fmt.Errorf("%s: want %s in order of rows, have %s", path, kind, header)
	}
	rows, _ = strconv.Atoi(m[1]) // the expression lets digits through only
	cols = 1
	if m[2] != "" {
		cols, _ = strconv.Atoi(m[2])
	}
	return file[begin+length:], rows, cols, nil
}

func readVectors(path string) ([][]float32, error) {
	data, rows, cols, err := readNPY(path, "<f4")
	if err != nil {
		return nil, err
	}
	all := make([]float32, rows*cols)
	for i := range all {
		all[i] = math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:]))
	}
	out := make([][]float32, rows)
	for i := range out {
		out[i] = all[i*cols : (i+1)*cols : (i+1)*cols]
	}
	return out, nil
}

func readFlags(path string) ([]bool, error) {
	data, rows, _, err := readNPY(path, "|b1")
	if err != nil {
		return nil, err
	}
	out := make([]bool, rows)
	for i := range out {
		out[i] = data[i] != 0
	}
	return out, nil
}

// truth holds for each query the ids that count as found.
type truth []map[int64]bool

// tie is how much less similar than the tenth a row may be to be as good.
const tie = 1e-6

func readTruth(path string) (truth, error) {
	data, rows, cols, err := readNPY(path, "<i8")
	if err != nil {
		return nil, err
	}
	sims, err := readVectors(strings.TrimSuffix(path, ".npy") + ".sims.npy")
	if err != nil {
		return nil, err
	}
	out := make(truth, rows)
	for q := range out {
		out[q] = make(map[int64]bool)
		for i := range cols {
			if sims[q][i] >= sims[q][atK-1]-tie {
				out[q][int64(binary.LittleEndian.Uint64(data[8*(q*cols+i):]))] = true
			}
		}
	}
	return out, nil
}

// hits counts the found ids of a query that count.
func (t truth) hits(query int, found []int64) int {
	n := 0
	for _, id := range found {
		if t[query][id] {
			n++
		}
	}
	return min(n, atK)
}
