//go:build cgo && !noort && !purego

package ort_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/vecdb/vecdb/embedder"
)

// TestHugeTextsAreCut gives the whole chain texts of four megabytes of many
// kinds.
func TestHugeTextsAreCut(t *testing.T) {
	e := open(t, "all-MiniLM-L6-v2", embedder.Int8, 2)
	const size = 4 << 20
	var texts []string
	for _, part := range []string{"word ", "x", "é", "漢", "a\u0301", "\u0301", "[CLS]", "[", "\x00", " ", "한", "!", "\u302e\u302f", "👍🏽"} {
		texts = append(texts, strings.Repeat(part, size/len(part)))
	}
	r, err := e.Embed(t.Context(), embedder.Passage, texts)
	if err != nil {
		t.Fatal(err)
	}
	for i, u := range r.Usage {
		if u.Used > 256 || u.Used < 2 || u.Total < u.Used {
			t.Errorf("%.10q…: usage %+v", texts[i], u)
		}
	}
	if u := r.Usage[0]; u.Total < size/5 || u.Used != 256 {
		t.Errorf("a million words give usage %+v", u)
	}
}

func TestManyTextsCanBeCancelled(t *testing.T) {
	e := open(t, "all-MiniLM-L6-v2", embedder.Int8, 2)
	texts := make([]string, 100_000)
	for i := range texts {
		texts[i] = fmt.Sprintf("text number %d", i)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() {
		_, err := e.Embed(ctx, embedder.Passage, texts)
		done <- err
	}()
	// A query that is answered shows that the model is at work.
	if _, err := e.Embed(ctx, embedder.Query, texts[:1]); err != nil {
		t.Error(err)
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
