package embedder_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/clipperhouse/uax29/v2/graphemes"

	"github.com/vecdb/vecdb/embedder"
)

// wordSpans takes runs of letters and single other characters for tokens, and
// leaves blanks and combining characters out, as models do.
func wordSpans(text string) (out []embedder.Span) {
	begin := -1
	for i, r := range text {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
		if begin >= 0 && !letter {
			out, begin = append(out, embedder.Span{Start: begin, End: i}), -1
		}
		switch {
		case letter && begin < 0:
			begin = i
		case !letter && !strings.ContainsRune(" \n\t\r\u0301\u200d", r):
			out = append(out, embedder.Span{Start: i, End: i + utf8.RuneLen(r)})
		}
	}
	if begin >= 0 {
		out = append(out, embedder.Span{Start: begin, End: len(text)})
	}
	return out
}

// inside counts the tokens within a passage.
func inside(tokens []embedder.Span, p embedder.Span) (n int) {
	for _, t := range tokens {
		if t.Start >= p.Start && t.End <= p.End {
			n++
		}
	}
	return n
}

func TestPassagesHoldAllTextAndFit(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 1))
	parts := []string{"word", "another", "A", " ", " ", " ", ". ", "! ", "。", "，", "\n", "\n\n", "\r\n", "北", "京", "é", "e\u0301", "👩‍👩‍👧", "👍🏽", "🇩🇪", "\u0301",
		"\u200d", "한국", "ก", "1", ",", ";", "नि"}
	for range 400 {
		var b strings.Builder
		few := parts[:1+rng.IntN(len(parts))]
		for range rng.IntN(400) {
			b.WriteString(few[rng.IntN(len(few))])
		}
		text, budget := b.String(), 2+rng.IntN(40)
		tokens := wordSpans(text)
		boundaries := map[int]bool{0: true}
		longest := 0 // tokens of one grapheme
		at := 0
		for it := graphemes.FromString(text); it.Next(); {
			longest = max(longest, inside(tokens, embedder.Span{Start: at, End: at + len(it.Value())}))
			at += len(it.Value())
			boundaries[at] = true
		}
		passages := embedder.Cut(text, tokens, budget)
		held, last := make([]bool, len(tokens)), embedder.Span{Start: -1}
		for _, p := range passages {
			n := inside(tokens, p)
			if !boundaries[p.Start] || !boundaries[p.End] || p.Start <= last.Start || p.End <= last.End || n == 0 || n > budget && n > longest+budget-1 {
				t.Fatalf("budget %d: passage %d to %d with %d tokens after %v in %q", budget, p.Start, p.End, n, last, text)
			}
			if n > budget && longest < 2 {
				t.Fatalf("a passage has %d tokens, the budget is %d: %q", n, budget, text)
			}
			last = p
			for i, tok := range tokens {
				held[i] = held[i] || tok.Start >= p.Start && tok.End <= p.End
			}
		}
		if i := slices.Index(held, false); i >= 0 {
			t.Fatalf("budget %d: token %d is in no passage of %v: %q", budget, i, passages, text)
		}
	}
}

func TestPassagesEndWithSentences(t *testing.T) {
	for name, sentences := range map[string][]string{
		"english": {"The first sentence has seven words here. ", "A second one follows it right away. ", "Then a third! ", "Is there a fourth one? ", "The fifth, with a comma, is the last but one. ", "The end."},
		"chinese": {"今天天气很好，我们去公园散步。", "公园里有很多人！", "你喜欢花吗？", "他们在湖边钓鱼，一条也没有钓到。", "晚上我们回家吃饭。"},
	} {
		text := strings.Join(sentences, "")
		passages := embedder.Cut(text, wordSpans(text), 32)
		if len(passages) < 2 {
			t.Fatalf("%s: %d passages", name, len(passages))
		}
		for i, p := range passages {
			part := text[p.Start:p.End]
			if !slices.ContainsFunc(sentences, func(s string) bool { return strings.HasSuffix(part, strings.TrimSpace(s)) }) {
				t.Errorf("%s: passage %d does not end with a sentence: %q", name, i, part)
			}
		}
	}
}

func TestPassagesOverlapByWholeSentences(t *testing.T) {
	text := strings.TrimSpace(strings.Repeat("One two three. ", 200))
	passages := embedder.Cut(text, wordSpans(text), 64)
	for i := 1; i < len(passages); i++ {
		before, p := passages[i-1], passages[i]
		if p.Start >= before.End || !strings.HasPrefix(text[p.Start:], "One") {
			t.Errorf("passage %d begins at %d with %.10q, the one before ends at %d", i, p.Start, text[p.Start:], before.End)
		}
		if shared := inside(wordSpans(text), embedder.Span{Start: p.Start, End: before.End}); shared > 8 && i < len(passages)-1 {
			t.Errorf("passage %d shares %d of 64 tokens with the one before", i, shared)
		}
	}
	end := passages[len(passages)-1]
	if n := inside(wordSpans(text), end); n < 24 {
		t.Errorf("the last passage has %d tokens alone", n)
	}
}

func BenchmarkCut(b *testing.B) {
	text := strings.Repeat("The quick brown fox jumps over the lazy dog, and sleeps. ", 20_000)
	tokens := wordSpans(text)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		if len(embedder.Cut(text, tokens, 254)) == 0 {
			b.Fatal("nothing is cut")
		}
	}
}
