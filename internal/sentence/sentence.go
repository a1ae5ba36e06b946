// Package sentence finds the sentences of texts, in any language.
package sentence

import (
	"iter"
	"strings"

	"github.com/clipperhouse/uax29/v2/sentences"
)

// Span is a sentence of a text: its bytes from Start to End.
type Span struct{ Start, End int }

// longSentence is from how many bytes on a sentence is cut at marks that do not
// end one in careful writing: in text all in lower case nothing else does.
const longSentence = 300

// Split returns the sentences of text without the blanks around them, as
// Unicode Standard Annex 29 has them, and lines.
func Split(text string) (out []Span) {
	start := 0
	it := sentences.FromString(text)
	for it.Next() {
		for line := range strings.Lines(it.Value()) {
			for piece := range pieces(line) {
				from := start + len(piece) - len(strings.TrimLeft(piece, " \t\r\n"))
				to := start + len(strings.TrimRight(piece, " \t\r\n"))
				if from < to {
					out = append(out, Span{from, to})
				}
				start += len(piece)
			}
		}
	}
	return out
}

// pieces yields the parts of a line: the line itself unless it is long, else
// what ends with a mark before a blank.
func pieces(line string) iter.Seq[string] {
	return func(yield func(string) bool) {
		long := len(line) > longSentence
		for line != "" {
			end := len(line)
			if long {
				end = markAfter(line, longSentence/10) // nothing shorter
			}
			if !yield(line[:end]) {
				return
			}
			line = line[end:]
		}
	}
}

// markAfter returns the place of the first blank behind a mark, from place from
// on, the length of line when there is none.
func markAfter(line string, from int) int {
	for i := from; i < len(line); i++ {
		if line[i] == ' ' && strings.IndexByte(".!?;", line[i-1]) >= 0 {
			return i
		}
	}
	return len(line)
}
