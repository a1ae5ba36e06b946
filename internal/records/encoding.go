package records

import (
	"bufio"
	"bytes"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"

	"github.com/vecdb/vecdb/internal/core"
)

// choice is the encoding of an input.
type choice struct {
	name string
	from encoding.Encoding // nil for UTF-8
	mark int               // bytes of the byte order mark to skip
	note string
}

// chooseEncoding takes the encoding that was told, or guesses it from the
// first bytes.
func chooseEncoding(told string, head []byte) (choice, error) {
	told = strings.ToLower(strings.TrimSpace(told))
	if told == "" || told == "auto" {
		return guessEncoding(head), nil
	}
	enc, err := htmlindex.Get(told)
	if err != nil {
		return choice{}, core.Invalid("", "use auto, utf-8, utf-16le, gb18030, big5, windows-1252 …", "unknown encoding %q", told)
	}
	name, err := htmlindex.Name(enc)
	if err != nil {
		name = told
	}
	c := choice{name: name, from: enc}
	if name == "utf-8" {
		c.from, c.mark = nil, utf8Mark(head)
	}
	return c, nil
}

func utf8Mark(head []byte) int {
	if bytes.HasPrefix(head, []byte("\xef\xbb\xbf")) {
		return 3
	}
	return 0
}

func guessEncoding(head []byte) choice {
	switch {
	case bytes.HasPrefix(head, []byte{0xff, 0xfe}):
		return choice{name: "utf-16le", from: unicode.UTF16(unicode.LittleEndian, unicode.ExpectBOM)}
	case bytes.HasPrefix(head, []byte{0xfe, 0xff}):
		return choice{name: "utf-16be", from: unicode.UTF16(unicode.BigEndian, unicode.ExpectBOM)}
	case looksGB18030(head):
		return choice{name: "gb18030", from: simplifiedchinese.GB18030,
			note: "The input is not UTF-8; it is read as GB18030. Use --encoding if that is wrong."}
	}
	return choice{name: "utf-8", mark: utf8Mark(head)}
}

// looksGB18030 tells whether most lines with non-ASCII bytes are no UTF-8 and
// all of the beginning is GB18030 of the kind that Chinese text has: pairs
// with both bytes from 0xA1 on. Western 8-bit text pairs its high bytes with
// ASCII letters, and a UTF-8 file with a few broken lines stays UTF-8.
func looksGB18030(head []byte) bool {
	if i := bytes.LastIndexByte(head, '\n'); i > 0 && len(head) == peekBytes {
		head = head[:i] // a whole number of lines
	}
	high, valid := 0, 0
	for line := range bytes.Lines(head) {
		if isASCII(line) {
			continue
		}
		high++
		if utf8.Valid(line) {
			valid++
		}
	}
	return high > 0 && 2*valid < high && mostlyHighPairs(head)
}

func isASCII(b []byte) bool {
	for _, c := range b {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

func mostlyHighPairs(b []byte) bool {
	pairs, highPairs := 0, 0
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case c < utf8.RuneSelf:
			continue
		case i+1 == len(b):
			continue // cut by the end of the sample
		case c == 0x80 || c == 0xff || b[i+1] < 0x30 || b[i+1] == 0x7f || b[i+1] == 0xff:
			return false
		case b[i+1] < 0x40: // a sequence of four bytes
			i += 3
			continue
		case b[i+1] >= 0xa1 && c >= 0xa1:
			highPairs++
		}
		pairs++
		i++
	}
	return pairs > 0 && 10*highPairs >= 8*pairs
}

// reader returns the UTF-8 text of r.
func (c choice) reader(r *bufio.Reader) *bufio.Reader {
	if c.from == nil {
		_, _ = r.Discard(c.mark) // the mark has been peeked at
		return r
	}
	return bufio.NewReaderSize(c.from.NewDecoder().Reader(r), peekBytes)
}

// checkText returns an error when a line of the input is not valid in its
// encoding. Decoders of x/text put U+FFFD in the place of what they cannot
// read.
func (in *input) checkText(line []byte) error {
	if in.encoding == "utf-8" {
		if !utf8.Valid(line) {
			return core.Invalid("", "convert the file, or name its encoding: --encoding gb18030, windows-1252 …", "not valid UTF-8")
		}
		return nil
	}
	if bytes.ContainsRune(line, utf8.RuneError) {
		return core.Invalid("", "name another encoding with --encoding", "not valid %s", in.encoding)
	}
	return nil
}
