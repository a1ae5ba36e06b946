package language

import (
	"strings"
	"testing"
)

func TestTheRule(t *testing.T) {
	for _, test := range []struct {
		texts   string // parted by |
		want    string
		foreign bool
	}{
		{"", English, false},
		{"12 345 !?", English, false},
		{"a father and his son", English, false},
		{"父亲和儿子", Chinese, false},
		{"abcdefgh父子", English, false}, // two Han letters are as much as eight Latin ones, no more
		{"abcdefg父子", Chinese, false},
		{"ひらがな漢字", English, true},
		{"ひら漢字文", Chinese, false},
		{"отец и сын", English, true},
		{"отец и сын и их дом|a father", English, true},
		{strings.Repeat("a", 5000) + "|" + strings.Repeat("父", 300), Chinese, false}, // of the first a thousand count
		{strings.Repeat("a", 1000) + "|" + strings.Repeat("父", 250), English, false},
	} {
		var c Count
		for text := range strings.SplitSeq(test.texts, "|") {
			c.Add(text)
		}
		if c.Language() != test.want || c.Foreign() != test.foreign {
			t.Errorf("%.40q: %s, foreign %v", test.texts, c.Language(), c.Foreign())
		}
	}
}
