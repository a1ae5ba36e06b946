package lexical

import (
	"context"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

// TestWeightFindsEveryTerm compares the weight of texts with the terms of the
// query that analysis finds in them.
func TestWeightFindsEveryTerm(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 1))
	words := strings.Fields("dying lying tying dies lies ties skis sky skies idly gently ugly early only singly by bye cry cries y yes a I running ran runs relational " +
		"generously communism arsenic inning outing canning herring earring proceed exceed succeed 北京 大学 café naïve O'Neill it's 1999 x")
	x := New()
	if err := x.Insert(context.Background(), []Item{{Ord: 0, Text: strings.Join(words, " ")}}); err != nil {
		t.Fatal(err)
	}
	some := func(n int) string {
		var out []string
		for range n {
			out = append(out, words[rng.IntN(len(words))])
		}
		return strings.Join(out, " ")
	}
	for range 500 {
		q, text := x.Prepare(some(1+rng.IntN(5))), some(rng.IntN(12))
		want, seen := 0.0, make(map[string]bool)
		analyze(text, func(term string) {
			for _, l := range q.lists {
				if l.term == term && !seen[term] {
					seen[term] = true
					want += l.weight
				}
			}
		})
		if have := q.Weight(text); math.Abs(have-want) > 1e-9 {
			t.Fatalf("%q weighs %v, its terms %v: %v", text, have, want, seen)
		}
	}
}

func BenchmarkWeight(b *testing.B) {
	x := New()
	text := strings.Repeat("An experimental investigation of the aerodynamics of a wing in a slipstream was made, including the spanwise distribution of lift. ", 80)
	if err := x.Insert(context.Background(), []Item{{Ord: 0, Text: text}}); err != nil {
		b.Fatal(err)
	}
	q := x.Prepare("what similarity laws must be obeyed when constructing aeroelastic models of a wing")
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		q.Weight(text)
	}
}
