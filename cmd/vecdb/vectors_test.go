package main

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vecdb/vecdb/client"
	"github.com/vecdb/vecdb/internal/core"
)

// npy is a file of NumPy's format with two numbers a row.
func npy(kind string, rows int, numbers any) string {
	head := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': (%d, 2), }", kind, rows)
	head += strings.Repeat(" ", 63-(len(head)+10)%64) + "\n"
	out := []byte("\x93NUMPY\x01\x00")
	out = binary.LittleEndian.AppendUint16(out, uint16(len(head)))
	out = append(out, head...)
	out, err := binary.Append(out, binary.LittleEndian, numbers)
	if err != nil {
		panic(err)
	}
	return string(out)
}

func TestVectorsAreAdded(t *testing.T) {
	for name, c := range map[string]struct {
		kind    string
		numbers any
	}{
		"float32": {"<f4", []float32{1, 0, 0, 1, -1, 0.5}},
		"float16": {"<f2", []uint16{0x3c00, 0, 0, 0x3c00, 0xbc00, 0x3800}},
		"int8":    {"|i1", []int8{2, 0, 0, 2, -2, 1}},
	} {
		t.Run(name, func(t *testing.T) {
			b := newRig(t)
			path := b.file("points.npy", npy(c.kind, 3, c.numbers))
			sum := decode[summary](t, b.ok("add", "--json", "--metric", "l2", path))
			got := decode[client.Stats](t, b.ok("stats", "--json"))
			if sum.Created != 3 || got.Dimension != 2 || got.Model != "" {
				t.Errorf("%+v, %+v", sum, got)
			}
			doc := decode[core.Document](t, b.ok("get", "2", "--json", "--vector"))
			if want := map[bool]float32{true: -2, false: -1}[name == "int8"]; doc.Vector[0] != want || doc.Vector[1] != -want/2 {
				t.Errorf("the last vector is %v", doc.Vector)
			}
		})
	}
}

func TestVectorsMeetTheirDocuments(t *testing.T) {
	b := newRig(t)
	nan := float32(0)
	nan /= nan
	path := b.file("points.npy", npy("<f4", 4, []float32{1, 0, nan, 1, -1, 0.5, 0, 0}))
	beside := filepath.Join(filepath.Dir(path), "points.jsonl")
	const lines = `{"id":"a","year":1990}` + "\n" + `{"id":"b"}` + "\n" + `{"id":"c","year":2000}` + "\n" + `{"id":"d"}` + "\n"
	if err := os.WriteFile(beside, []byte(lines), 0o600); err != nil {
		t.Fatal(err)
	}
	sum := decode[summary](t, b.want(exitPartly, "add", "--json", path))
	if sum.Created != 2 || sum.Refused != 2 || !strings.Contains(sum.Problems[0].Error, "row 1") || sum.Problems[0].Line != 2 {
		t.Errorf("%+v", sum)
	}
	if doc := decode[core.Document](t, b.ok("get", "c", "--json", "--vector")); doc.Vector[0] != -1 || doc.Fields["year"] != int64(2000) {
		t.Errorf("%+v", doc)
	}
	for what, text := range map[string]string{"there are 3 documents for 4 vectors": lines[:strings.LastIndex(lines, `{"id":"d"`)], "more documents than": lines + `{"id":"e"}`} {
		code, _, errs := b.run(t.Context(), "add", "--db", b.dir, "--documents", b.file("other.jsonl", text), path)
		if code != exitUsage || !strings.Contains(errs, what) {
			t.Errorf("exit code %d, want %q in %s", code, what, errs)
		}
	}
	other := b.file("own.jsonl", strings.Replace(lines, `"year":1990`, `"vector":[1,2]`, 1))
	if sum := decode[summary](t, b.want(exitPartly, "add", "--json", path, "--documents", other)); !strings.Contains(sum.Problems[0].Error, "of its own") {
		t.Errorf("%+v", sum)
	}
	b.want(exitUsage, "add", b.file("bad.npy", "no such thing"))
}

func TestACollectionWithCutVectors(t *testing.T) {
	b := newRig(t)
	b.ok("add", "--dimension", "100", b.file("films.csv", films))
	if st := decode[client.Stats](t, b.ok("stats", "--json")); st.Dimension != 100 || st.Model == "" {
		t.Errorf("%+v", st)
	}
	if doc := decode[core.Document](t, b.ok("get", "a1", "--json", "--vector")); len(doc.Vector) != 100 {
		t.Errorf("%d numbers", len(doc.Vector))
	}
	b.ok("search", "father", "son")
	b.want(exitUsage, "collections", "create", "wide", "--dimension", "500")
}
