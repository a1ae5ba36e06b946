package token_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/vecdb/vecdb/embedder"
	"github.com/vecdb/vecdb/embedder/token"
	"github.com/vecdb/vecdb/internal/core"
)

// idle is a runtime that is never run.
type idle struct{}

func (idle) Run(embedder.Batch) (embedder.Hidden, error) {
	return embedder.Hidden{}, errors.New("nothing is to be run")
}

func (idle) Close() error { return nil }

func TestTextsAreCutByTheTokensOfTheModel(t *testing.T) {
	const most, takes = 1000, 256
	for _, model := range []string{"all-MiniLM-L6-v2", "bge-small-zh-v1.5"} {
		tokens, err := token.Load(modelFile(t, model, "tokenizer.json"), token.Options{})
		if err != nil {
			t.Fatal(err)
		}
		e, err := embedder.NewEncoder(embedder.EncoderConfig{Tokenizer: tokens, Runtimes: []embedder.Runtime{idle{}}, Dim: 4, MaxTokens: takes,
			Pooling: embedder.PoolMean, PassagePrefix: "passage: "})
		if err != nil {
			t.Fatal(err)
		}
		for name, step := range map[string]struct {
			text        string
			least, most int // passages; 0 is none
		}{
			"short":            {"a short text", 0, 0},
			"empty":            {"", 0, 0},
			"english":          {strings.Repeat("All work and no play makes Jack a dull boy, said the unbelievably talkative storyteller. ", 300), 15, 60},
			"chinese":          {strings.Repeat("今天天气很好，我们去公园散步。公园里有很多人！", 300), 20, 60},
			"no sentence ends": {strings.Repeat("word ", 10_000), 40, 60},
			"emoji":            {strings.Repeat("👩‍👩‍👧 ", 100_000), 390, 500},
			"emoji as a word":  {strings.Repeat("👍", 100_000), 0, 0},
			"marks":            {strings.Repeat("!", 20_000), 80, 100},
			"10 MB":            {strings.Repeat("all work and no play. ", 480_000), -1, 0},
		} {
			parts, err := e.Split(t.Context(), step.text, most)
			if step.least < 0 {
				if !errors.Is(err, core.ErrTooLarge) {
					t.Errorf("%s, %s: %v", model, name, err)
				}
				continue
			}
			if err != nil || len(parts.Spans) < step.least || len(parts.Spans) > step.most {
				t.Errorf("%s, %s: %d passages of %d tokens, %v", model, name, len(parts.Spans), parts.Total, err)
			}
			for _, s := range parts.Spans {
				part := step.text[s.Start:s.End]
				if _, n, err := tokens.Encode(nil, "passage: "+part, takes); err != nil || n > takes {
					t.Errorf("%s, %s: a passage has %d tokens, %v: %.40q", model, name, n, err, part)
				}
				if (name == "english" || name == "chinese") && !strings.ContainsAny(part[len(part)-3:], ".。！") {
					t.Errorf("%s, %s: a passage ends with %q", model, name, part[len(part)-20:])
				}
			}
		}
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	}
}
