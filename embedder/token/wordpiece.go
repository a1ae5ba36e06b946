package token

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/vecdb/vecdb/embedder"
)

// WordPiece is the tokenizer of the BERT family (Devlin et al., arXiv
// 1810.04805; Wu et al., arXiv 1609.08144): text is cleaned, split at blanks,
// punctuation and around CJK characters, lower-cased and stripped of accents,
// and each word is cut greedily into the longest pieces of the vocabulary. It
// is safe for concurrent use.
type WordPiece struct {
	vocab   map[string]int32
	pieces  map[string]int32 // continuing pieces, without their prefix
	longest int              // bytes of the longest piece
	unknown int32
	prefix  []int32 // special tokens before the text
	suffix  []int32 // and behind it
	special []added // tokens that are recognised inside the text, longest first
	starts  string  // their first bytes
	opts    normal
	maxWord int // characters of the longest word that is not unknown
}

var _ embedder.Tokenizer = (*WordPiece)(nil)

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

// Encode implements embedder.Tokenizer. Bytes that are not UTF-8 count as
// U+FFFD, which cleaning drops.
func (w *WordPiece) Encode(dst []int32, text string, limit int) (ids []int32, total int, err error) {
	if limit < len(w.prefix)+len(w.suffix) {
		return dst, 0, fmt.Errorf("encode: limit %d leaves no room for the special tokens", limit)
	}
	s := state{w: w, ids: append(dst, w.prefix...), room: limit - len(w.prefix) - len(w.suffix)}
	for text != "" {
		at, tok := w.nextSpecial(text)
		s.split(text[:at])
		if tok == nil {
			break
		}
		s.emit(tok.id)
		text = text[at+len(tok.text):]
	}
	return append(s.ids, w.suffix...), s.count + len(w.prefix) + len(w.suffix), nil
}

// nextSpecial returns where the first special token in text begins, or its
// end.
func (w *WordPiece) nextSpecial(text string) (at int, tok *added) {
	for from := 0; ; from++ {
		i := strings.IndexAny(text[from:], w.starts)
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

// state is one call of Encode.
type state struct {
	w     *WordPiece
	ids   []int32
	room  int // how many more ids may be kept
	count int // tokens so far, kept or not
	word  []byte
	chars int // characters in word
	buf   [64]byte
}

// emit takes a token.
func (s *state) emit(id int32) {
	s.count++
	if s.room > 0 {
		s.ids = append(s.ids, id)
		s.room--
	}
}

// split makes text ready and cuts it into words, character by character;
// ASCII goes a short way.
func (s *state) split(text string) {
	if s.word == nil {
		s.word = s.buf[:0]
	}
	for i := 0; i < len(text); {
		c := text[i]
		if c < utf8.RuneSelf {
			s.ascii(c)
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(text[i:])
		i += n
		s.wide(r)
	}
	s.flush()
}

// ascii takes one ASCII character.
func (s *state) ascii(c byte) {
	switch asciiClass[c] {
	case blank:
		s.flush()
	case control:
		if !s.w.opts.clean {
			s.add(rune(c))
		}
	case punct:
		s.flush()
		s.add(rune(c))
		s.flush()
	case upper:
		if s.w.opts.lower {
			c += 'a' - 'A'
		}
		s.add(rune(c))
	default:
		s.add(rune(c))
	}
}

// wide takes one character beyond ASCII: cleaning, then CJK spacing, then
// accents, then lower case, as the reference orders them.
func (s *state) wide(r rune) {
	o := &s.w.opts
	if o.clean {
		if r == utf8.RuneError || isControl(r) {
			return
		}
		if isBlank(r) {
			s.flush()
			return
		}
	}
	if o.splitCJK && isCJK(r) {
		s.flush()
		s.normalized(r)
		s.flush()
		return
	}
	s.normalized(r)
}

// normalized strips accents and lowers r, and takes what is left of it.
func (s *state) normalized(r rune) {
	o := &s.w.opts
	if !o.stripAccents {
		s.lowered(r)
		return
	}
	if r >= 0xac00 && r <= 0xd7a3 {
		s.hangul(r)
		return
	}
	var raw [utf8.UTFMax]byte
	n := utf8.EncodeRune(raw[:], r)
	d := norm.NFD.Properties(raw[:n]).Decomposition()
	if d == nil {
		s.stripped(r)
		return
	}
	for len(d) > 0 {
		c, n := utf8.DecodeRune(d)
		s.stripped(c)
		d = d[n:]
	}
}

// hangul takes a syllable of Hangul as its letters (Unicode 3.12).
func (s *state) hangul(r rune) {
	const vowels, trails = 21, 28
	i := r - 0xac00
	s.stripped(0x1100 + i/(vowels*trails))
	s.stripped(0x1161 + i%(vowels*trails)/trails)
	if trail := i % trails; trail > 0 {
		s.stripped(0x11a7 + trail)
	}
}

// stripped drops accents.
func (s *state) stripped(r rune) {
	if !unicode.Is(unicode.Mn, r) {
		s.lowered(r)
	}
}

// lowered brings r to lower case. The one character whose lower case is two
// is written out.
func (s *state) lowered(r rune) {
	switch {
	case !s.w.opts.lower:
		s.take(r)
	case r == 'İ':
		s.take('i')
		s.take('\u0307')
	default:
		s.take(unicode.ToLower(r))
	}
}

// take splits at blanks and punctuation.
func (s *state) take(r rune) {
	switch {
	case isBlank(r):
		s.flush()
	case isPunct(r):
		s.flush()
		s.add(r)
		s.flush()
	default:
		s.add(r)
	}
}

// add takes a character of a word. What makes the word too long is counted
// and not kept.
func (s *state) add(r rune) {
	if s.chars++; s.chars > s.w.maxWord {
		return
	}
	if r < utf8.RuneSelf {
		s.word = append(s.word, byte(r))
		return
	}
	s.word = utf8.AppendRune(s.word, r)
}

// flush ends the word and cuts it into pieces.
func (s *state) flush() {
	if len(s.word) == 0 {
		return
	}
	s.pieces()
	s.word, s.chars = s.word[:0], 0
}

// pieces cuts the word: the longest piece that begins it, then the longest
// that continues, and so on. When no piece fits somewhere, the whole word is
// one unknown token.
func (s *state) pieces() {
	w := s.w
	if s.chars > w.maxWord {
		s.emit(w.unknown)
		return
	}
	count, kept, room := s.count, len(s.ids), s.room
	vocab := w.vocab
	for start := 0; start < len(s.word); {
		end := min(start+w.longest, len(s.word))
		id, found := int32(0), false
		for ; end > start; end-- {
			// The compiler makes no copy for this look-up.
			if id, found = vocab[string(s.word[start:end])]; found {
				break
			}
		}
		if !found {
			s.count, s.ids, s.room = count, s.ids[:kept], room
			s.emit(w.unknown)
			return
		}
		s.emit(id)
		start, vocab = end, w.pieces
	}
}
