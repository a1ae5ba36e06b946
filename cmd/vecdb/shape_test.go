package main

import (
	"reflect"
	"strings"
	"testing"

	"github.com/vecdb/vecdb/query"
)

func TestShapesInShort(t *testing.T) {
	s := shapeFlags{diversity: 0.3, decay: "a:b:30d", boosts: []string{"stars:0.2:100", "sales:-1"}, highlight: "words"}
	var got query.Request
	if err := s.apply(&got); err != nil {
		t.Fatal(err)
	}
	want := query.Request{Diversity: 0.3, Highlight: query.HighlightWords, Decay: &query.Decay{Field: "a:b", HalfLife: "30d"},
		Boosts: []query.Boost{{Field: "stars", Weight: 0.2, Half: 100}, {Field: "sales", Weight: -1}}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	for _, bad := range []shapeFlags{{decay: "published"}, {decay: ":30d"}, {decay: "published:"}, {boosts: []string{"stars"}}, {boosts: []string{"stars:many"}}, {boosts: []string{"stars:1:2:3"}}, {boosts: []string{":1"}}} {
		if err := bad.apply(new(query.Request)); err == nil {
			t.Errorf("%+v is taken", bad)
		}
	}
}

func TestHitsShowTheirSentenceAndWhatChangedTheirScore(t *testing.T) {
	a, out := plainApp("140")
	a.renderHits([]query.Hit{{ID: "a", Score: 0.5, Highlight: &query.Highlight{Text: "the sentence"}, Explain: &query.Explain{
		Mode: query.Hybrid, Metric: "cosine", Dense: 0.5, Lexical: &query.LexicalPart{Score: 1, Bound: 4},
		Adjusted: []query.Adjustment{{Field: "at", Factor: 0.75}, {Field: "x", Adds: 0.1}}}}}, nil, true)
	for _, part := range []string{"the sentence", "cosine 0.500, no words, at ×0.75, x +0.10"} {
		if !strings.Contains(out.String(), part) {
			t.Errorf("no %q in\n%s", part, out)
		}
	}
}
