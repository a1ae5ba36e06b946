package token

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/vecdb/vecdb/internal/core"
)

// entry is a piece of a vocabulary.
type entry struct {
	text string
	id   int32
}

const blanks = " \t\r\n"

var errVocabulary = errors.New("it is no object of pieces and ids")

// readVocabulary reads a JSON object whose syntax has been checked: encoding/json
// would take most of the time in which a model is opened. The pieces are sorted;
// of equal ones the last stays, the empty one is left out.
func readVocabulary(raw []byte) ([]entry, error) {
	rest, ok := strings.CutPrefix(strings.TrimLeft(string(raw), blanks), "{")
	if !ok {
		return nil, errVocabulary
	}
	list := make([]entry, 0, strings.Count(rest, ","))
	for rest = strings.TrimLeft(rest, blanks); strings.HasPrefix(rest, `"`); rest = strings.TrimLeft(rest, blanks+",") {
		end := stringEnd(rest)
		piece, err := unquoted(rest[:end])
		if err != nil {
			return nil, err
		}
		rest = strings.TrimLeft(rest[end:], blanks+":")
		end = strings.IndexAny(rest, ",}"+blanks)
		if end < 0 {
			return nil, errVocabulary
		}
		id, err := strconv.ParseInt(rest[:end], 10, 32)
		if err != nil {
			return nil, fmt.Errorf("the id of the piece %.80q: %w", piece, err)
		}
		rest = rest[end:]
		if id < 0 || id == maxID || len(piece) > longestPiece {
			return nil, fmt.Errorf("the piece %.80q with the id %d: %w", piece, id, core.ErrCorrupt)
		}
		if piece != "" {
			list = append(list, entry{piece, int32(id)})
		}
	}
	return sorted(list), nil
}

// sorted sorts pieces and leaves the last of equal ones.
func sorted(list []entry) []entry {
	order := make([]int32, len(list))
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortFunc(order, func(i, j int32) int {
		if c := strings.Compare(list[i].text, list[j].text); c != 0 {
			return c
		}
		return int(j - i)
	})
	out := make([]entry, 0, len(list))
	for _, i := range order {
		if n := len(out); n == 0 || out[n-1].text != list[i].text {
			out = append(out, list[i])
		}
	}
	return out
}

// stringEnd returns where the JSON string that s begins with ends.
func stringEnd(s string) int {
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '"':
			return i + 1
		case '\\':
			i++
		}
	}
	return len(s)
}

// unquoted returns what a JSON string stands for.
func unquoted(quoted string) (s string, err error) {
	if strings.Contains(quoted, `\`) || !utf8.ValidString(quoted) {
		err = json.Unmarshal([]byte(quoted), &s)
		return s, err
	}
	return quoted[1 : len(quoted)-1], nil
}
