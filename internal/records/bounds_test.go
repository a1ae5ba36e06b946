package records

import (
	"errors"
	"io"
	"runtime"
	"strings"
	"testing"
)

// endless repeats a piece up to a number of bytes.
type endless struct {
	head, piece string
	left        int
}

func (e *endless) Read(p []byte) (int, error) {
	if e.left <= 0 {
		return 0, io.EOF
	}
	if e.head != "" {
		n := copy(p, e.head)
		e.head = e.head[n:]
		return n, nil
	}
	n := 0
	for n+len(e.piece) <= len(p) {
		n += copy(p[n:], e.piece)
	}
	e.left -= n
	return n, nil
}

func TestMemoryStaysBounded(t *testing.T) {
	if testing.Short() {
		t.Skip("reads 100 MB an input")
	}
	const total = 100 << 20
	for _, tt := range []struct {
		name, file, head, piece string
	}{
		{"csv", "a.csv", "id,text\n", "x,some words to be read\n"},
		{"a quote that is never closed", "a.csv", "id,text\na,\"", "words without an end\n"},
		{"a line that never ends", "a.txt", "", "words without an end "},
		{"a json value that never ends", "a.json", "[{\"id\":\"a\",\"text\":\"", "words without an end "},
		{"a json array", "a.json", "[{\"text\":\"x\"}", ",\n{\"text\":\"some words to be read\"}"},
		{"a paragraph that never ends", "a.deb", "Package: a\nVersion: 1\nDescription: b\n", " words without an end\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, err := New(&endless{head: tt.head, piece: tt.piece, left: total}, tt.file, Options{})
			if err != nil {
				return // refused before it was read whole
			}
			peak := readWatching(r)
			if limit := uint64(12 * MaxRecordBytes); peak > limit {
				t.Errorf("%d MiB in use, limit %d MiB", peak>>20, limit>>20)
			}
		})
	}
}

// readWatching reads all and returns the largest live heap that it saw.
func readWatching(r *Reader) uint64 {
	var m runtime.MemStats
	peak := uint64(0)
	for n := 0; ; n++ {
		_, err := r.Next()
		var line *LineError
		if err != nil && !errors.As(err, &line) {
			return peak
		}
		if n%100_000 == 0 || err != nil && n < 100 {
			runtime.GC()
			runtime.ReadMemStats(&m)
			peak = max(peak, m.HeapAlloc)
		}
	}
}

func FuzzReader(f *testing.F) {
	for _, s := range []string{
		"id,text\n1,one\n2,\"two\n\"\n", "a\tb\n\"\t\"\n", "[{\"text\":\"x\"}]", "{\"documents\":[{},3]}", "{\"text\":1}\n{",
		"Package: a\nDescription: b\n c\n", "\ufeffa,b\n", "\xff\xfea\x00", "\x1f\x8b\x08", "\xd6\xd0\xce\xc4\n", "text\n\n \n",
	} {
		for format := range uint8(7) {
			f.Add([]byte(s), format)
		}
	}
	formats := []Format{"", CSV, TSV, JSON, JSONL, Text, Debian}
	f.Fuzz(func(t *testing.T, data []byte, format uint8) {
		r, err := New(strings.NewReader(string(data)), "in", Options{Format: formats[int(format)%len(formats)]})
		if err != nil {
			return
		}
		for n := 0; ; n++ {
			rec, err := r.Next()
			var line *LineError
			if err != nil && !errors.As(err, &line) {
				return
			}
			if n > 2*len(data)+2 {
				t.Fatalf("more records than bytes")
			}
			if err != nil {
				continue
			}
			if rec.Line < 1 || rec.Document.Text == "" && rec.Document.Vector == nil {
				t.Fatalf("record %+v", rec)
			}
		}
	})
}
