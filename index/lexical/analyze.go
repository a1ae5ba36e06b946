package lexical

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/clipperhouse/uax29/v2/words"
	"github.com/kljensen/snowball/english"
	"golang.org/x/text/unicode/norm"
)

// maxTermBytes is where terms are cut: what is longer is no word.
const maxTermBytes = 128

// stopWords are the English words that say nothing about a document. They are
// those that Lucene's English analyzer leaves out.
var stopWords = map[string]bool{
	"a": true, "an": true, "and": true, "are": true, "as": true, "at": true, "be": true, "but": true, "by": true,
	"for": true, "if": true, "in": true, "into": true, "is": true, "it": true, "no": true, "not": true, "of": true,
	"on": true, "or": true, "such": true, "that": true, "the": true, "their": true, "then": true, "there": true,
	"these": true, "they": true, "this": true, "to": true, "was": true, "will": true, "with": true,
}

// analyze calls emit for each term of text, in order and with repetitions. How
// a piece of text is read depends on its script alone, so that collections of
// several languages work:
//
//   - Words are those of Unicode Standard Annex 29, composed (NFKC) and in
//     lower case. Words of ASCII letters are taken to be English: stop words
//     are left out and the others stemmed by Porter's second algorithm.
//   - Chinese, Japanese and Korean runs give each character and each pair of
//     neighbors.
func analyze(text string, emit func(term string)) { analyzeSome(text, nil, emit) }

// analyzeSome is analyze without the English words for which stem returns false;
// nil is none. Stemming takes most of the time.
func analyzeSome(text string, stem func(word string) bool, emit func(term string)) {
	if plainWords(text) {
		for token := range strings.SplitSeq(strings.ToLower(text), " ") {
			word(token, stem, emit)
		}
		return
	}
	text = strings.ToLower(norm.NFKC.String(text))
	run := 0 // where the present run of ideographs begins
	pos := 0 // where the present token begins
	inRun := false
	it := words.FromString(text)
	for it.Next() {
		token := it.Value()
		first, _ := utf8.DecodeRuneInString(token)
		switch ideograph := ideographic(first); {
		case ideograph && !inRun:
			run, inRun = pos, true
		case !ideograph && inRun:
			grams(text[run:pos], emit)
			inRun = false
		}
		if !inRun {
			word(token, stem, emit)
		}
		pos += len(token)
	}
	if inRun {
		grams(text[run:], emit)
	}
}

// plainWords reports whether text has letters and digits of ASCII and blanks only, so
// that the blanks alone part its words. Most queries are of that kind.
func plainWords(text string) bool {
	for i := range len(text) {
		if c := text[i]; (c < 'a' || c > 'z') && c != ' ' && (c < '0' || c > '9') && (c < 'A' || c > 'Z') {
			return false
		}
	}
	return true
}

// ideographic reports whether r belongs to a script that is written without
// blanks between words, or in which they part more than words (Korean).
func ideographic(r rune) bool {
	return r >= 0x1100 && (unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul) || r == 'ー')
}

// word emits a token that is a word.
func word(token string, stem func(string) bool, emit func(string)) {
	token = strings.TrimFunc(token, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r) })
	switch {
	case token == "" || stopWords[token]:
	case len(token) > maxTermBytes:
		emit(strings.ToValidUTF8(token[:maxTermBytes], ""))
	case english26(token):
		if stem == nil || stem(token) {
			emit(english.Stem(token, true))
		}
	default:
		emit(token)
	}
}

// english26 reports whether token has letters of English only; an apostrophe
// may be between them.
func english26(token string) bool {
	for i := range len(token) {
		if c := token[i]; (c < 'a' || c > 'z') && c != '\'' {
			return false
		}
	}
	return true
}

// grams emits the characters of a run and its pairs.
func grams(run string, emit func(string)) {
	before := -1 // where the character before begins
	for i, r := range run {
		end := i + utf8.RuneLen(r)
		emit(run[i:end])
		if before >= 0 {
			emit(run[before:end])
		}
		before = i
	}
}

// counted is a term of a text with how often it occurs.
type counted struct {
	term  string
	count int
}

// count returns the distinct terms of text in the order of their first
// occurrence, and how many terms there are in all.
func count(text string) (list []counted, length int) {
	c := counter{at: make(map[string]int)}
	analyze(text, c.add)
	return c.list, c.sum
}

// counter counts the terms of texts.
type counter struct {
	at    map[string]int    // where terms of the present text are in the list
	stems map[string]string // of the English words of all texts so far
	list  []counted
	sum   int
}

// newCounter returns a counter for many texts.
func newCounter() *counter {
	return &counter{at: make(map[string]int), stems: make(map[string]string)}
}

// count is count of one text. The list is valid until the next one.
func (c *counter) count(text string) (list []counted, length int) {
	clear(c.at)
	c.list, c.sum = c.list[:0], 0
	analyzeSome(text, c.stem, c.add)
	return c.list, c.sum
}

func (c *counter) add(term string) {
	c.sum++
	i, there := c.at[term]
	if !there {
		i = len(c.list)
		c.at[term] = i
		c.list = append(c.list, counted{term: term})
	}
	c.list[i].count++
}

// stem adds the stem of a word itself.
func (c *counter) stem(word string) bool {
	term, known := c.stems[word]
	if !known {
		term = english.Stem(word, true)
		c.stems[word] = term
	}
	c.add(term)
	return false
}
