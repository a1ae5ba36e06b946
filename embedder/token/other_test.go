package token_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vecdb/vecdb/embedder/token"
	"github.com/vecdb/vecdb/internal/core"
)

// bytePairs returns the tokenizer.json of a small byte-level BPE.
func bytePairs() map[string]any {
	return map[string]any{
		"version": "1.0", "added_tokens": []any{}, "pre_tokenizer": map[string]any{"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true},
		"decoder": map[string]any{"type": "ByteLevel"},
		"model":   map[string]any{"type": "BPE", "unk_token": "a", "vocab": map[string]int{"a": 0, "b": 1, "ab": 2, "Ġ": 3}, "merges": []string{"a b"}},
	}
}

// unigram returns the tokenizer.json of a small SentencePiece model.
func unigram() map[string]any {
	return map[string]any{
		"version": "1.0", "added_tokens": []any{}, "pre_tokenizer": map[string]any{"type": "Metaspace", "replacement": "▁", "add_prefix_space": true},
		"model": map[string]any{"type": "Unigram", "unk_id": 0, "vocab": []any{[]any{"<unk>", 0.0}, []any{"▁a", -1.0}, []any{"a", -2.0}, []any{"b", -2.5}, []any{"▁", -3.0}}},
	}
}

func TestOtherKindsAreServed(t *testing.T) {
	for name, tc := range map[string]struct {
		file map[string]any
		want []int32
	}{"BPE": {bytePairs(), []int32{2, 3, 0}}, "Unigram": {unigram(), []int32{1, 3, 1}}} {
		w, err := token.Load(write(t, tc.file), token.Options{})
		if err != nil {
			t.Fatal(name, err)
		}
		ids, total, err := w.Encode([]int32{-7}, "ab a", 64)
		if err != nil || total != len(tc.want) || ids[0] != -7 || !slices.Equal(ids[1:], tc.want) {
			t.Errorf("%s: %v, total %d, error %v; want %v", name, ids, total, err, tc.want)
		}
	}
}

func TestHostileTextsGiveOtherKindsNoPanic(t *testing.T) {
	for name, file := range map[string]map[string]any{"BPE": bytePairs(), "Unigram": unigram()} {
		w, err := token.Load(write(t, file), token.Options{})
		if err != nil {
			t.Fatal(name, err)
		}
		for _, text := range append(hostile, strings.Repeat("ab ", 1<<20), strings.Repeat("中", 1<<10)) {
			ids, total, err := w.Encode(nil, text, 16)
			if err != nil && !errors.Is(err, core.ErrInvalid) || len(ids) > 16 || total < len(ids) {
				t.Errorf("%s: %.20q: %d ids of %d, error %v", name, text, len(ids), total, err)
			}
		}
		// One that was given up, as it may be on a slow machine, has to end first.
		ids, _, err := w.Encode(nil, "ab", 16)
		for end := time.Now().Add(10 * time.Minute); errors.Is(err, core.ErrInvalid) && time.Now().Before(end); {
			time.Sleep(10 * time.Millisecond)
			ids, _, err = w.Encode(nil, "ab", 16)
		}
		if err != nil || len(ids) == 0 {
			t.Errorf("%s: afterwards %v, %v", name, ids, err)
		}
	}
}

func TestSlowTokenizersAreGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		w := token.NewOther(func(text string) []int {
			if text == "slow" {
				<-release
			}
			return []int{1, 2}
		})
		if _, _, err := w.Encode(nil, "slow", 8); !errors.Is(err, core.ErrInvalid) {
			t.Errorf("a text that takes for ever gives %v", err)
		}
		if _, _, err := w.Encode(nil, "quick", 8); !errors.Is(err, core.ErrInvalid) {
			t.Errorf("a text behind it gives %v", err)
		}
		close(release)
		synctest.Wait()
		if ids, _, err := w.Encode(nil, "quick", 8); err != nil || len(ids) != 2 {
			t.Errorf("afterwards %v, %v", ids, err)
		}
	})
}

func TestPanicsOfOtherKindsAreErrors(t *testing.T) {
	w := token.NewOther(func(string) []int { panic("index out of range") })
	for range 2 {
		if _, _, err := w.Encode(nil, "a", 8); !errors.Is(err, core.ErrInvalid) || !strings.Contains(err.Error(), "index out of range") {
			t.Errorf("got %v", err)
		}
	}
}
