package train

import (
	"math/bits"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// maxTextBytes is how much of a text is read for its terms.
const maxTextBytes = 256 << 10

// FNV-1a, 64 bits (RFC 9923).
const (
	fnvOffset = 0xcbf29ce484222325
	fnvPrime  = 0x100000001b3
)

// counter counts the terms of texts. A term is known by a hash of 64 bits, so
// that no strings are kept; that two terms of a vocabulary share one is as good
// as impossible.
type counter struct {
	counts map[uint64]int
	last   uint64 // hash of the word before, 0 when there is none
	run    [2]rune
	length int // of the run of ideographs so far, up to 2
}

// countTerms returns how often each term occurs in text: words and pairs of
// neighboring words, composed (NFKC) and in lower case, the marks ! ? and % as
// words of their own, and of runs of ideographs one to three characters.
func countTerms(text string) map[uint64]int {
	if len(text) > maxTextBytes {
		text = strings.ToValidUTF8(text[:maxTextBytes], "")
	}
	c := counter{counts: make(map[uint64]int)}
	text = strings.ToLower(norm.NFKC.String(text))
	start := -1 // where the present word begins
	for i, r := range text {
		inWord := wordRune(r) && !ideographic(r) || r == '\'' && start >= 0
		switch {
		case inWord && start < 0:
			start = i
		case !inWord && start >= 0:
			c.word(text[start:i])
			start = -1
		}
		switch {
		case ideographic(r):
			c.ideograph(r)
		case inWord:
			c.length = 0
		default:
			c.length = 0
			if r == '!' || r == '?' || r == '%' {
				c.word(text[i : i+1])
			}
		}
	}
	if start >= 0 {
		c.word(text[start:])
	}
	return c.counts
}

func wordRune(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r) }

// ideographic reports whether r belongs to a script without blanks between
// words, or in which they part more than words (Korean).
func ideographic(r rune) bool {
	return r >= 0x1100 && unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul)
}

// word counts a word and its pair with the one before.
func (c *counter) word(w string) {
	h := uint64(fnvOffset)
	for i := range len(w) {
		h = (h ^ uint64(w[i])) * fnvPrime
	}
	c.counts[h]++
	if c.last != 0 {
		c.counts[pair(c.last, h)]++
	}
	c.last = h
}

// ideograph counts a character with those of its run before it.
func (c *counter) ideograph(r rune) {
	c.last = 0
	one := hashRune(fnvOffset, r)
	c.counts[one]++
	if c.length >= 1 {
		c.counts[hashRune(hashRune(fnvOffset, c.run[1]), r)]++
	}
	if c.length >= 2 {
		c.counts[hashRune(hashRune(hashRune(fnvOffset, c.run[0]), c.run[1]), r)]++
	}
	c.run[0], c.run[1] = c.run[1], r
	c.length = min(c.length+1, 2)
}

func hashRune(h uint64, r rune) uint64 {
	var b [utf8.UTFMax]byte
	for _, x := range b[:utf8.EncodeRune(b[:], r)] {
		h = (h ^ uint64(x)) * fnvPrime
	}
	return h
}

// pair hashes two hashes in their order.
func pair(a, b uint64) uint64 { return (bits.RotateLeft64(a, 23) ^ b) * fnvPrime }
