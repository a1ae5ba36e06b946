package token

import (
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/sugarme/tokenizer/pretrained"

	"github.com/vecdb/vecdb/embedder"
	"github.com/vecdb/vecdb/internal/core"
)

// maxOtherBytes bounds the text that other tokenizers are given: they take
// time that grows faster than the text. No model reads so many tokens.
const maxOtherBytes = 8 << 10

// maxOtherTime bounds the time for one text, waiting for others included.
const maxOtherTime = 10 * time.Second

// other is a tokenizer of another kind, computed by sugarme/tokenizer behind a
// guard: it is given clean text of bounded length, one text at a time, and has
// bounded time; its panics become errors.
type other struct {
	turn chan struct{} // holds a token while the library works
	ids  func(text string) ([]int, error)
}

func newOther(ids func(text string) ([]int, error)) *other {
	return &other{turn: make(chan struct{}, 1), ids: ids}
}

func loadOther(path string) (_ embedder.Tokenizer, err error) {
	defer guard(&err, "load tokenizer "+path)
	t, err := pretrained.FromFile(path)
	if err != nil {
		return nil, fmt.Errorf("tokenizer %s: %w: %w", path, core.ErrCorrupt, err)
	}
	t.WithPadding(nil)
	t.WithTruncation(nil)
	return newOther(func(text string) ([]int, error) {
		enc, err := t.EncodeSingle(text, true)
		if err != nil {
			return nil, fmt.Errorf("tokenize: %w", err)
		}
		return enc.Ids, nil
	}), nil
}

// Encode implements embedder.Tokenizer. The count of a text over 8 KiB is
// that of its beginning.
func (o *other) Encode(dst []int32, text string, limit int) (ids []int32, total int, err error) {
	enc, err := o.bounded(cleaned(text))
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

// encoding is what the library gave.
type encoding struct {
	ids []int
	err error
}

// bounded gives the library a text and waits for it no longer than
// maxOtherTime. The library cannot be stopped: what is given up works on, and
// until it is done no other text gets its turn.
func (o *other) bounded(text string) ([]int, error) {
	timer := time.NewTimer(maxOtherTime)
	defer timer.Stop()
	late := core.Invalid("", "use a BERT-type model, or shorten the text", "tokenize: the tokenizer library takes longer than %v", maxOtherTime)
	select {
	case o.turn <- struct{}{}:
	case <-timer.C:
		return nil, late
	}
	done := make(chan encoding, 1)
	go func() {
		defer func() { <-o.turn }()
		done <- o.guarded(text)
	}()
	select {
	case e := <-done:
		return e.ids, e.err
	case <-timer.C:
		return nil, late
	}
}

func (o *other) guarded(text string) (e encoding) {
	defer guard(&e.err, "tokenize")
	e.ids, e.err = o.ids(text)
	return e
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
