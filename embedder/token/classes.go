package token

import (
	"cmp"
	"slices"
	"sync"
)

// class says what the steps of BERT's reference tokenizer do with a character;
// zero is a character that stays as it is within its word. The reference takes
// each step from another library and so from another version of Unicode; the
// tables are what it does, and do not change with the version of Go, since
// stored vectors would no longer fit new ones.
type class uint8

const (
	control   class = 1 << iota // dropped by cleaning
	blank                       // white space
	punct                       // a word of its own
	ideograph                   // a word of its own where CJK characters are spaced
	mark                        // an accent
	composed                    // has accents or consists of several letters
	upper                       // has a lower case
	follows                     // combines with what stands before it, in an order of Unicode's
)

// run is a range of characters of one class.
type run struct {
	first, last rune
	class       class
}

// mapping tells what becomes of a character.
type mapping struct {
	from rune
	to   string
}

// ordered is a character with its canonical combining class.
type ordered struct {
	from  rune
	order uint8
}

// classTable holds the class of every character: pages of 256 characters, one
// page for all that are alike.
type classTable struct {
	pages [0x110000 >> 8]*[256]class
}

// classes returns the table, which is made when it is first needed.
var classes = sync.OnceValue(newClassTable)

func newClassTable() *classTable {
	t := new(classTable)
	none, ideographs, controls := new([256]class), new([256]class), new([256]class)
	for i := range none {
		ideographs[i], controls[i] = ideograph, control
	}
	for i := range t.pages {
		t.pages[i] = none
	}
	shared := map[class]*[256]class{ideograph: ideographs, control: controls}
	for _, r := range classRuns {
		for c := r.first; c <= r.last; {
			page := &t.pages[c>>8]
			if whole := shared[r.class]; whole != nil && c&0xff == 0 && c+0xff <= r.last {
				*page, c = whole, c+0x100
				continue
			}
			if *page == none {
				*page = new([256]class)
			}
			(*page)[c&0xff] = r.class
			c++
		}
	}
	return t
}

// of returns the class of r, which must be a character.
func (t *classTable) of(r rune) class { return t.pages[r>>8][r&0xff] }

// Hangul syllables are computed (Unicode, chapter 3.12).
const (
	firstSyllable, lastSyllable = 0xac00, 0xd7a3
	firstLead                   = 0x1100
	firstVowel, vowels          = 0x1161, 21
	firstTrail, trails          = 0x11a7, 28
)

// lookUp returns what the table says about r, "" for nothing.
func lookUp(table []mapping, r rune) string {
	at, found := slices.BinarySearchFunc(table, r, func(m mapping, r rune) int { return cmp.Compare(m.from, r) })
	if !found {
		return ""
	}
	return table[at].to
}

// orderOf returns the combining class of a character that follows.
func orderOf(r rune) uint8 {
	at, found := slices.BinarySearchFunc(orderedRunes[:], r, func(o ordered, r rune) int { return cmp.Compare(o.from, r) })
	if !found {
		return 0
	}
	return orderedRunes[at].order
}
