package core

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestHalfPairsAreFoundWithTheirPlace(t *testing.T) {
	for data, want := range map[string]string{
		`{"id":"\ud800"}`:                          "/id",
		`{"id":"a","text":"x \uDFFF y"}`:           "/text",
		`"\ud800"`:                                 "",
		`["a",{"b/c":[1,"\ud83d\ud83d\ude00"]}]`:   "/1/b~1c/1",
		`{"a":{"b":[[],{}, {"c":"\ud800\\u"}]}}`:   "/a/b/2/c",
		`{"a":{"\udc00":1}}`:                       "/a",
		`{"\ude00\ud83d":1}`:                       "",
		`{"a":"\\\ud800"}`:                         "/a",
		`{"f":{"x":1,"y":true},"g":"\ud8ff\n"}`:    "/g",
		`{"a":[{"b":"c"},null,-1e5,"\uDbFfdc00"]}`: "/a/3",
	} {
		var in *InputError
		if err := CheckSurrogates([]byte(data)); !errors.As(err, &in) || in.Pointer != want {
			t.Errorf("%s: %v, want the pointer %q", data, err, want)
		}
	}
	for _, data := range []string{
		``, `\`, `"\u`, `{"id":"😀 \ud83d\ude00 \uD83D\uDE00"}`, `{"a":"\\ud800 \\\\ud800 \u0041 \uffff \ud7ff \ue000"}`, `{"a":"\ud80"}`, `{"a":"\ud800`, `no JSON \ud800`,
	} {
		if err := CheckSurrogates([]byte(data)); err != nil {
			t.Errorf("%s: %v", data, err)
		}
	}
}

// TestHalfPairsAreWhatTheDecoderReplaces compares with what encoding/json makes of
// random strings.
func TestHalfPairsAreWhatTheDecoderReplaces(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 3))
	parts := []string{`\ud83d`, `\ude00`, `\uDBFF`, `\udc00`, `\\`, `\"`, `\n`, `u`, `d83d`, `a`, `é`, `\u0041`, `\ud7ff`, `\ue000`}
	for range 5000 {
		var b strings.Builder
		for range rng.IntN(6) {
			b.WriteString(parts[rng.IntN(len(parts))])
		}
		data := fmt.Sprintf(`{"a":["%s"]}`, b.String())
		var got map[string][]string
		if err := json.Unmarshal([]byte(data), &got); err != nil {
			t.Fatalf("%s: %v", data, err)
		}
		replaced := strings.ContainsRune(got["a"][0], utf8.RuneError)
		var in *InputError
		if err := CheckSurrogates([]byte(data)); (err != nil) != replaced || replaced && (!errors.As(err, &in) || in.Pointer != "/a/0") {
			t.Fatalf("%s: %v, the decoder gives %q", data, err, got)
		}
	}
}
