package train

import (
	"strings"
	"unicode"
)

// NameOf returns the words that a label's name consists of, for instance "card
// arrival" for card_arrival or CardArrival, and whether there are any: three
// letters in a row, or two ideographs.
func NameOf(label string) (string, bool) {
	var b strings.Builder
	var last rune
	letters, most := 0, 0
	for _, r := range label {
		switch {
		case !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r):
			r = ' '
		case unicode.IsUpper(r) && unicode.IsLower(last):
			b.WriteByte(' ')
		}
		switch {
		case ideographic(r):
			letters += 2
		case unicode.IsLetter(r):
			letters++
		default:
			letters = 0
		}
		most = max(most, letters)
		b.WriteRune(r)
		last = r
	}
	return strings.Join(strings.Fields(b.String()), " "), most >= 3
}

const (
	// namedBelow is the mean number of examples a label below which the names
	// of labels are examples too, if they tell enough.
	namedBelow = 50
	// nameGain is by how much the names alone must be better than chance at
	// labelling the examples, nameTimes how many times as good.
	nameGain  = 0.1
	nameTimes = 1.5
	// nameInCentroid is what a name weighs beside an example in a centroid.
	nameInCentroid = 0.7
)

// WantsNames reports whether there are so few examples that the names of the
// labels may help.
func WantsNames(examples, labels int) bool { return examples < namedBelow*labels }

// useNames reports whether the names tell enough about the labels to learn from
// them. The names have not seen the examples, so what they label rightly is no
// accident.
func (s *set) useNames(names map[string][]float32) bool {
	if len(names) == 0 || s.dim == 0 || !WantsNames(len(s.rows), len(s.labels)) {
		return false
	}
	all := make([]float32, 0, len(s.labels)*s.dim)
	for _, label := range s.labels {
		v := unit(names[label], s.dim)
		if v == nil {
			v = make([]float32, s.dim)
		}
		all = append(all, v...)
	}
	right, judged := 0, 0
	out := make([]float32, len(s.labels))
	for _, r := range s.rows {
		if r.vector == nil {
			continue
		}
		centroidScores(all, r.vector, out)
		judged++
		if argmax(out) == r.label {
			right++
		}
	}
	if judged == 0 {
		return false
	}
	chance := 1 / float64(len(s.labels))
	got := float64(right) / float64(judged)
	return got > chance+nameGain && got > nameTimes*chance
}
