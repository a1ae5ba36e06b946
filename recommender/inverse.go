package recommender

import (
	"context"
	"errors"
	"math"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/vecdb/vecdb/internal/simd"
)

// panel is how many rows are worked on together, so that they are read from the
// cache and not from memory.
const panel = 64

// errNotPositive tells that a matrix is not positive definite.
var errNotPositive = errors.New("the matrix is not positive definite")

// square is a square matrix, its rows one after the other.
type square struct {
	n    int
	cell []float32
}

func newSquare(n int) *square { return &square{n: n, cell: make([]float32, n*n)} }

func (s *square) row(i int) []float32 { return s.cell[i*s.n : (i+1)*s.n : (i+1)*s.n] }

// invert puts into the lower triangle of s, a symmetric positive definite matrix
// of which the lower triangle is read, that of its inverse, and returns the
// diagonal of the inverse. Above the diagonal nothing of use is left.
//
// It takes three steps of n³/3 multiplications each, all of them inner products
// of rows: the Cholesky factor L goes into the lower triangle, the transpose of
// its inverse into the upper one, and the product of that with itself into the
// lower one again (Golub and Van Loan, Matrix Computations, 4.2). done is told of the
// rows that a step is done with, inverseSteps times as many as there are.
func (s *square) invert(ctx context.Context, workers int, done func(rows int)) ([]float32, error) {
	diagonal, err := s.factor(ctx, workers, done) // of L, later of its inverse
	if err != nil {
		return nil, err
	}
	for i, x := range diagonal {
		diagonal[i] = 1 / x
	}
	s.invertFactor(ctx, workers, diagonal, done)
	out := s.multiplyFactor(ctx, workers, diagonal, done)
	return out, ctx.Err()
}

// inverseSteps is how many steps invert takes.
const inverseSteps = 3

// factor puts L below the diagonal and returns its diagonal.
func (s *square) factor(ctx context.Context, workers int, done func(rows int)) ([]float32, error) {
	diagonal := make([]float32, s.n)
	for first := 0; first < s.n; first += panel {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		last := min(first+panel, s.n)
		for i := first; i < last; i++ {
			row := s.row(i)
			s.factorRow(row, diagonal, first, i)
			pivot := row[i] - simd.Dot(row[:i], row[:i])
			if !(pivot > 0) {
				return nil, errNotPositive
			}
			diagonal[i] = float32(math.Sqrt(float64(pivot)))
		}
		parallel(ctx, workers, s.n-last, func(k int) { s.factorRow(s.row(last+k), diagonal, first, last) })
		done(last - first)
	}
	return diagonal, nil
}

// factorRow computes the numbers first to last of a row of L, those before it
// being there.
func (s *square) factorRow(row, diagonal []float32, first, last int) {
	for j := first; j < last; j++ {
		row[j] = (row[j] - simd.Dot(row[:j], s.row(j)[:j])) / diagonal[j]
	}
}

// invertFactor puts the transpose of the inverse of L above the diagonal, given
// the diagonal of the inverse.
func (s *square) invertFactor(ctx context.Context, workers int, inverse []float32, done func(rows int)) {
	for first := 0; first < s.n; first += panel {
		last := min(first+panel, s.n)
		parallel(ctx, workers, last, func(j int) {
			row := s.row(j)
			for i := max(first, j+1); i < last; i++ {
				l := s.row(i)
				sum := l[j]*inverse[j] + simd.Dot(l[j+1:i], row[j+1:i])
				row[i] = -sum * inverse[i]
			}
		})
		done(last - first)
	}
}

// multiplyFactor puts the product of the inverse of L with itself, transposed
// times plain, below the diagonal and returns its diagonal.
func (s *square) multiplyFactor(ctx context.Context, workers int, inverse []float32, done func(rows int)) []float32 {
	out := make([]float32, s.n)
	for first := 0; first < s.n; first += panel {
		last := min(first+panel, s.n)
		parallel(ctx, workers, last, func(i int) {
			a := s.row(i)
			for j := max(first, i); j < last; j++ {
				b := s.row(j)
				if i == j {
					out[i] = inverse[i]*inverse[i] + simd.Dot(a[i+1:], a[i+1:])
				} else {
					b[i] = a[j]*inverse[j] + simd.Dot(a[j+1:], b[j+1:])
				}
			}
		})
		done(last - first)
	}
	return out
}

// parallel calls fn for 0 to n-1, on several goroutines, a few numbers at a
// time. It ends early with ctx.
func parallel(ctx context.Context, workers, n int, fn func(i int)) {
	const stride = 8
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	workers = min(workers, (n+stride-1)/stride)
	var next atomic.Int64
	run := func() {
		for ctx.Err() == nil {
			from := int(next.Add(stride)) - stride
			if from >= n {
				return
			}
			for i := from; i < min(from+stride, n); i++ {
				fn(i)
			}
		}
	}
	if workers <= 1 {
		run()
		return
	}
	var group sync.WaitGroup
	for range workers {
		group.Go(run)
	}
	group.Wait()
}
