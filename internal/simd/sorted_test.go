package simd

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestInsertSorted(t *testing.T) {
	eachSet(t, func(t *testing.T) {
		rng := newRand()
		for n := range 70 {
			for range 50 {
				keys := ofBytes[uint64](aligned(8 * (n + 2)))
				for i := range keys[:n] {
					keys[i] = rng.Uint64() >> (rng.IntN(2) * 60) // some are equal
				}
				keys[n], keys[n+1] = 7, 99
				slices.Sort(keys[:n])
				k := []uint64{rng.Uint64(), rng.Uint64() >> 60, 0, math.MaxUint64}[rng.IntN(4)]
				want := slices.Clone(keys[:n])
				at := 0
				for at < n && want[at] <= k {
					at++
				}
				want = append(want, 0)
				if got := insertSortedGeneric(&want[0], n, k); got != at {
					t.Fatalf("the generic twin puts %d at %d, want %d", k, got, at)
				}
				if got := InsertSorted(&keys[0], n, k); got != at || !slices.Equal(keys[:n+1], want) {
					t.Fatalf("%d into %d keys: place %d, want %d\n%v\n%v", k, n, got, at, keys[:n+1], want)
				}
				if keys[n+1] != 99 {
					t.Fatalf("inserting into %d keys wrote behind them", n)
				}
			}
		}
	})
}

func BenchmarkInsertSorted(b *testing.B) {
	eachSet(b, func(b *testing.B) {
		rng := rand.New(rand.NewPCG(1, 2))
		keys, ks := make([]uint64, 65), make([]uint64, 1024)
		for i := range ks {
			ks[i] = rng.Uint64()
		}
		for i := range 64 {
			keys[i] = uint64(i) << 58
		}
		for i := 0; b.Loop(); i++ {
			InsertSorted(&keys[0], 63, ks[i%1024])
			if i%64 == 0 {
				for i := range 64 {
					keys[i] = uint64(i) << 58
				}
			}
		}
	})
}
