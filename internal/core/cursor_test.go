package core

import (
	"math/rand/v2"
	"slices"
	"testing"
)

func TestACursorFindsEveryMember(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 1))
	for range 200 {
		set := NewSet()
		span := 1 + rng.IntN(100_000)
		for range rng.IntN(2_000) {
			set.Add(Ord(rng.IntN(span)))
		}
		cursor, bits := set.Cursor(), make([]uint64, 1+rng.IntN(50))
		for first := Ord(0); first < 101_000; first += Ord(64 * (len(bits) + rng.IntN(2)*rng.IntN(20))) {
			found := cursor.Fill(bits, first)
			any := false
			for i := range 64 * len(bits) {
				in := bits[i/64]>>(i%64)&1 == 1
				if any = any || in; in != set.Contains(first+Ord(i)) {
					t.Fatalf("of a set of %d, ordinal %d is reported as %v", set.Len(), int(first)+i, in)
				}
			}
			if found != any {
				t.Fatalf("members from %d on: reported %v, are %v", first, found, any)
			}
		}
		var members []Ord
		for batch := range set.Batches(make([]uint32, 1+rng.IntN(50))) {
			for _, o := range batch {
				members = append(members, Ord(o))
			}
		}
		if want := slices.Collect(set.All()); !slices.Equal(members, want) {
			t.Fatalf("in batches there are %d members of %d", len(members), len(want))
		}
	}
}

func TestACollectorHoldsWhatItWasGiven(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 1))
	for range 50 {
		last := Ord(rng.IntN(200_000))
		c, want := NewCollector(last), NewSet()
		for range rng.IntN(3_000) {
			o := Ord(rng.IntN(int(last) + 1))
			c.Add(o)
			want.Add(o)
		}
		got := c.Set()
		other := want.Clone()
		if other.AndNot(got); other.Len() > 0 || got.Len() != want.Len() {
			t.Fatalf("%d of %d ordinals, %d are missing", got.Len(), want.Len(), other.Len())
		}
		got.Add(last + 1) // it can be changed like any other
		if got.Remove(last + 1); got.Len() != want.Len() {
			t.Fatalf("%d ordinals after a change, want %d", got.Len(), want.Len())
		}
	}
}
