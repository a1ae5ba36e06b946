package token

import (
	"fmt"
	"strings"
	"sync"
	"unicode"

	"github.com/sugarme/tokenizer"
	"github.com/sugarme/tokenizer/pretrained"

	"github.com/vecdb/vecdb/embedder"
	"github.com/vecdb/vecdb/internal/core"
)

// maxOtherBytes bounds the text that other tokenizers are given: they take
// time that grows faster than the text. No model reads so many tokens.
const maxOtherBytes = 16 << 10

// other is a tokenizer of another kind, computed by sugarme/tokenizer behind a
// guard: it is given clean text of bounded length, by one goroutine at a time,
// and its panics become errors.
type other struct {
	mu sync.Mutex // held while the library works
	t  *tokenizer.Tokenizer
}

func loadOther(path string) (_ embedder.Tokenizer, err error) {
	defer guard(&err, "load tokenizer "+path)
	t, err := pretrained.FromFile(path)
	if err != nil {
		return nil, fmt.Errorf("tokenizer %s: %w: %w", path, core.ErrCorrupt, err)
	}
	t.WithPadding(nil)
	t.WithTruncation(nil)
	return &other{t: t}, nil
}

// Encode implements embedder.Tokenizer. The count of a text over 16 KiB is
// that of its beginning.
func (o *other) Encode(dst []int32, text string, limit int) (ids []int32, total int, err error) {
	text = cleaned(text)
	o.mu.Lock()
	defer o.mu.Unlock()
	enc, err := o.encode(text)
	if err != nil {
		return dst, 0, err
	}
	total = len(enc)
	if total > limit && limit > 0 {
		// The last id is the closing special token; it is kept.
		enc = append(enc[:limit-1], enc[total-1])
	}
	for _, id := range enc {
		dst = append(dst, int32(id))
	}
	return dst, total, nil
}

func (o *other) encode(text string) (ids []int, err error) {
	defer guard(&err, "tokenize")
	enc, err := o.t.EncodeSingle(text, true)
	if err != nil {
		return nil, fmt.Errorf("tokenize: %w", err)
	}
	return enc.Ids, nil
}

// cleaned returns text as the library can take it: valid UTF-8, without
// control characters, of bounded length.
func cleaned(text string) string {
	if len(text) > maxOtherBytes {
		text = text[:maxOtherBytes]
	}
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.Is(unicode.C, r):
			return -1
		}
		return r
	}, strings.ToValidUTF8(text, ""))
}

// guard turns a panic of the library into an error.
func guard(err *error, doing string) {
	if p := recover(); p != nil {
		*err = core.Invalid("", "use a BERT-type model, or shorten the text", "%s: the tokenizer library panicked: %v", doing, p)
	}
}
