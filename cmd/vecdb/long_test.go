package main

import (
	"strings"
	"testing"

	"github.com/vecdb/vecdb/client"
)

func TestLongTextsOnTheCommandLine(t *testing.T) {
	b := newRig(t)
	b.reads = 16
	long := strings.Repeat("Trains run on rails. ", 20) + "A baker bakes bread at night."
	path := b.file("papers.jsonl", `{"id":"a","text":"`+long+`"}`+"\n"+`{"id":"b","text":"a short text"}`+"\n")
	sum := decode[summary](t, b.ok("add", path, "--json"))
	if sum.Cut != 1 || sum.Passages < 6 || sum.Truncated != 0 {
		t.Errorf("added: %+v", sum)
	}
	if p := decode[client.Passages](t, b.ok("get", "--passages", "a", "--json")); len(p.Passages) != sum.Passages-1 || p.TokensTotal != 86 {
		t.Errorf("passages: %+v", p)
	}
	if out := b.ok("get", "--passages", "a"); !strings.Contains(out, "A baker bakes bread") || !strings.Contains(out, "86 tokens") {
		t.Errorf("passages for people: %s", out)
	}
	if out := b.ok("search", "--mode", "dense", "a baker bakes bread"); !strings.Contains(out, "A baker bakes bread") {
		t.Errorf("the passage is not shown: %s", out)
	}
	if sum := decode[summary](t, b.ok("add", path, "--json", "--long", "truncate")); sum.Truncated != 1 || sum.Cut != 0 || sum.Passages != 2 {
		t.Errorf("truncated: %+v", sum)
	}
	b.want(exitPartly, "add", path, "--long", "error")
	if st := decode[client.Stats](t, b.ok("stats", "--json")); st.Documents != 2 || st.Passages != 2 {
		t.Errorf("stats: %+v", st)
	}
}
