package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
)

// source is one text, by its sentences in their order.
type source struct{ sentences []string }

// shortest is the length of the shortest text that is taken; shorter ones are
// mostly headings.
const shortest = 12

// fileSources reads files of one text a line.
func fileSources(paths []string) (out []source, err error) {
	for _, path := range paths {
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		lines := bufio.NewScanner(f)
		lines.Buffer(nil, 1<<24)
		for lines.Scan() {
			out = append(out, source{split(lines.Text())})
		}
		if err := errors.Join(lines.Err(), f.Close()); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	return out, nil
}

// aptHelper unpacks the lists of apt whatever their compression.
const aptHelper = "/usr/lib/apt/apt-helper"

// packageSources reads the long descriptions of all packages that apt knows.
func packageSources(ctx context.Context) ([]source, error) {
	names, err := exec.CommandContext(ctx, "apt-get", "indextargets", "-o", "Acquire::Languages=en",
		"--format", "$(FILENAME)", "Created-By: Translations").Output()
	if err != nil {
		return nil, fmt.Errorf("ask apt for its lists: %w; give files with -text instead", err)
	}
	var out []source
	for name := range strings.FieldsSeq(string(names)) {
		list, err := exec.CommandContext(ctx, aptHelper, "cat-file", name).Output()
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", name, err)
		}
		for record := range strings.SplitSeq(string(list), "\n\n") {
			if s := describe(record); len(s.sentences) > 0 {
				out = append(out, s)
			}
		}
	}
	if len(out) == 0 {
		return nil, errors.New("apt has no descriptions; run apt-get -o Acquire::Languages=en update, or give files with -text")
	}
	return out, nil
}

var item = regexp.MustCompile(`^[*\-o] `)

// describe takes the sentences of the description in a record of a list. Its
// first line is a title; lines of one dot divide paragraphs, and items of a
// list count as paragraphs.
func describe(record string) (s source) {
	_, text, found := strings.Cut("\n"+record, "\nDescription-en: ")
	if !found {
		return s
	}
	var paragraph []string
	end := func() {
		s.sentences = append(s.sentences, split(strings.Join(paragraph, " "))...)
		paragraph = nil
	}
	title := true
	for line := range strings.Lines(text) {
		if !title && !strings.HasPrefix(line, " ") {
			break // the next field
		}
		line = strings.TrimSpace(line)
		switch {
		case title, line == ".":
			if title {
				paragraph, title = []string{line}, false
			}
			end()
		case item.MatchString(line):
			end()
			paragraph = []string{line[2:]}
		default:
			paragraph = append(paragraph, line)
		}
	}
	end()
	return s
}

var (
	sentenceEnd = regexp.MustCompile(`[.!?]\s+[A-Z]`)
	clauseEnd   = regexp.MustCompile(`[,;:()]| - `)
)

// split cuts a paragraph into sentences.
func split(paragraph string) (out []string) {
	for {
		at := sentenceEnd.FindStringIndex(paragraph)
		if at == nil {
			return keep(out, paragraph)
		}
		out = keep(out, paragraph[:at[0]+1])
		paragraph = paragraph[at[1]-1:]
	}
}

// clauses cuts a sentence at its marks.
func clauses(sentence string) (out []string) {
	for _, c := range clauseEnd.Split(sentence, -1) {
		out = keep(out, c)
	}
	return out
}

func keep(list []string, text string) []string {
	if text = strings.TrimSpace(text); len(text) < shortest {
		return list
	}
	return append(list, text)
}
