package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestDescribeTakesTitleParagraphsAndItems(t *testing.T) {
	got := describe("Package: x\nDescription-en: a title of a package\n First sentence here. Second\n sentence here!\n .\n A list follows here:\n * the first item\n * the second item\nNext: field of it\n").sentences
	want := []string{"a title of a package", "First sentence here.", "Second sentence here!", "A list follows here:", "the first item", "the second item"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestChooseKeepsQueriesOutOfTheBase(t *testing.T) {
	var sources []source
	for i := range 500 {
		sources = append(sources, source{[]string{fmt.Sprintf("the first sentence of %d", i), fmt.Sprintf("a second sentence, of %d", i), "a sentence that all have"}})
	}
	base, queries := choose(sources, 1500, 10)
	if len(base) != 1500 || len(queries) != 10 {
		t.Fatalf("%d texts and %d queries, want 1500 and 10", len(base), len(queries))
	}
	seen := make(map[string]bool)
	for _, text := range append(base, queries...) {
		if seen[text] {
			t.Errorf("%q occurs twice", text)
		}
		seen[text] = true
	}
}

func TestNPYBeginsAsNumPyWants(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.npy")
	w, err := newNPY(path, 2, 3)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.write([][]float32{{1, 2, 3}, {4, 5, 6}}); err != nil {
		t.Fatal(err)
	}
	if err := w.close(); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if len(data) != 128+24 || !bytes.HasPrefix(data, []byte("\x93NUMPY\x01\x00\x76\x00{'descr': '<f4'")) || data[127] != '\n' {
		t.Errorf("%d bytes, %q", len(data), data)
	}
}
