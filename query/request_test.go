package query_test

import (
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/vecdb/vecdb/internal/core"
	"github.com/vecdb/vecdb/query"
)

func TestBadRequestsAreRefusedWithThePlace(t *testing.T) {
	nan := float32(math.NaN())
	ok := query.Request{Text: "east"}
	with := func(change func(*query.Request)) query.Request {
		r := ok
		change(&r)
		return r
	}
	for _, c := range []struct {
		r               query.Request
		pointer, detail string
	}{
		{query.Request{}, "/text", "does not say what to look for"},
		{query.Request{Text: " \n\t"}, "/text", "blank"},
		{query.Request{Text: "a\xffb"}, "/text", "UTF-8"},
		{query.Request{Text: strings.Repeat("x", core.MaxTextBytes+1)}, "/text", "bytes"},
		{query.Request{Text: "a", ID: "b"}, "/id", "both text and id"},
		{query.Request{Text: "a", Vector: angle(1)}, "/vector", "both text and vector"},
		{query.Request{ID: "a", Like: examples("b")}, "/like", "both id and examples"},
		{query.Request{Text: "east", Mode: query.Lexical, Dislike: examples("b")}, "/dislike", "by words alone"},
		{query.Request{ID: "\xff"}, "/id", "UTF-8"},
		{query.Request{Vector: []float32{}}, "/vector", "0 numbers"},
		{query.Request{Vector: []float32{1, 2, 3}}, "/vector", "3 numbers"},
		{query.Request{Vector: []float32{0, 0}}, "/vector", "zeros"},
		{query.Request{Vector: []float32{1, nan}}, "/vector/1", "NaN"},
		{query.Request{Like: []query.Example{{ID: "a"}, {}}}, "/like/1", "empty"},
		{query.Request{Like: []query.Example{{ID: "a", Text: "b"}}}, "/like/0", "more than one"},
		{query.Request{Like: []query.Example{{ID: "\xff"}}}, "/like/0/id", "UTF-8"},
		{query.Request{Like: []query.Example{{ID: "a"}, {ID: "b"}, {ID: "c"}, {Vector: []float32{1}}}}, "/like/3/vector", "1 numbers"},
		{query.Request{Dislike: []query.Example{{Text: " "}}}, "/dislike/0/text", "blank"},
		{query.Request{Like: make([]query.Example, query.MaxExamples+1)}, "/like", "at most 1000"},
		{with(func(r *query.Request) { r.Limit = -1 }), "/limit", "1 to 10000"},
		{with(func(r *query.Request) { r.Limit = query.MaxLimit + 1 }), "/limit", "1 to 10000"},
		{with(func(r *query.Request) { r.MinScore = &nan }), "/min_score", "NaN"},
		{with(func(r *query.Request) { r.Params.Ef = -1 }), "/params/ef", "1 to"},
		{with(func(r *query.Request) { r.Params.Recall = 1 }), "/params/recall", "below 1"},
		{with(func(r *query.Request) { r.Params.Recall = math.NaN() }), "/params/recall", "below 1"},
		{with(func(r *query.Request) { r.Exclude = []string{"a", ""} }), "/exclude/1", "empty"},
		{with(func(r *query.Request) { r.Exclude = make([]string, 10_001) }), "/exclude", "at most 10000"},
		{with(func(r *query.Request) { r.Fields = []string{"\xff"} }), "/fields/0", "UTF-8"},
		{with(func(r *query.Request) { r.Filter = &query.Filter{Not: &query.Filter{Field: "a", Gt: true}} }), "/filter/not/gt", "cannot order"},
	} {
		_, e := fan()
		_, err := e.Search(t.Context(), c.r)
		wantInput(t, err, c.pointer, c.detail)
	}
}

func TestRefusalsCarryTheirCause(t *testing.T) {
	_, e := fan()
	_, err := e.Search(t.Context(), query.Request{Vector: []float32{1}})
	if !errors.Is(err, core.ErrDimension) {
		t.Errorf("another dimension: %v", err)
	}
	_, err = e.Search(t.Context(), query.Request{Text: strings.Repeat("x", core.MaxTextBytes+1)})
	if !errors.Is(err, core.ErrTooLarge) {
		t.Errorf("a huge text: %v", err)
	}
}

func TestBadClassificationsAreRefusedWithThePlace(t *testing.T) {
	text := query.Request{Text: "east"}
	for _, c := range []struct {
		r               query.ClassifyRequest
		pointer, detail string
	}{
		{query.ClassifyRequest{}, "/text", "does not say what to look for"},
		{query.ClassifyRequest{Request: text, Texts: []string{"a"}}, "/texts", "both text and texts"},
		{query.ClassifyRequest{Request: query.Request{Like: examples("a")}}, "/like", "cannot be classified"},
		{query.ClassifyRequest{Texts: []string{}}, "/texts", "0 texts"},
		{query.ClassifyRequest{Texts: make([]string, query.MaxTexts+1)}, "/texts", "1001 texts"},
		{query.ClassifyRequest{Texts: []string{"a", ""}}, "/texts/1", "blank"},
		{query.ClassifyRequest{Request: text, K: -1}, "/k", "1 to"},
		{query.ClassifyRequest{Request: text, K: query.MaxNeighbors + 1}, "/k", "1 to"},
		{query.ClassifyRequest{Request: text, Temperature: -1}, "/temperature", "above 0"},
		{query.ClassifyRequest{Request: text, Temperature: math.NaN()}, "/temperature", "NaN"},
		{query.ClassifyRequest{Request: text, MinProbability: 1.5}, "/min_probability", "1.5"},
		{query.ClassifyRequest{Request: text, MinProbability: math.NaN()}, "/min_probability", "NaN"},
		{query.ClassifyRequest{Request: text, LabelField: "text"}, "/label_field", "not a label"},
		{query.ClassifyRequest{Request: text, LabelField: "\xff"}, "/label_field", "UTF-8"},
		{query.ClassifyRequest{Request: text, Method: "magic"}, "/method", "unknown method"},
		{query.ClassifyRequest{Request: text, Method: "linear"}, "/method", "there is no head"},
		{query.ClassifyRequest{Request: query.Request{Text: "x", Filter: &query.Filter{Field: "a", Eq: 1}}, Method: "linear"}, "/method", "no bearing"},
		{query.ClassifyRequest{Request: query.Request{ID: "x"}, Method: "centroid"}, "/id", "has learnt"},
		{query.ClassifyRequest{Request: query.Request{ID: "nobody"}}, "/id", "no document"},
	} {
		_, e := labelledFan()
		_, err := e.Classify(t.Context(), c.r)
		wantInput(t, err, c.pointer, c.detail)
	}
}

func TestRequestsReadFromJSON(t *testing.T) {
	var r query.ClassifyRequest
	text := ` {"vector":[1,2.5],"id":7,"like":["a",12,{"text":"b"},{"vector":[1]}],"dislike":null,"exclude":["x",3],
		"filter":{"field":"year","gte":1990},"limit":5,"mode":"dense","min_score":0.5,"fields":["text"],"with_vector":true,
		"params":{"ef":100,"exact":true,"fusion":"rrf"},"explain":true,"texts":["q"],"label_field":"l","method":"auto","k":3,"temperature":0.1,"min_probability":0.2} `
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		t.Fatal(err)
	}
	half := float32(0.5)
	want := query.ClassifyRequest{
		Request: query.Request{
			Vector: []float32{1, 2.5}, ID: "7", Like: []query.Example{{ID: "a"}, {ID: "12"}, {Text: "b"}, {Vector: []float32{1}}},
			Exclude: []string{"x", "3"}, Filter: &query.Filter{Field: "year", Gte: int64(1990)}, Limit: 5, Mode: query.Dense,
			MinScore: &half, Fields: []string{"text"}, WithVector: true, Params: query.Params{Ef: 100, Exact: true, Fusion: query.FusionRRF}, Explain: true,
		},
		Texts: []string{"q"}, LabelField: "l", Method: query.MethodAuto, K: 3, Temperature: 0.1, MinProbability: 0.2,
	}
	if !reflect.DeepEqual(r, want) {
		t.Errorf("got %+v", r)
	}
	out, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var back query.ClassifyRequest
	if err := json.Unmarshal(out, &back); err != nil || !reflect.DeepEqual(back, want) {
		t.Errorf("%s is read back as %+v, %v", out, back, err)
	}
}

func TestBadJSONIsRefusedWithThePlace(t *testing.T) {
	for _, c := range []struct{ text, pointer, detail string }{
		{`[]`, "", "an array"},
		{`null`, "", "null"},
		{`"\ud800"`, "", "a string"},
		{"{\"text\":\"\xff\"}", "", "UTF-8"},
		{`{"txt":"a"}`, "/txt", "unknown member"},
		{`{"Text":"a"}`, "/Text", "unknown member"},
		{`{"k":1}`, "/k", "unknown member"},
		{`{"text":5}`, "/text", "need a string, got 5"},
		{`{"id":true}`, "/id", "a boolean"},
		{`{"limit":1.5}`, "/limit", "whole number, got 1.5"},
		{`{"limit":"ten"}`, "/limit", "got a string"},
		{`{"explain":1}`, "/explain", "true or false"},
		{`{"min_score":1e99}`, "/min_score", "1e99"},
		{`{"vector":[1,null]}`, "/vector/1", "null"},
		{`{"vector":[1,"2"]}`, "/vector/1", "a string"},
		{`{"vector":[1,1e50]}`, "/vector/1", "1e50"},
		{`{"vector":{}}`, "/vector", "an array"},
		{`{"like":"a"}`, "/like", "an array"},
		{`{"like":["a",null]}`, "/like/1", "null"},
		{`{"like":[{"txt":"a"}]}`, "/like/0/txt", "unknown member"},
		{`{"dislike":[{"vector":[1,true]}]}`, "/dislike/0/vector/1", "a boolean"},
		{`{"exclude":["a",[]]}`, "/exclude/1", "an array"},
		{`{"fields":["a",1]}`, "/fields/1", "got 1"},
		{`{"fields":[null]}`, "/fields/0", "null"},
		{`{"params":{"eff":1}}`, "/params/eff", "unknown member"},
		{`{"params":{"ef":"1"}}`, "/params/ef", "a string"},
		{`{"filter":{"and":[{"field":"a"}]}}`, "/filter/and/0", "compared with nothing"},
		{`{"filter":"a"}`, "/filter", "must be an object"},
	} {
		var r query.Request
		err := json.Unmarshal([]byte(c.text), &r)
		if err == nil {
			t.Errorf("%s was taken", c.text)
			continue
		}
		wantInput(t, err, c.pointer, c.detail)
	}
}
