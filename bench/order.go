package bench

import "slices"

// takingTurns returns the order in which n operations are asked in a turn, so
// that each follows each other one equally often: once within n turns, twice within
// 2n where n is odd (Williams, "Experimental designs balanced for the estimation of
// residual effects of treatments", 1949). Each leads once within n turns.
func takingTurns(turn, n int) []int {
	order := make([]int, n)
	for i := range order {
		// 0, n-1, 1, n-2, …: the steps between them are all different.
		step := i / 2
		if i%2 == 1 {
			step = n - 1 - i/2
		}
		order[i] = (step + turn) % n
	}
	if n%2 == 1 && turn/n%2 == 1 {
		slices.Reverse(order)
	}
	return order
}
