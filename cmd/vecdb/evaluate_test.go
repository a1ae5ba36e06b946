package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vecdb/vecdb/client"
	"github.com/vecdb/vecdb/train"
)

func TestTrainAndEvaluate(t *testing.T) {
	b := newRig(t)
	var csv strings.Builder
	csv.WriteString("id,text,label,topic\n")
	for i := range 90 {
		label := []string{"money", "travel", "food"}[i%3]
		fmt.Fprintf(&csv, "%d,%s number %d,%s,t%d\n", i, map[string]string{"money": "a bank and its loans", "travel": "trains and far towns", "food": "rice with beans"}[label], i%11, label, i%2)
	}
	if code, _, notes := b.run(t.Context(), "add", "--db", b.dir, b.file("texts.csv", csv.String())); code != exitOK || !strings.Contains(notes, "learnt 3 labels from 90 documents") {
		t.Fatalf("add: %d\n%s", code, notes)
	}
	if out := b.ok("stats"); !strings.Contains(out, "labels in label") || !strings.Contains(out, "<- auto") {
		t.Errorf("stats printed\n%s", out)
	}
	if out := b.ok("train", "--label-field", "topic"); !strings.Contains(out, "2 labels, learnt from 90 documents") {
		t.Errorf("train printed\n%s", out)
	}
	if h := decode[client.Head](t, b.ok("train", "--json")); h.Version != 1 || h.Labels != 3 || len(h.Candidates) != 3 {
		t.Errorf("%+v", h)
	}
	page := filepath.Join(t.TempDir(), "evaluation.html")
	out := b.ok("evaluate", "--folds", "3", "--html", page)
	for _, part := range []string{"precision", "travel", "(mean)", "confusion", `true \ given`, "accuracy 1.0000", "3 folds"} {
		if !strings.Contains(out, part) {
			t.Errorf("evaluate lacks %q:\n%s", part, out)
		}
	}
	if html, err := os.ReadFile(page); err != nil || !bytes.Contains(html, []byte("<svg")) || bytes.Contains(html, []byte("<script")) {
		t.Errorf("the report: %v", err)
	}
	r := decode[train.Report](t, b.ok("evaluate", "--label-field", "topic", "--method", "neighbors", "--leave-one-out", "--json"))
	if r.Examples != 90 || r.Folds != 90 || len(r.Confusion) != 2 {
		t.Errorf("%+v", r)
	}
	for _, args := range [][]string{{"evaluate", "--folds", "1"}, {"evaluate", "--label-field", "lable"}, {"train", "--label-field", "text"}, {"evaluate", "--leave-one-out"}} {
		if code, _, errs := b.run(t.Context(), append(args, "--db", b.dir)...); code != exitUsage || errs == "" {
			t.Errorf("%v: code %d, %s", args, code, errs)
		}
	}
}
