package token

import (
	"slices"
	"unicode/utf8"
)

// state is one call of Encode. It holds the word that is being read as it
// looks in the vocabulary: in lower case and without accents.
type state struct {
	w       *WordPiece
	ids     []int32
	room    int // how many more ids may be kept
	count   int // tokens so far, kept or not
	word    []byte
	chars   int // characters of the word, kept or not
	spare   [512]byte
	waiting []waiting // combining characters that are not yet in order

	// Where things stand in the text.
	at, after  int // the character that is read
	begin, end int // the word
	tracked    bool
	spans      []Span
	places     []Span // of each byte of word, where tracked
}

// waiting is a character that combines with what stands before it.
type waiting struct {
	r         rune
	order     uint8
	at, after int
}

// start makes the state ready for a text.
func (s *state) start(w *WordPiece, dst []int32, room int) {
	s.w, s.ids, s.room = w, dst, room
	s.word = s.spare[:0]
	if longest := utf8.UTFMax * w.maxWord; longest > len(s.spare) {
		s.word = make([]byte, 0, longest)
	}
}

// emit takes a token.
func (s *state) emit(id int32, start, end int) {
	s.count++
	if s.room <= 0 {
		return
	}
	s.room--
	s.ids = append(s.ids, id)
	if s.tracked {
		s.spans = append(s.spans, Span{Start: start, End: end})
	}
}

// split makes text ready from a place on and cuts it into words. Runs of ASCII
// letters go a short way.
func (s *state) split(text string, from int) {
	w := s.w
	for i := from; i < len(text); {
		c := text[i]
		if w.plain[c] != 0 {
			i = s.letters(text, i)
			continue
		}
		if c < utf8.RuneSelf {
			s.at, s.after = i, i+1
			s.ascii(c)
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(text[i:])
		s.at, s.after = i, i+n
		s.wide(r)
		i += n
	}
	s.flush()
}

// letters takes a run of plain ASCII letters and returns where it ends.
func (s *state) letters(text string, from int) int {
	if len(s.waiting) > 0 {
		s.settle()
	}
	w := s.w
	buf := s.word[:cap(s.word)]
	n, i := len(s.word), from
	for i < len(text) {
		c := w.plain[text[i]]
		if c == 0 {
			break
		}
		if n < len(buf) {
			buf[n] = c
			n++
		}
		i++
	}
	if s.chars == 0 {
		s.begin = from
	}
	if s.tracked {
		for k := from; len(s.places) < n; k++ {
			s.places = append(s.places, Span{Start: k, End: k + 1})
		}
	}
	s.word = buf[:n]
	s.chars += i - from
	s.end = i
	return i
}

// ascii takes an ASCII character that is no plain letter.
func (s *state) ascii(c byte) {
	switch s.w.classes.of(rune(c)) {
	case blank:
		s.flush()
	case punct:
		s.flush()
		s.emit(s.w.single[c], s.at, s.after)
	default:
		s.wide(rune(c))
	}
}

// wide takes any character: cleaning, then CJK spacing, then accents, then
// lower case, as the reference orders them.
func (s *state) wide(r rune) {
	o, cl := &s.w.opts, s.w.classes.of(r)
	if cl&(control|blank) != 0 && o.clean {
		if cl&control == 0 {
			s.flush()
		}
		return
	}
	spaced := cl&ideograph != 0 && o.splitCJK
	if spaced {
		s.flush()
	}
	if o.stripAccents {
		s.decompose(r, cl)
	} else {
		s.lowered(r, cl)
	}
	if spaced {
		s.flush()
	}
}

// decompose takes what r is composed of.
func (s *state) decompose(r rune, cl class) {
	switch {
	case cl&composed == 0:
		s.stripped(r, cl)
	case r >= firstSyllable && r <= lastSyllable:
		i := r - firstSyllable
		s.stripped(firstLead+i/(vowels*trails), 0)
		s.stripped(firstVowel+i%(vowels*trails)/trails, 0)
		if trail := i % trails; trail > 0 {
			s.stripped(firstTrail+trail, 0)
		}
	default:
		left := lookUp(bareRunes[:], r)
		if left == "" {
			s.accent()
		}
		for _, c := range left {
			s.stripped(c, s.w.classes.of(c))
		}
	}
}

// stripped drops accents, and puts what else combines in order.
func (s *state) stripped(r rune, cl class) {
	if cl&(mark|follows) == 0 {
		if len(s.waiting) > 0 {
			s.settle()
		}
		s.lowered(r, cl)
		return
	}
	if cl&mark == 0 {
		s.wait(r)
		return
	}
	if cl&follows == 0 {
		s.settle()
	}
	s.accent()
}

// accent lets the letter before have the character that is dropped.
func (s *state) accent() {
	if s.tracked && len(s.places) > 0 {
		s.end = s.after
		s.places[len(s.places)-1].End = s.after
	}
}

// maxWaiting bounds the characters that are put in order; more are no text.
const maxWaiting = 1024

// wait puts a combining character behind those of its order and below.
func (s *state) wait(r rune) {
	if len(s.waiting) == maxWaiting {
		s.settle()
	}
	n := waiting{r, orderOf(r), s.at, s.after}
	i := len(s.waiting)
	for i > 0 && s.waiting[i-1].order > n.order {
		i--
	}
	s.waiting = slices.Insert(s.waiting, i, n)
}

// settle takes the characters that waited.
func (s *state) settle() {
	at, after := s.at, s.after
	for _, n := range s.waiting {
		s.at, s.after = n.at, n.after
		s.lowered(n.r, s.w.classes.of(n.r))
	}
	s.waiting = s.waiting[:0]
	s.at, s.after = at, after
}

// lowered brings r to lower case.
func (s *state) lowered(r rune, cl class) {
	if cl&upper == 0 || !s.w.opts.lower {
		s.take(r, cl)
		return
	}
	for _, c := range lookUp(smallRunes[:], r) {
		s.take(c, s.w.classes.of(c))
	}
}

// take splits at blanks and punctuation.
func (s *state) take(r rune, cl class) {
	switch {
	case cl&blank != 0:
		s.cut()
	case cl&punct != 0:
		s.cut()
		s.add(r)
		s.cut()
	default:
		s.add(r)
	}
}

// add takes a character of a word. What makes the word too long is counted
// and not kept.
func (s *state) add(r rune) {
	if s.chars == 0 {
		s.begin = s.at
	}
	s.chars++
	s.end = s.after
	if s.chars > s.w.maxWord {
		return
	}
	s.word = utf8.AppendRune(s.word, r)
	for s.tracked && len(s.places) < len(s.word) {
		s.places = append(s.places, Span{Start: s.at, End: s.after})
	}
}

// flush ends the word and takes its pieces.
func (s *state) flush() {
	if len(s.waiting) > 0 {
		s.settle()
	}
	s.cut()
}

// cut ends the word and cuts it into pieces: the longest that begins it, then
// the longest that continues, and so on. When no piece fits somewhere, the
// whole word is one unknown token.
func (s *state) cut() {
	if s.chars == 0 {
		return
	}
	w, known := s.w, s.chars <= s.w.maxWord
	count, kept, room := s.count, len(s.ids), s.room
	for from, start := root, 0; known && start < len(s.word); from = w.inside {
		id, n := int32(0), 0
		if from != none {
			id, n = w.pieces.longest(from, s.word[start:])
		}
		if known = n > 0; !known {
			break
		}
		first, last := 0, 0
		if s.tracked {
			first, last = s.places[start].Start, s.places[start+n-1].End
		}
		s.emit(id, first, last)
		start += n
	}
	if !known {
		s.count, s.ids, s.room = count, s.ids[:kept], room
		if s.tracked {
			s.spans = s.spans[:kept]
		}
		s.emit(w.unknown, s.begin, s.end)
	}
	s.word, s.places, s.chars = s.word[:0], s.places[:0], 0
}
