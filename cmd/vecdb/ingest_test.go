package main

import (
	"strings"
	"testing"

	"github.com/vecdb/vecdb/internal/core"
)

func TestRequestsOfShortTextsTakeMoreDocuments(t *testing.T) {
	for name, c := range map[string]struct {
		doc  core.Document
		want int // documents a request
	}{
		"short texts":     {core.Document{Text: "a father looks for his son"}, batchDocuments},
		"of middle size":  {core.Document{Text: strings.Repeat("x", 128)}, batchEnough / 128},
		"long texts":      {core.Document{Text: strings.Repeat("x", 1000)}, batchFew},
		"vectors":         {core.Document{Vector: make([]float32, 384)}, batchFew},
		"very long texts": {core.Document{Text: strings.Repeat("x", 1<<20)}, batchBytes >> 20},
	} {
		var b batch
		for !b.full() {
			b.take(c.doc, 1)
		}
		if len(b.docs) != c.want || len(b.lines) != c.want {
			t.Errorf("%s: %d documents, want %d", name, len(b.docs), c.want)
		}
	}
}
