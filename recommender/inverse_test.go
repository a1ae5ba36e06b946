package recommender

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"testing"
)

func TestInvertTimesMatrixIsOne(t *testing.T) {
	for _, n := range []int{1, 2, 7, 63, 64, 65, 150, 257} {
		rng := rand.New(rand.NewPCG(uint64(n), 1))
		half := make([]float64, n*n)
		for i := range half {
			half[i] = rng.NormFloat64()
		}
		a := make([]float64, n*n)
		s := newSquare(n)
		for i := range n {
			for j := range n {
				for k := range n {
					a[i*n+j] += half[i*n+k] * half[j*n+k]
				}
				if i == j {
					a[i*n+j] += float64(n)
				}
				if j <= i {
					s.row(i)[j] = float32(a[i*n+j])
				} else {
					s.row(i)[j] = float32(math.NaN()) // not to be read
				}
			}
		}
		told := 0
		diagonal, err := s.invert(context.Background(), 3, func(rows int) { told += rows })
		if err != nil {
			t.Fatal(err)
		}
		if told != inverseSteps*n {
			t.Errorf("of %d rows %d are told", n, told)
		}
		inverse := func(i, j int) float64 {
			if i == j {
				return float64(diagonal[i])
			}
			return float64(s.row(max(i, j))[min(i, j)])
		}
		for i := range n {
			for j := range n {
				sum, want := 0.0, 0.0
				for k := range n {
					sum += a[i*n+k] * inverse(k, j)
				}
				if i == j {
					want = 1
				}
				if math.Abs(sum-want) > 1e-3 {
					t.Fatalf("n %d: row %d, column %d of the product is %v", n, i, j, sum)
				}
			}
		}
	}
}

func TestInvertRefusesWhatHasNoRoot(t *testing.T) {
	s := newSquare(2)
	copy(s.cell, []float32{1, 0, 2, 1})
	if _, err := s.invert(context.Background(), 1, func(int) {}); !errors.Is(err, errNotPositive) {
		t.Errorf("got %v", err)
	}
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := newSquare(3).invert(cancelled, 1, func(int) {}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
