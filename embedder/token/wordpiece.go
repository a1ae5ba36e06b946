package token

import (
	"fmt"
	"strings"

	"github.com/vecdb/vecdb/embedder"
)

// WordPiece is the tokenizer of the BERT family (Devlin et al., arXiv
// 1810.04805; Wu et al., arXiv 1609.08144): text is cleaned, split at blanks,
// punctuation and around CJK characters, lower-cased and stripped of accents,
// and each word is cut greedily into the longest pieces of the vocabulary. It
// is safe for concurrent use.
type WordPiece struct {
	pieces  *trie
	inside  int32 // the node of the prefix of pieces inside a word; none without such pieces
	size    int
	unknown int32
	prefix  []int32 // special tokens before the text
	suffix  []int32 // and behind it
	special []added // tokens that are recognised inside the text, longest first
	starts  string  // their first bytes
	opts    normal
	maxWord int // characters of the longest word that is not unknown
	classes *classTable
	// plain holds the byte that an ASCII byte becomes within a word, 0 for
	// bytes that are not so simple.
	plain [256]byte
	// single holds the token of each ASCII byte as a word.
	single [128]int32
}

var _ embedder.SpanTokenizer = (*WordPiece)(nil)

// normal says how text is made ready.
type normal struct {
	clean        bool // drop control characters, make every blank a space
	splitCJK     bool // every CJK character is a word
	lower        bool
	stripAccents bool
}

// added is a token that is looked for in the text before anything else.
type added struct {
	text string
	id   int32
}

// Span is where a token stands in the text.
type Span = embedder.Span

// prepare fills the tables of the hot path.
func (w *WordPiece) prepare() {
	w.classes = classes()
	for c := range rune(len(w.single)) {
		cl := w.classes.of(c)
		switch {
		case cl == 0 && c > 0 || cl == upper && !w.opts.lower:
			w.plain[c] = byte(c)
		case cl == upper:
			w.plain[c] = byte(c) + 'a' - 'A'
		}
		w.single[c] = w.unknown
		if id, n := w.pieces.longest(root, []byte{byte(c)}); n > 0 {
			w.single[c] = id
		}
	}
}

// Size returns one more than the highest id of the vocabulary.
func (w *WordPiece) Size() int { return w.size }

// Encode implements embedder.Tokenizer. Bytes that are not UTF-8 count as
// U+FFFD, which cleaning drops. It allocates nothing but room in dst.
func (w *WordPiece) Encode(dst []int32, text string, limit int) (ids []int32, total int, err error) {
	var s state
	ids, err = s.run(w, dst, text, limit)
	return ids, s.count, err
}

// EncodeSpans does what Encode does and tells for each id that it returns
// where the token stands in text. The starts grow and so do the ends; two
// tokens overlap only where one character became both. An accent belongs to
// the token of its letter, and a word that is unknown is one token.
func (w *WordPiece) EncodeSpans(text string, limit int) (ids []int32, spans []Span, total int, err error) {
	s := state{tracked: true}
	ids, err = s.run(w, nil, text, limit)
	return ids, s.spans, s.count, err
}

// run encodes the whole text.
func (s *state) run(w *WordPiece, dst []int32, text string, limit int) ([]int32, error) {
	closing := len(w.suffix)
	if limit < len(w.prefix)+closing {
		return dst, fmt.Errorf("encode: limit %d leaves no room for the special tokens", limit)
	}
	s.start(w, dst, limit-closing)
	for _, id := range w.prefix {
		s.emit(id, 0, 0)
	}
	for from := 0; from < len(text); {
		at, tok := w.nextSpecial(text, from)
		s.split(text[:at], from)
		from = at
		if tok != nil {
			from += len(tok.text)
			s.emit(tok.id, at, from)
		}
	}
	s.room += closing
	for _, id := range w.suffix {
		s.emit(id, len(text), len(text))
	}
	return s.ids, nil
}

// nextSpecial returns where the first special token from a place on begins, or
// the end of text.
func (w *WordPiece) nextSpecial(text string, from int) (at int, tok *added) {
	for ; ; from++ {
		var i int
		if len(w.starts) == 1 {
			i = strings.IndexByte(text[from:], w.starts[0])
		} else {
			i = strings.IndexAny(text[from:], w.starts)
		}
		if i < 0 {
			return len(text), nil
		}
		from += i
		for j := range w.special {
			if strings.HasPrefix(text[from:], w.special[j].text) {
				return from, &w.special[j]
			}
		}
	}
}
