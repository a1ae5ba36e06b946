package bench_test

import (
	"testing"

	"github.com/vecdb/vecdb/bench"
)

func TestEachOperationFollowsEachOtherEquallyOften(t *testing.T) {
	for n := 1; n <= 25; n++ {
		turns, times := n, 1
		if n%2 == 1 {
			turns, times = 2*n, 2
		}
		for _, begin := range []int{0, turns, 7 * turns} {
			follows, leads := make(map[[2]int]int), make(map[int]int)
			for turn := begin; turn < begin+turns; turn++ {
				order := bench.TakingTurns(turn, n)
				leads[order[0]]++
				for i := 1; i < n; i++ {
					follows[[2]int{order[i-1], order[i]}]++
				}
			}
			for a := range n {
				if leads[a] != times {
					t.Fatalf("%d operations: %d leads %d times, not %d", n, a, leads[a], times)
				}
				for b := range n {
					if got := follows[[2]int{a, b}]; a != b && got != times || a == b && got != 0 {
						t.Fatalf("%d operations: %d follows %d %d times, not %d", n, b, a, got, times)
					}
				}
			}
		}
	}
}
