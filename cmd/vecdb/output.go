package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/term"
	"golang.org/x/text/width"
)

// plainWidth is how wide output is where there is no terminal to ask.
const plainWidth = 100

// forScripts tells whether JSON is wanted.
func (a *app) forScripts() bool { return a.json || a.jsonl }

// printJSON prints one JSON document, indented with --json and on a line of
// its own with --jsonl.
func (a *app) printJSON(v any) error {
	enc := json.NewEncoder(a.out)
	enc.SetEscapeHTML(false)
	if a.json {
		enc.SetIndent("", "  ")
	}
	return enc.Encode(v)
}

// printAll prints whole with --json, and each item on a line with --jsonl.
func printAll[T any](a *app, whole any, items []T) error {
	if a.json {
		return a.printJSON(whole)
	}
	for _, item := range items {
		if err := a.printJSON(item); err != nil {
			return err
		}
	}
	return nil
}

// tell prints a line for people beside the results; not with --quiet and not
// between JSON.
func (a *app) tell(format string, args ...any) {
	if !a.quiet && !a.forScripts() {
		fmt.Fprintf(a.out, format+"\n", args...)
	}
}

// note prints a line about how the work goes, to standard error.
func (a *app) note(format string, args ...any) {
	if !a.quiet {
		fmt.Fprintf(a.err, format+"\n", args...)
	}
}

// terminal returns the terminal that w is, if it is one.
func terminal(w any) (fd int, ok bool) {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return 0, false
	}
	return int(f.Fd()), true
}

// width returns how many columns results may take.
func (a *app) width() int {
	if n, err := strconv.Atoi(a.getenv("COLUMNS")); err == nil && n >= 40 {
		return n
	}
	if fd, ok := terminal(a.out); ok {
		if n, _, err := term.GetSize(fd); err == nil && n >= 40 {
			return n
		}
	}
	return plainWidth
}

// style colours text, or leaves it as it is.
type style bool

// styleOf colours what goes to a terminal, unless NO_COLOR is set
// (no-color.org) or the terminal is dumb.
func (a *app) styleOf(w io.Writer) style {
	_, tty := terminal(w)
	return style(tty && a.getenv("NO_COLOR") == "" && a.getenv("TERM") != "dumb")
}

func (a *app) outStyle() style { return a.styleOf(a.out) }

func (a *app) errStyle() style { return a.styleOf(a.err) }

func (s style) paint(code, text string) string {
	if !s || text == "" {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

func (s style) bold(text string) string { return s.paint("1", text) }
func (s style) dim(text string) string  { return s.paint("2", text) }
func (s style) good(text string) string { return s.paint("32", text) }
func (s style) warn(text string) string { return s.paint("33", text) }
func (s style) bad(text string) string  { return s.paint("31", text) }
func (s style) bar(text string) string  { return s.paint("36", text) }

// runeWidth is the number of columns that r takes in a terminal.
func runeWidth(r rune) int {
	if unicode.Is(unicode.Mn, r) || unicode.Is(unicode.Me, r) || unicode.Is(unicode.Cf, r) {
		return 0
	}
	switch width.LookupRune(r).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return 2
	}
	return 1
}

// textWidth is the number of columns that text takes.
func textWidth(text string) int {
	n := 0
	for _, r := range text {
		n += runeWidth(r)
	}
	return n
}

// oneLine makes text fit one line of limit columns: runs of white space become
// a space, control characters vanish, so that a document cannot steer the
// terminal, and what is too long ends with "…".
func oneLine(text string, limit int) string {
	var b strings.Builder
	used, cut, end := 0, 0, false
	space := false
	for _, r := range text {
		if unicode.IsSpace(r) {
			space = b.Len() > 0
			continue
		}
		if unicode.IsControl(r) {
			continue
		}
		if space {
			b.WriteByte(' ')
			used++
			space = false
		}
		if used <= limit-1 {
			cut = b.Len()
		}
		b.WriteRune(r)
		if used += runeWidth(r); used > limit {
			end = true
			break
		}
	}
	if !end {
		return b.String()
	}
	return strings.TrimRight(b.String()[:cut], " ") + "…"
}

// bar draws a share of width columns in eighths.
func bar(share float64, width int) string {
	share = min(max(share, 0), 1)
	eighths := int(share*float64(8*width) + 0.5)
	full := strings.Repeat("█", eighths/8)
	if rest := eighths % 8; rest > 0 {
		full += string([]rune(" ▏▎▍▌▋▊▉")[rest])
	}
	return full
}

// count writes a number with separators of thousands.
func count(n int) string {
	digits := strconv.Itoa(n)
	var b strings.Builder
	for i, d := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 && digits[i-1] != '-' {
			b.WriteByte(',')
		}
		b.WriteRune(d)
	}
	return b.String()
}

// bytesText writes a size for people.
func bytesText(n int64) string {
	switch {
	case n >= 1<<30:
		return fmt.Sprintf("%.1f GiB", float64(n)/(1<<30))
	case n >= 1<<20:
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	case n >= 1<<10:
		return fmt.Sprintf("%.1f KiB", float64(n)/(1<<10))
	}
	return fmt.Sprintf("%d B", n)
}
