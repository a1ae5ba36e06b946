package lexical

import (
	"context"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/vecdb/vecdb/index"
	"github.com/vecdb/vecdb/internal/core"
)

// shadow is the plain and slow twin of an Index.
type shadow map[core.Ord]string

// search scores every document by the formula.
func (s shadow) search(query string, o index.Options) []index.Neighbor {
	tf := make(map[core.Ord]map[string]int)
	lengths := make(map[core.Ord]int)
	df := make(map[string]int)
	n, total := 0.0, 0.0
	for ord, text := range s {
		counts := make(map[string]int)
		analyze(text, func(term string) { counts[term]++; lengths[ord]++ })
		for term := range counts {
			df[term]++
		}
		if lengths[ord] > 0 {
			n, total = n+1, total+float64(lengths[ord])
		}
		tf[ord] = counts
	}
	top := index.Top{K: o.K}
	for ord := range s {
		if o.Allow != nil && !o.Allow.Contains(ord) {
			continue
		}
		sum := 0.0
		analyze(query, func(term string) {
			f := float64(tf[ord][term])
			if f == 0 {
				return
			}
			idf := math.Log(1 + (n-float64(df[term])+0.5)/(float64(df[term])+0.5))
			sum += idf * f * (k1 + 1) / (f + k1*(1-b+b*float64(lengths[ord])/(total/n)))
		})
		if sum > 0 {
			top.Offer(index.Neighbor{Ord: ord, Score: float32(sum)})
		}
	}
	return top.Sorted()
}

// sample returns words that are few and unevenly frequent, so that lists get long and ties happen.
func sample(rng *rand.Rand, n int) string {
	list := make([]string, n)
	for i := range list {
		w := int(math.Exp(rng.Float64() * 5))
		if list[i] = fmt.Sprintf("w%d", w); w%7 == 0 {
			list[i] = string(rune('中'+w)) + string(rune('文'+w%3))
		}
	}
	return strings.Join(list, " ")
}

func seeded(t *testing.T) *rand.Rand {
	t.Helper()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	return rand.New(rand.NewPCG(seed, 1))
}

// same compares answers but for the order of scores that are equal up to
// rounding.
func same(t *testing.T, got, want []index.Neighbor) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d hits, want %d", len(got), len(want))
	}
	for i := range got {
		if math.Abs(float64(got[i].Score-want[i].Score)) > 1e-5 {
			t.Fatalf("hit %d is %v, want %v", i, got[i], want[i])
		}
		if got[i].Ord != want[i].Ord && !slices.ContainsFunc(want, func(n index.Neighbor) bool {
			return n.Ord == got[i].Ord && math.Abs(float64(n.Score-got[i].Score)) < 1e-5
		}) && got[i].Score > want[len(want)-1].Score+1e-5 {
			t.Fatalf("hit %d is %v, want %v", i, got[i], want[i])
		}
	}
}

func TestAnswersAreThoseOfTheFormula(t *testing.T) {
	rng := seeded(t)
	x, s := New(), shadow{}
	next := core.Ord(0)
	gap := 1 + rng.IntN(30) // with small ones the postings of frequent words are many a page
	for round := range 12 {
		var items []Item
		for range 1 + rng.IntN(600) {
			next += core.Ord(1 + rng.IntN(gap))
			words := rng.IntN(40)
			if rng.IntN(50) == 0 {
				words = 200 + rng.IntN(200) // more than what postings keep of a length
			}
			items = append(items, Item{Ord: next, Text: sample(rng, words)})
		}
		if round%3 == 2 { // out of order, and twice
			items = append(items, items[len(items)/2])
			items[len(items)-1].Text = "w2 replaced"
			rng.Shuffle(len(items)-1, func(i, j int) { items[i], items[j] = items[j], items[i] })
		}
		for _, it := range items {
			s[it.Ord] = it.Text
		}
		if err := x.Insert(context.Background(), items); err != nil {
			t.Fatal(err)
		}
		share := rng.Float64()
		for ord := range s {
			if rng.Float64() < share/2 {
				x.Delete(ord)
				delete(s, ord)
			}
		}
		compare(t, rng, x, s)
	}
}

func compare(t *testing.T, rng *rand.Rand, x *Index, s shadow) {
	t.Helper()
	for i := range 12 {
		o := index.Options{K: 1 + rng.IntN(30)}
		if i%2 == 1 {
			o.Allow = core.NewSet()
			share := math.Pow(10, -3*rng.Float64())
			for ord := range s {
				if rng.Float64() < share {
					o.Allow.Add(ord)
				}
			}
		}
		text := sample(rng, 1+rng.IntN(8))
		q := x.Prepare(text)
		got, err := q.Search(context.Background(), o)
		if err != nil {
			t.Fatal(err)
		}
		want := s.search(text, o)
		same(t, got, want)
		known := s.some(rng, o.Allow, want)
		again, scores, err := q.SearchKnowing(context.Background(), o, known)
		if err != nil || !slices.Equal(scores, q.Scores(known)) {
			t.Fatalf("%q: %v score %v, %v", text, known, scores, err)
		}
		same(t, again, want)
		if i%4 == 0 && !scoresOf(q, s, s.search(text, index.Options{K: 1 + len(s)})) {
			t.Fatalf("%q: the scores of all documents are not those of a search for all", text)
		}
		for _, h := range got {
			sum := 0.0
			for _, m := range q.Explain(h.Ord) {
				sum += float64(m.Score)
			}
			if math.Abs(sum-float64(h.Score)) > 1e-5 || sum > q.Bound()*1.00001 {
				t.Fatalf("%v is explained as %v of %v", h, sum, q.Bound())
			}
		}
	}
}

// some returns a few of the allowed documents and of those found, rising.
func (s shadow) some(rng *rand.Rand, allow *core.Set, found []index.Neighbor) (ords []core.Ord) {
	share := rng.Float64()
	for _, ord := range slices.Sorted(maps.Keys(s)) {
		if (allow == nil || allow.Contains(ord)) && rng.Float64() < share/8 {
			ords = append(ords, ord)
		}
	}
	for _, n := range found {
		if rng.Float64() < share {
			ords = append(ords, n.Ord)
		}
	}
	slices.Sort(ords)
	return slices.Compact(ords)
}

// scoresOf reports whether the query scores each document as it is in the list,
// those that are not in it with 0.
func scoresOf(q *Query, s shadow, list []index.Neighbor) bool {
	want := make(map[core.Ord]float32)
	for _, n := range list {
		want[n.Ord] = n.Score
	}
	ords := append(slices.Sorted(maps.Keys(s)), core.NoOrd-1) // which is not there
	for i, score := range q.Scores(ords) {
		if math.Abs(float64(score-want[ords[i]])) > 1e-5 {
			return false
		}
	}
	return true
}

func TestAnEmptiedIndexHoldsNothing(t *testing.T) {
	rng := seeded(t)
	x := New()
	empty := x.SizeBytes()
	for round := range 4 {
		var items []Item
		for i := range 500 {
			items = append(items, Item{Ord: core.Ord(round*5000 + i), Text: sample(rng, 20)})
		}
		if err := x.Insert(context.Background(), items); err != nil {
			t.Fatal(err)
		}
		for _, it := range items {
			x.Delete(it.Ord)
		}
	}
	if x.Len() != 0 || len(x.dict) != 0 || x.tokens.Load() != 0 {
		t.Errorf("%d documents, %d terms, %d tokens are left", x.Len(), len(x.dict), x.tokens.Load())
	}
	if left := x.SizeBytes() - empty; left > 200 {
		t.Errorf("%d bytes are left", left) // the list of pages
	}
}

func TestAPageThatBeginsAgainHidesWhatItHeld(t *testing.T) {
	ctx, x := context.Background(), New()
	var items []Item
	for i := range core.Ord(10) {
		items = append(items, Item{Ord: 2 * i, Text: "word"})
	}
	for i := range core.Ord(200) { // so many that postings of those deleted stay
		items = append(items, Item{Ord: pageLen + i, Text: "word"})
	}
	if err := x.Insert(ctx, items); err != nil {
		t.Fatal(err)
	}
	for i := range core.Ord(10) {
		x.Delete(2 * i)
	}
	// In the same page, and in one for which the list of pages grows.
	if err := x.Insert(ctx, []Item{{Ord: 5, Text: "word"}, {Ord: 9 * pageLen, Text: "word"}}); err != nil {
		t.Fatal(err)
	}
	found, scores, err := x.Prepare("word").SearchKnowing(ctx, index.Options{K: 300}, []core.Ord{4, 5})
	if err != nil || len(found) != 202 || found[0].Ord != 5 {
		t.Fatalf("%d documents and error %v; want 202 from number 5 on", len(found), err)
	}
	if scores[0] != 0 || scores[1] == 0 {
		t.Errorf("a deleted document and one that is there score %v", scores)
	}
}
