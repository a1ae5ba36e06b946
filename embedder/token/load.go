// Package token turns text into the token ids of a model, as the model's
// tokenizer.json says. The BERT family gets our own WordPiece, held to the ids
// of the reference implementation; other kinds go through
// github.com/sugarme/tokenizer behind a guard.
package token

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"slices"
	"strings"

	"github.com/vecdb/vecdb/embedder"
	"github.com/vecdb/vecdb/internal/core"
)

// Options of Load.
type Options struct {
	// Lowercase overrides what the file says about lower-casing; nil keeps it.
	// Some published files contradict the vocabulary beside them.
	Lowercase *bool
}

// file is what we read of a tokenizer.json.
type file struct {
	AddedTokens []struct {
		ID         int32  `json:"id"`
		Content    string `json:"content"`
		Special    bool   `json:"special"`
		Normalized bool   `json:"normalized"`
	} `json:"added_tokens"`
	Normalizer *struct {
		Type         string `json:"type"`
		CleanText    bool   `json:"clean_text"`
		ChineseChars bool   `json:"handle_chinese_chars"`
		StripAccents *bool  `json:"strip_accents"`
		Lowercase    bool   `json:"lowercase"`
	} `json:"normalizer"`
	PreTokenizer *struct {
		Type string `json:"type"`
	} `json:"pre_tokenizer"`
	PostProcessor json.RawMessage `json:"post_processor"`
	Model         struct {
		Type    string          `json:"type"`
		Unknown string          `json:"unk_token"`
		Prefix  string          `json:"continuing_subword_prefix"`
		MaxWord int             `json:"max_input_chars_per_word"`
		Vocab   json.RawMessage `json:"vocab"`
	} `json:"model"`
}

// Load reads a tokenizer.json. The error matches core.ErrNoModel when there is
// no such file and core.ErrCorrupt when it is not a tokenizer. What the file
// says about padding and truncation is not followed: the caller of Encode
// gives the limit.
func Load(path string, o Options) (embedder.Tokenizer, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("tokenizer %s: %w", path, core.ErrNoModel)
	}
	if err != nil {
		return nil, fmt.Errorf("read tokenizer: %w", err)
	}
	return parse(path, data, o)
}

// Parse reads the contents of a tokenizer.json of the BERT family.
func Parse(data []byte, o Options) (embedder.Tokenizer, error) { return parse("", data, o) }

func parse(path string, data []byte, o Options) (embedder.Tokenizer, error) {
	var f file
	if err := json.Unmarshal(data, &f); err != nil {
		return nil, fmt.Errorf("tokenizer %s is no tokenizer.json: %w: %w", path, core.ErrCorrupt, err)
	}
	switch {
	case f.isBERT():
	case path != "" && slices.Contains([]string{"WordPiece", "BPE", "Unigram", "WordLevel"}, f.Model.Type):
		return loadOther(path)
	default:
		return nil, fmt.Errorf("tokenizer %s is of the unknown kind %.80q: %w", path, f.Model.Type, core.ErrCorrupt)
	}
	vocabulary, err := readVocabulary(f.Model.Vocab)
	if err != nil {
		return nil, fmt.Errorf("vocabulary of %s: %w: %w", path, core.ErrCorrupt, err)
	}
	w, err := f.wordPiece(vocabulary, o)
	if err != nil {
		return nil, fmt.Errorf("tokenizer %s: %w", path, err)
	}
	return w, nil
}

// isBERT holds for files that describe exactly what WordPiece does.
func (f *file) isBERT() bool {
	return f.Model.Type == "WordPiece" && f.Normalizer != nil && f.Normalizer.Type == "BertNormalizer" &&
		f.PreTokenizer != nil && f.PreTokenizer.Type == "BertPreTokenizer"
}

// The bounds of what a file may say.
const (
	longestWord  = 10_000
	longestPiece = 1_000
	maxID        = math.MaxInt32 // one more must fit, too
)

func (f *file) wordPiece(vocabulary []entry, o Options) (*WordPiece, error) {
	n := f.Normalizer
	w := &WordPiece{maxWord: f.Model.MaxWord}
	if w.maxWord == 0 {
		w.maxWord = 100
	}
	if w.maxWord < 1 || w.maxWord > longestWord {
		return nil, fmt.Errorf("words of %d characters: %w", w.maxWord, core.ErrCorrupt)
	}
	w.opts = normal{clean: n.CleanText, splitCJK: n.ChineseChars, lower: n.Lowercase}
	if o.Lowercase != nil {
		w.opts.lower = *o.Lowercase
	}
	// Without a word of its own, stripping follows lower-casing.
	w.opts.stripAccents = w.opts.lower
	if n.StripAccents != nil {
		w.opts.stripAccents = *n.StripAccents
	}
	if err := w.learn(f, vocabulary); err != nil {
		return nil, err
	}
	for _, t := range f.AddedTokens {
		if t.Content == "" {
			continue
		}
		w.special = append(w.special, added{t.Content, t.ID})
		w.size = max(w.size, int(t.ID)+1)
		if !strings.Contains(w.starts, t.Content[:1]) {
			w.starts += t.Content[:1]
		}
	}
	slices.SortStableFunc(w.special, func(a, b added) int { return len(b.text) - len(a.text) })
	w.prepare()
	var err error
	w.prefix, w.suffix, err = f.template(w.pieces)
	return w, err
}

// learn takes the vocabulary.
func (w *WordPiece) learn(f *file, vocabulary []entry) error {
	for _, e := range vocabulary {
		w.size = max(w.size, int(e.id)+1)
	}
	w.pieces = newTrie(vocabulary)
	id, there := w.pieces.id(f.Model.Unknown)
	if !there {
		return fmt.Errorf("the unknown token %q is not in the vocabulary: %w", f.Model.Unknown, core.ErrCorrupt)
	}
	w.unknown = id
	w.inside = w.pieces.walk(f.Model.Prefix)
	return nil
}

// template reads which special tokens stand around a single text.
func (f *file) template(pieces *trie) (prefix, suffix []int32, err error) {
	var kind struct {
		Type   string `json:"type"`
		Single []struct {
			Special *struct {
				ID string `json:"id"`
			} `json:"SpecialToken"`
		} `json:"single"`
		Special map[string]struct {
			IDs []int32 `json:"ids"`
		} `json:"special_tokens"`
		CLS []any `json:"cls"`
		SEP []any `json:"sep"`
	}
	if len(f.PostProcessor) == 0 || string(f.PostProcessor) == "null" {
		return nil, nil, nil
	}
	if err := json.Unmarshal(f.PostProcessor, &kind); err != nil {
		return nil, nil, fmt.Errorf("post-processor: %w: %w", core.ErrCorrupt, err)
	}
	switch kind.Type {
	case "TemplateProcessing":
		seen := false
		for _, part := range kind.Single {
			switch {
			case part.Special == nil:
				seen = true
			case seen:
				suffix = append(suffix, kind.Special[part.Special.ID].IDs...)
			default:
				prefix = append(prefix, kind.Special[part.Special.ID].IDs...)
			}
		}
		return prefix, suffix, nil
	case "BertProcessing", "RobertaProcessing":
		for _, pair := range []struct {
			token []any
			to    *[]int32
		}{{kind.CLS, &prefix}, {kind.SEP, &suffix}} {
			if len(pair.token) == 2 {
				name, _ := pair.token[0].(string)
				id, _ := pieces.id(name)
				*pair.to = append(*pair.to, id)
			}
		}
		return prefix, suffix, nil
	}
	return nil, nil, fmt.Errorf("post-processor of the unknown kind %q: %w", kind.Type, core.ErrCorrupt)
}
