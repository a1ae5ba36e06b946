// Package language tells from texts which of the default models suits them. The
// rule is the same wherever a model is chosen by texts: files on the command
// line and the first documents of a collection.
package language

import "unicode"

// The languages of the default models.
const (
	English = "en"
	Chinese = "zh"
)

// perText is how many letters of a text count at most, so that a few long ones
// do not outvote all others.
const perText = 1_000

// Count counts the letters of texts by their scripts. The zero value is ready to
// use.
type Count struct {
	han, latin, letters int
}

// Add counts the first thousand letters of a text.
func (c *Count) Add(text string) {
	left := perText
	for _, r := range text {
		if !unicode.IsLetter(r) {
			continue
		}
		c.letters++
		switch {
		case unicode.Is(unicode.Latin, r):
			c.latin++
		case unicode.Is(unicode.Han, r):
			c.han++
		}
		if left--; left == 0 {
			return
		}
	}
}

// Language returns Chinese when more than half of the letters that are not Latin
// are Han, and these are more than a quarter as many as the Latin: a Han letter
// says about as much as a word of four Latin ones. In all other cases, texts
// without letters among them, it returns English.
func (c Count) Language() string {
	if 4*c.han > c.latin && 2*c.han > c.letters-c.latin {
		return Chinese
	}
	return English
}

// Foreign reports whether most letters are neither Latin nor Han, which the
// default models do not know.
func (c Count) Foreign() bool { return 2*(c.han+c.latin) < c.letters }
