package recommender

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestTheStrongestAreThoseOfSortingAll(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 1))
	for range 300 {
		list := make([]float32, rng.IntN(400))
		for i := range list {
			list[i] = float32(rng.NormFloat64())
			if rng.IntN(3) == 0 {
				list[i] = float32(rng.IntN(5) - 2) // equal ones
			}
		}
		want := make([]uint32, len(list))
		for i := range want {
			want[i] = uint32(i)
		}
		slices.SortStableFunc(want, func(a, b uint32) int { return cmp.Compare(list[b], list[a]) })
		n := 1 + rng.IntN(50)
		want = want[:min(n, len(want))]
		if got := strongest(list, n); !slices.Equal(got, want) {
			t.Fatalf("of %v\ngot  %v\nwant %v", list, got, want)
		}
	}
}
