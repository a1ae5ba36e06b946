package records

import (
	"hash/maphash"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/vecdb/vecdb/internal/core"
)

// textColumn is the one column of plain text, and the member of a document
// that holds its text.
const textColumn = "text"

// Names that say what a column holds, best first. A column matches when its
// name, or the last word of it, is one of them.
var (
	bodyNames = []string{"text", "content", "body", "description", "abstract", "review", "overview", "plot", "synopsis", "passage",
		"sentence", "comment", "message", "summary", "document", "details", "article", "lyrics",
		"正文", "内容", "文本", "描述", "简介", "摘要", "评论", "详情"}
	titleNames = []string{"title", "headline", "question", "query", "subject", "name", "标题", "题目", "问题", "名称"}
	idNames    = []string{"id", "_id", "uuid", "guid", "key", "docid", "isbn", "sku", "asin", "slug", "url", "编号", "name"}
)

// knownName tells whether a header's cell is a name that this package knows.
func knownName(name string) bool {
	return rank(name, bodyNames) >= 0 || rank(name, titleNames) >= 0 || rank(name, idNames) >= 0 || strings.EqualFold(strings.TrimSpace(name), "label")
}

// rank returns the place of a column's name in names, -1 when it is not there.
// Whole names come before last words.
func rank(name string, names []string) int {
	name = strings.ToLower(strings.TrimSpace(name))
	if i := slices.Index(names, name); i >= 0 {
		return i
	}
	words := strings.FieldsFunc(name, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	if len(words) < 2 {
		return -1
	}
	if i := slices.Index(names, words[len(words)-1]); i >= 0 {
		return len(names) + i
	}
	return -1
}

// column is what the sample tells about one column.
type column struct {
	name     string
	filled   int // values that are there
	texts    int // strings with a letter that are no numbers
	runes    int // in all values, as text
	visible  int // of them no spaces
	letters  int
	spaced   int // values of several words, or with Han letters
	ints     int
	floats   int // whole numbers included
	bools    int
	strings  int // values that are strings, for JSON
	distinct map[uint64]struct{}
}

// statistics measures the columns of the sample's rows, in the order that
// names give; columns that are not named there follow in the order of their
// names.
func statistics(sample []sampled, names []string) []*column {
	known := make(map[string]*column)
	seed := maphash.MakeSeed()
	for _, s := range sample {
		for name, v := range s.row.values {
			c := known[name]
			if name == "vector" {
				continue
			}
			if c == nil {
				c = &column{name: name, distinct: make(map[uint64]struct{})}
				known[name] = c
			}
			c.count(v, seed)
		}
	}
	columns := make([]*column, 0, len(known))
	for _, name := range names {
		if c := known[name]; c != nil {
			columns = append(columns, c)
			delete(known, name)
		}
	}
	rest := make([]string, 0, len(known))
	for name := range known {
		rest = append(rest, name)
	}
	slices.Sort(rest)
	for _, name := range rest {
		columns = append(columns, known[name])
	}
	return columns
}

func (c *column) count(v any, seed maphash.Seed) {
	text, ok := asText(v)
	if !ok || text == "" {
		return
	}
	c.filled++
	if _, is := v.(string); is {
		c.strings++
	}
	switch typeOf(text) {
	case Integer:
		c.ints++
		c.floats++
	case Float:
		c.floats++
	case Bool:
		c.bools++
	case String:
		c.measure(text)
	}
	c.distinct[maphash.String(seed, text)] = struct{}{}
}

// measure adds a string that is no number.
func (c *column) measure(text string) {
	letters, words, han := 0, 1, false
	for _, r := range text {
		c.runes++
		switch {
		case unicode.IsSpace(r):
			words++
			continue
		case unicode.IsLetter(r), unicode.IsMark(r):
			letters++
			han = han || unicode.Is(unicode.Han, r)
		}
		c.visible++
	}
	c.letters += letters
	if letters > 0 {
		c.texts++
	}
	if words > 1 || han {
		c.spaced++
	}
}

// length is the mean length of a value in runes.
func (c *column) length() float64 { return float64(c.runes) / float64(max(c.filled, 1)) }

// share returns n as a share of the values.
func (c *column) share(n int) float64 { return float64(n) / float64(max(c.filled, 1)) }

// wordy tells whether the values are mostly text rather than numbers, dates or
// codes.
func (c *column) wordy() bool {
	return c.share(c.texts) > 0.5 && 2*c.letters > c.visible
}

// prose tells whether the values read like sentences or titles, by their
// statistics alone: words, long enough, and seldom twice.
func (c *column) prose() bool {
	return c.wordy() && c.share(c.spaced) > 0.6 && c.share(len(c.distinct)) > 0.5 && c.length() >= 8
}

// guessText chooses the columns of text: a title and a body by their names,
// else, or where only a short title was found, the longest column of prose.
func guessText(columns []*column) []string {
	title := best(columns, titleNames)
	body := best(columns, bodyNames)
	if body == nil {
		for _, c := range columns {
			if c != title && c.prose() && (body == nil || c.length() > body.length()) && (title == nil || c.length() > 2*title.length()) {
				body = c
			}
		}
	}
	var chosen []string
	if title != nil {
		chosen = append(chosen, title.name)
	}
	if body != nil {
		chosen = append(chosen, body.name)
	}
	if len(chosen) == 0 {
		chosen = fallback(columns)
	}
	return chosen
}

// best returns the wordy column whose name stands first in names.
func best(columns []*column, names []string) *column {
	var found *column
	place := -1
	for _, c := range columns {
		r := rank(c.name, names)
		if r >= 0 && c.wordy() && (found == nil || r < place) {
			found, place = c, r
		}
	}
	return found
}

// fallback takes the wordy column with most text that is not named like an id,
// if there is any.
func fallback(columns []*column) []string {
	var found *column
	for _, c := range columns {
		if idRank(c.name) < 0 && c.wordy() && (found == nil || c.length()*c.share(len(c.distinct)) > found.length()*found.share(len(found.distinct))) {
			found = c
		}
	}
	if found == nil {
		return nil
	}
	return []string{found.name}
}

// guessID chooses the column of ids: one named so, there in every record and
// never twice; "" when there is none.
func guessID(columns []*column, records int) string {
	var found *column
	place := -1
	for _, c := range columns {
		r := idRank(c.name)
		unique := c.filled == records && len(c.distinct) == records && c.length() <= 200
		if r >= 0 && unique && (found == nil || r < place) {
			found, place = c, r
		}
	}
	if found == nil {
		return ""
	}
	return found.name
}

// idRank is rank for ids; names such as "movieId" and "doc-id" count too.
func idRank(name string) int {
	if r := slices.Index(idNames, strings.ToLower(strings.TrimSpace(name))); r >= 0 {
		return r
	}
	for _, end := range []string{"_id", "-id", " id", "Id", "ID"} {
		if strings.HasSuffix(strings.TrimSpace(name), end) {
			return len(idNames)
		}
	}
	return -1
}

// asText returns a plain value as text; arrays are joined by commas. Objects
// and nulls have none.
func asText(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return strings.TrimSpace(v), true
	case int64:
		return strconv.FormatInt(v, 10), true
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64), true
	case bool:
		return strconv.FormatBool(v), true
	case []any:
		parts := make([]string, 0, len(v))
		for _, e := range v {
			if text, ok := asText(e); ok && text != "" {
				parts = append(parts, text)
			}
		}
		return strings.Join(parts, ", "), true
	}
	return "", false
}

// fieldName is the name of the field that a column becomes: names that a
// document keeps for itself get a "_" behind.
func fieldName(column string) string {
	if core.Reserved(column) {
		return column + "_"
	}
	return column
}
