package main

import (
	"math/rand/v2"
	"strings"
)

// heldOut is the share of the sources that queries come from.
const heldOut = 0.02

// choose returns count different texts for the base and asked others for
// queries, in an order that depends on the sources alone. Fewer come back
// where there are no more. With words, a text has at most as many, and where
// there are too few of those, windows of as many words are added.
func choose(sources []source, count, asked, words int) (base, queries []string) {
	r := rand.New(rand.NewPCG(1, 1))
	sources = append([]source(nil), sources...)
	r.Shuffle(len(sources), func(i, j int) { sources[i], sources[j] = sources[j], sources[i] })
	from := int(heldOut * float64(len(sources)))

	seen := make(map[string]bool)
	kinds := spans
	if words > 0 {
		kinds = append(kinds[:len(kinds):len(kinds)], func(s []string) []string { return windows(s, words) })
	}
	fits := func(text string) bool { return words == 0 || len(strings.Fields(text)) <= words }
	for _, add := range kinds {
		var more []string
		for _, s := range sources[from:] {
			for _, text := range add(s.sentences) {
				if !seen[text] && fits(text) {
					seen[text] = true
					more = append(more, text)
				}
			}
		}
		r.Shuffle(len(more), func(i, j int) { more[i], more[j] = more[j], more[i] })
		base = append(base, more[:min(len(more), count-len(base))]...)
		if len(base) == count {
			break
		}
	}
	r.Shuffle(len(base), func(i, j int) { base[i], base[j] = base[j], base[i] })

	for _, s := range sources[:from] {
		for _, text := range s.sentences {
			if !seen[text] && fits(text) {
				seen[text] = true
				queries = append(queries, text)
			}
		}
	}
	r.Shuffle(len(queries), func(i, j int) { queries[i], queries[j] = queries[j], queries[i] })
	return base, queries[:min(len(queries), asked)]
}

// spans are the kinds of texts that a base is filled from, the best first.
var spans = []func(sentences []string) []string{
	func(s []string) []string { return s },
	func(s []string) []string { return runs(s, 2) },
	func(s []string) (out []string) {
		for _, sentence := range s {
			out = append(out, clauses(sentence)...)
		}
		return out
	},
	func(s []string) []string { return runs(s, 3) },
	func(s []string) (out []string) {
		for _, sentence := range s {
			out = append(out, runs(clauses(sentence), 2)...)
		}
		return out
	},
	func(s []string) []string { return runs(s, 4) },
	func(s []string) []string { return runs(s, 5) },
	func(s []string) []string { return runs(s, 6) },
}

// runs returns each n neighbouring texts as one.
func runs(texts []string, n int) (out []string) {
	for i := 0; i+n <= len(texts); i++ {
		out = append(out, strings.Join(texts[i:i+n], " "))
	}
	return out
}

// windows returns n neighbouring words each, beginning at every third of n.
func windows(sentences []string, n int) (out []string) {
	words := strings.Fields(strings.Join(sentences, " "))
	for i := 0; i+n <= len(words); i += max(n/3, 1) {
		out = append(out, strings.Join(words[i:i+n], " "))
	}
	return out
}
