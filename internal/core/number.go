package core

import (
	"cmp"
	"math"
)

// CompareNumbers orders two numbers, each an int64 or a float64 that is not
// NaN, exactly: where converting an int64 to float64 would round it too.
func CompareNumbers(a, b any) int {
	i, whole := a.(int64)
	j, alsoWhole := b.(int64)
	switch {
	case whole && alsoWhole:
		return cmp.Compare(i, j)
	case whole:
		return compareIntFloat(i, b.(float64))
	case alsoWhole:
		return -compareIntFloat(j, a.(float64))
	}
	return cmp.Compare(a.(float64), b.(float64))
}

func compareIntFloat(i int64, f float64) int {
	floor := math.Floor(f)
	switch {
	case f >= 1<<63:
		return -1
	case f < -(1 << 63):
		return 1
	case i < int64(floor):
		return -1
	case i > int64(floor):
		return 1
	}
	return cmp.Compare(floor, f) // equal, or less by a fraction
}
