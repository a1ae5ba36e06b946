package main

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/vecdb/vecdb/bench"
)

func TestAModelIsMeasured(t *testing.T) {
	b := newRig(t)
	for _, model := range []string{"all-MiniLM-L6-v2", "bge-small-zh-v1.5"} {
		code, out, errs := b.run(t.Context(), "model", "bench", model, "--tokens", "8,20", "--threads", "1,2", "--seconds", "0.01", "--json")
		if code != exitOK {
			t.Fatalf("%d: %s", code, errs)
		}
		var r bench.ModelReport
		if err := json.Unmarshal([]byte(out), &r); err != nil {
			t.Fatal(err)
		}
		if r.Model != model || r.Precision != "int8" || len(r.Points) != 4 || r.LimitGOPS <= 0 || r.CPU == "" {
			t.Errorf("%+v", r)
		}
		for _, p := range r.Points {
			if p.Tokens <= 0 || p.TextsPerSecond <= 0 || p.P50 <= 0 || p.P99 < p.P50 || (p.Threads == 2) != (p.TimesOneThread > 0) {
				t.Errorf("%s: %+v", model, p)
			}
		}
		// The model of the test is the same in any precision.
		if r.Fidelity == nil || math.Abs(r.Fidelity.LeastCosine-1) > 1e-5 || r.Fidelity.Texts < 64 {
			t.Errorf("%+v", r.Fidelity)
		}
	}
	code, out, errs := b.run(t.Context(), "model", "bench", "--tokens", "8", "--threads", "1", "--seconds", "0.01", "--text", b.file("own.txt", "a few words of my own"))
	if code != exitOK || !strings.Contains(out, "all-MiniLM-L6-v2 (int8)") || !strings.Contains(out, "of limit") || !strings.Contains(out, "cosine to float32") {
		t.Errorf("%d: %s%s", code, out, errs)
	}
}

func TestGivenLinesAreMeasured(t *testing.T) {
	b := newRig(t)
	code, out, errs := b.run(t.Context(), "model", "bench", "--lines", b.file("a.txt", "one two\n\nthree four\n"), "--lines", b.file("b.txt", "a b c d e f"), "--threads", "1", "--seconds", "0.01", "--json")
	var r bench.ModelReport
	if err := json.Unmarshal([]byte(out), &r); err != nil || code != exitOK {
		t.Fatalf("%d: %v: %s", code, err, errs)
	}
	if len(r.Points) != 2 || r.Points[0].Tokens != 2 || r.Points[1].Tokens != 6 {
		t.Errorf("%+v", r.Points)
	}
}

func TestWhatCannotBeMeasured(t *testing.T) {
	b := newRig(t)
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"no-such-model"}, "no-such-model"},
		{[]string{"--tokens", "1"}, "--tokens"},
		{[]string{"--tokens", "100000"}, "--tokens"},
		{[]string{"--threads", "0"}, "--threads"},
		{[]string{"--seconds", "0"}, "--seconds"},
		{[]string{"--seconds", "NaN"}, "--seconds"},
		{[]string{"--precision", "int3"}, "int3"},
		{[]string{"--text", b.file("empty.txt", " \n")}, "no text"},
		{[]string{"--text", b.file("bad.txt", "\xff\xfe")}, "UTF-8"},
		{[]string{"--lines", b.file("none.txt", "\n")}, "no text"},
		{[]string{"--lines", "/no/such/file"}, "no such file"},
		{[]string{"--url", "http://127.0.0.1:1"}, "--url"},
	} {
		code, _, errs := b.run(t.Context(), append([]string{"model", "bench"}, c.args...)...)
		if code == exitOK || !strings.Contains(errs, c.want) {
			t.Errorf("%v: %d: %s", c.args, code, errs)
		}
	}
}
