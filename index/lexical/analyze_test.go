package lexical

import (
	"math/rand/v2"
	"slices"
	"testing"
)

func TestPlainWordsAreReadAsAllOthers(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	const letters = "abcXYZ0189    ingedsthe"
	many := newCounter()
	for range 2_000 {
		text := make([]byte, rng.IntN(40))
		for i := range text {
			text[i] = letters[rng.IntN(len(letters))]
		}
		plain, lengths := count(string(text))
		// A mark that is no word takes the other way.
		general, alike := count(string(text) + " …")
		if !slices.Equal(plain, general) || lengths != alike {
			t.Fatalf("%q: %v, want %v", text, plain, general)
		}
		if again, alike := many.count(string(text)); !slices.Equal(plain, again) || lengths != alike {
			t.Fatalf("%q after others: %v, want %v", text, again, plain)
		}
	}
}
