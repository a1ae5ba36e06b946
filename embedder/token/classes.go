package token

import "unicode"

// class is what the splitter does with an ASCII character.
type class uint8

const (
	letter class = iota // everything that stays in a word
	upper
	punct
	blank
	control
)

// asciiClass holds the class of every ASCII character.
var asciiClass = func() (t [128]class) {
	for c := range t {
		r := rune(c)
		switch {
		case r == ' ' || r == '\t' || r == '\n' || r == '\r':
			t[c] = blank
		case r < ' ' || r == 0x7f:
			t[c] = control
		case isASCIIPunct(r):
			t[c] = punct
		case r >= 'A' && r <= 'Z':
			t[c] = upper
		}
	}
	return t
}()

// isASCIIPunct holds for all that is neither letter nor digit, as BERT has it.
func isASCIIPunct(r rune) bool {
	return r >= '!' && r <= '/' || r >= ':' && r <= '@' || r >= '[' && r <= '`' || r >= '{' && r <= '~'
}

// isPunct holds for the characters that are words of their own.
func isPunct(r rune) bool {
	return r < 0x80 && isASCIIPunct(r) || r >= 0x80 && unicode.Is(unicode.P, r)
}

// isBlank holds for characters of white space (Unicode's White_Space).
func isBlank(r rune) bool { return unicode.IsSpace(r) }

// isControl holds for the characters that cleaning drops: the categories
// control, format, private use and surrogate, but for the blanks among them.
func isControl(r rune) bool {
	return r != '\t' && r != '\n' && r != '\r' && unicode.In(r, unicode.Cc, unicode.Cf, unicode.Co, unicode.Cs)
}

// isCJK holds for the ideographs that BERT sets blanks around: the unified
// ideographs with their extensions A to E and the compatibility ideographs.
// Hangul, Hiragana and Katakana are not among them.
func isCJK(r rune) bool {
	return r >= 0x4e00 && r <= 0x9fff || r >= 0x3400 && r <= 0x4dbf ||
		r >= 0x20000 && r <= 0x2a6df || r >= 0x2a700 && r <= 0x2b73f ||
		r >= 0x2b740 && r <= 0x2b81f || r >= 0x2b920 && r <= 0x2ceaf ||
		r >= 0xf900 && r <= 0xfaff || r >= 0x2f800 && r <= 0x2fa1f
}
