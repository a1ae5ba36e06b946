package token_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/vecdb/vecdb/embedder/token"
)

// hostile begins the search for texts that break something.
var hostile = []string{
	"", " ", "unable tokens", "café cafe\u0301", "中国 豈", "각\u1100\u1161", "[MASK][CLS][", "a\x00b\xff\xc3", "\u302e\u302f\U0001d165\u0301",
	"e\u0301\u0323\u0302", "İ ẞ ﬁ K \u1fef \u037e", "\ufffd\u200b\u00ad\ufeff", strings.Repeat("a", 120), strings.Repeat("é", 120), "##s", "\U0001d160\U0010ffff",
}

func FuzzWordPiece(f *testing.F) {
	for _, text := range hostile {
		f.Add(text, "a", uint8(20))
	}
	all := []*token.WordPiece{
		small(f, nil), small(f, map[string]any{"lowercase": false}), small(f, map[string]any{"clean_text": false, "strip_accents": true}),
		small(f, map[string]any{"handle_chinese_chars": false, "strip_accents": false}),
	}
	f.Fuzz(func(t *testing.T, text, other string, room uint8) {
		for i, w := range all {
			ids := sound(t, w, text)
			limit := 2 + int(room)
			cut, total, err := w.Encode(nil, text, limit)
			if err != nil || total != len(ids) || len(cut) != min(limit, total) || !slices.Equal(cut[:len(cut)-1], ids[:len(cut)-1]) || cut[len(cut)-1] != 3 {
				t.Fatalf("variant %d, %q cut at %d: %v of %v, total %d, error %v", i, text, limit, cut, ids, total, err)
			}
			// A blank parts two texts for good, however they end and begin.
			second := sound(t, w, other)
			both := sound(t, w, text+" "+other)
			if want := slices.Concat(ids[:len(ids)-1], second[1:]); !slices.Equal(both, want) {
				t.Fatalf("variant %d: %q and %q together give %v, apart %v", i, text, other, both, want)
			}
		}
	})
}

// sound returns the ids of text and checks what holds for every text.
func sound(t *testing.T, w *token.WordPiece, text string) []int32 {
	t.Helper()
	ids, spans, total, err := w.EncodeSpans(text, 1<<30)
	if err != nil || total != len(ids) || len(spans) != len(ids) || len(ids) < 2 || len(ids) > len(text)*3+2 {
		t.Fatalf("%q: %d ids, %d spans, total %d, error %v", text, len(ids), len(spans), total, err)
	}
	start, end := 0, 0
	for i, s := range spans {
		if ids[i] < 0 || int(ids[i]) >= w.Size() {
			t.Fatalf("%q: token %d has the id %d of %d", text, i, ids[i], w.Size())
		}
		if s.Start < start || s.End < end || s.Start > s.End || s.End > len(text) {
			t.Fatalf("%q: token %d stands at %v, behind %d and %d", text, i, s, start, end)
		}
		start, end = s.Start, s.End
	}
	if plain, _, err := w.Encode(nil, text, 1<<30); err != nil || !slices.Equal(plain, ids) {
		t.Fatalf("%q: ids %v with spans, %v without (%v)", text, ids, plain, err)
	}
	return ids
}

// FuzzLoad gives damaged files to Load: an error or a tokenizer that works.
func FuzzLoad(f *testing.F) {
	for _, content := range []map[string]any{bert(nil), bytePairs(), unigram()} {
		data, err := os.ReadFile(write(f, content))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		path := filepath.Join(t.TempDir(), "tokenizer.json")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		w, err := token.Load(path, token.Options{})
		if err != nil {
			return
		}
		for _, text := range hostile[:6] {
			if ids, _, err := w.Encode(nil, text, 64); err == nil && len(ids) > 64 {
				t.Fatalf("%q gives %d ids", text, len(ids))
			}
		}
	})
}
