package query_test

import (
	"strings"
	"testing"

	"github.com/vecdb/vecdb/internal/core"
	"github.com/vecdb/vecdb/query"
)

// cutInWords is a cut of a text into passages of one word each.
func cutInWords(text string, scores ...float32) query.Cut {
	c := query.Cut{Scores: scores}
	at := 0
	for word := range strings.SplitSeq(text, " ") {
		c.Passages = append(c.Passages, core.Passage{Start: at, End: at + len(word)})
		at += len(word) + 1
	}
	return c
}

func TestTheBestPassageIsTold(t *testing.T) {
	f, e := newFake(at("whole", 80, nil), &core.Document{ID: "long", Text: "first second third", Vector: angle(10)})
	f.words["first"] = angle(0)
	f.cuts = map[core.Ord]query.Cut{1: cutInWords("first second third", 0.2, 0.9, 0.5)}
	for name, step := range map[string]struct {
		r    query.Request
		want string
	}{
		"by vectors": {query.Request{Vector: angle(0)}, "second"},
		"dense":      {query.Request{Text: "first", Mode: query.Dense}, "second"},
		"by words":   {query.Request{Text: "third", Mode: query.Lexical}, "third"},
		"by both":    {query.Request{Text: "first", Mode: query.Hybrid}, "first"}, // half of 0.2 and 1 against half of 0.9
	} {
		found, err := e.Search(t.Context(), step.r)
		if err != nil {
			t.Fatal(err)
		}
		for _, h := range found.Hits {
			switch p := h.Passage; {
			case h.ID == "whole" && p != nil:
				t.Errorf("%s: a document that was not cut has the passage %+v", name, p)
			case h.ID == "long" && (p == nil || p.Text != step.want || "first second third"[p.Start:p.End] != p.Text):
				t.Errorf("%s: passage %+v, want %q", name, p, step.want)
			}
		}
		if len(found.Hits) == 0 {
			t.Errorf("%s: nothing found", name)
		}
	}
}

func TestTheHighlightIsInTheBestPassage(t *testing.T) {
	text := "A fish swims. A bird sings. A fish jumps."
	f, e := newFake(&core.Document{ID: "long", Text: text, Vector: angle(10)})
	f.words["fish"] = angle(0)
	f.cuts = map[core.Ord]query.Cut{0: {Passages: []core.Passage{{Start: 0, End: 13}, {Start: 14, End: len(text)}}, Scores: []float32{0.1, 0.8}}}
	found, err := e.Search(t.Context(), query.Request{Text: "fish", Highlight: query.HighlightWords})
	if err != nil {
		t.Fatal(err)
	}
	if h := found.Hits[0].Highlight; h == nil || h.Text != "A fish jumps." || text[h.Start:h.End] != h.Text {
		t.Errorf("highlight %+v in passage %+v", h, found.Hits[0].Passage)
	}
}
