package main

import (
	"fmt"
	"slices"
	"strings"
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
	base, queries := choose(sources, 1500, 10, 0)
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

func TestChooseAddsWindowsWhereTextsAreTooLong(t *testing.T) {
	var sources []source
	for i := range 100 {
		sources = append(sources, source{[]string{fmt.Sprintf("sentence %d", i), fmt.Sprintf("%d has one two three four five six seven", i)}})
	}
	base, queries := choose(sources, 390, 2, 3)
	if len(base) != 390 || len(queries) != 2 {
		t.Fatalf("%d texts and %d queries, want 390 and 2", len(base), len(queries))
	}
	for _, text := range append(base, queries...) {
		if n := len(strings.Fields(text)); n > 3 {
			t.Errorf("%q has %d words, at most 3 were wanted", text, n)
		}
	}
}
