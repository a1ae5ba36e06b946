package query_test

import (
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/vecdb/vecdb/internal/core"
	"github.com/vecdb/vecdb/query"
)

func TestDiversityLeavesOutWhatIsNearAHit(t *testing.T) {
	_, e := newFake(at("a", 5, nil), at("a1", 6, nil), at("a2", 7, nil), at("b", -40, nil), at("c", 170, nil))
	for _, c := range []struct {
		diversity float32
		want      string
	}{{0, "a a1 a2"}, {0.01, "a a1 a2"}, {0.5, "a b a1"}, {1, "a c b"}} {
		got := hits(t, e, query.Request{Vector: angle(0), Limit: 3, Diversity: c.diversity}, "")
		if ids(got) != c.want {
			t.Errorf("diversity %v: %s, want %s", c.diversity, ids(got), c.want)
		}
		if got[0].Document.Vector != nil {
			t.Error("the vector is shown")
		}
	}
}

// aged are equal documents of other ages and numbers.
func aged() *query.Engine {
	_, e := newFake(
		at("new", 0, map[string]any{"at": "2026-01-31", "stars": int64(2)}),
		at("month", 0, map[string]any{"at": "2026-01-01T00:00:00Z", "stars": 6.0}),
		at("future", 0, map[string]any{"at": "2027", "stars": int64(-3)}),
		at("seconds", 0, map[string]any{"at": int64(1767225600)}), // 2026-01-01
		at("none", 0, map[string]any{"at": "long ago"}),
	)
	return e
}

func scores(list []query.Hit) map[string]float64 {
	out := make(map[string]float64)
	for _, h := range list {
		out[h.ID] = float64(h.Score)
	}
	return out
}

func TestScoresDecayWithAge(t *testing.T) {
	r := query.Request{Vector: angle(0), Decay: &query.Decay{Field: "at", HalfLife: "30d", Origin: "2026-01-31T00:00:00Z", Weight: 0.8}, Explain: true}
	got := hits(t, aged(), r, "")
	for id, want := range map[string]float64{"new": 1, "month": 0.6, "future": 1, "seconds": 0.6, "none": 0.2} {
		if have := scores(got)[id]; !near(have, want, 1e-5) {
			t.Errorf("%s scores %v, want %v", id, have, want)
		}
	}
	if x := got[4].Explain; x.Dense != 1 || len(x.Adjusted) != 1 || !near(float64(x.Adjusted[0].Factor), 0.2, 1e-6) {
		t.Errorf("explained by %+v", x)
	}
	r.Decay = &query.Decay{Field: "stars", HalfLife: "4", Origin: "2"}
	for id, want := range map[string]float64{"new": 1, "month": 0.75, "future": 0.5 + 0.5*math.Exp2(-1.25), "none": 0.5} {
		if have := scores(hits(t, aged(), r, ""))[id]; !near(have, want, 1e-5) {
			t.Errorf("by stars, %s scores %v, want %v", id, have, want)
		}
	}
}

func TestBoostsAddUpToTheirWeight(t *testing.T) {
	r := query.Request{Vector: angle(0), Boosts: []query.Boost{{Field: "stars", Weight: 0.4, Half: 2}}, Explain: true}
	got := hits(t, aged(), r, "")
	if ids(got[:2]) != "month new" || !near(float64(got[0].Score), 1.3, 1e-6) || !near(float64(got[1].Score), 1.2, 1e-6) || got[2].Score != 1 {
		t.Errorf("found %v", scores(got))
	}
	if x := got[0].Explain.Adjusted; len(x) != 1 || x[0].Field != "stars" || !near(float64(x[0].Adds), 0.3, 1e-6) {
		t.Errorf("explained by %+v", x)
	}
	least := float32(1.25)
	r.MinScore = &least
	if got := hits(t, aged(), r, ""); ids(got) != "month" {
		t.Errorf("from %v on: %s", least, ids(got))
	}
}

func TestADecayMovesBadScoresDownToo(t *testing.T) {
	_, e := newFake(at("old", 120, nil), at("new", 121, map[string]any{"at": "2026-01-31"}))
	r := query.Request{Vector: angle(0), Decay: &query.Decay{Field: "at", HalfLife: "1d", Origin: "2026-01-31"}}
	if got := hits(t, e, r, ""); ids(got) != "new old" {
		t.Errorf("found %s", ids(got))
	}
}

func TestTheSentenceThatMatches(t *testing.T) {
	f, e := newFake(at("a", 0, nil), at("b", 10, nil), at("c", 20, nil))
	f.docs[0].Text = "  First here. The sea and the ship are here!\nNothing here."
	f.docs[1].Text = "One thing. Another thing."
	f.docs[2].Text = ""
	f.words["sea ship"] = angle(0)
	f.words["One thing."], f.words["Another thing."] = angle(50), angle(30)
	for _, how := range []query.Highlighting{query.HighlightAuto, query.HighlightWords} {
		got := hits(t, e, query.Request{Text: "sea ship", Highlight: how}, "")
		h := got[0].Highlight
		if h == nil || h.Text != "The sea and the ship are here!" || f.docs[0].Text[h.Start:h.End] != h.Text || h.By != query.HighlightWords || h.Score != 1 {
			t.Errorf("%s: %+v", how, h)
		}
		h = got[1].Highlight
		if how == query.HighlightWords && h != nil {
			t.Errorf("%s: %+v in a document without words", how, h)
		}
		if how == query.HighlightAuto && (h == nil || h.Text != "Another thing." || f.docs[1].Text[h.Start:h.End] != h.Text || h.By != query.HighlightMeaning || !near(float64(h.Score), math.Cos(math.Pi/6), 1e-6)) {
			t.Errorf("%s: %+v", how, h)
		}
		if got[2].Highlight != nil {
			t.Errorf("an empty text has the sentence %+v", got[2].Highlight)
		}
	}
	if got := hits(t, e, query.Request{Text: "sea ship"}, ""); got[0].Highlight != nil {
		t.Error("a sentence nobody asked for")
	}
}

func TestLongSentencesAreCutAtTheirMarks(t *testing.T) {
	f, e := newFake(at("a", 0, nil))
	plain := strings.Repeat("some words in lower case follow each other ; ", 12)
	f.docs[0].Text = "世界。" + plain + "the sea is here . and then it goes on. " + plain + strings.Repeat("x", 1000)
	f.words["sea"] = angle(0)
	h := hits(t, e, query.Request{Text: "sea", Highlight: query.HighlightWords}, "")[0].Highlight
	if h == nil || h.Text != "the sea is here . and then it goes on." || f.docs[0].Text[h.Start:h.End] != h.Text {
		t.Errorf("got %+v", h)
	}
}

func TestShapesThatCannotBe(t *testing.T) {
	for text, pointer := range map[string]string{
		`{"diversity":1.5}`:                                                                            "/diversity",
		`{"highlight":"red"}`:                                                                          "/highlight",
		`{"decay":{"field":"at"}}`:                                                                     "/decay/half_life",
		`{"decay":{"half_life":"3d"}}`:                                                                 "/decay/field",
		`{"decay":{"field":"at","half_life":"3y"}}`:                                                    "/decay/half_life",
		`{"decay":{"field":"at","half_life":[3]}}`:                                                     "/decay/half_life",
		`{"decay":{"field":"at","half_life":-3}}`:                                                      "/decay/half_life",
		`{"decay":{"field":"at","half_life":"3d","origin":"soon"}}`:                                    "/decay/origin",
		`{"decay":{"field":"at","half_life":3,"origin":"2026-01-31"}}`:                                 "/decay/origin",
		`{"decay":{"field":"at","half_life":"3d","weight":2}}`:                                         "/decay/weight",
		`{"decay":{"field":"at","half_life":"3d","speed":2}}`:                                          "/decay/speed",
		`{"boosts":[{"field":"x","weight":1},{"field":"","weight":1}]}`:                                "/boosts/1/field",
		`{"boosts":[{"field":"x"}]}`:                                                                   "/boosts/0/weight",
		`{"boosts":[{"field":"x","weight":1,"half":-1}]}`:                                              "/boosts/0/half",
		`{"boosts":[{"field":"text","weight":1}]}`:                                                     "/boosts/0/field",
		`{"boosts":[` + strings.Repeat(`{"field":"x","weight":1},`, 16) + `{"field":"x","weight":1}]}`: "/boosts",
	} {
		r := query.Request{}
		err := json.Unmarshal([]byte(text), &r)
		if err == nil {
			r.Vector = angle(0)
			_, err = aged().Search(t.Context(), r)
		}
		var in *core.InputError
		if !errors.As(err, &in) || in.Pointer != pointer {
			t.Errorf("%s: %v", text, err)
		}
	}
}
