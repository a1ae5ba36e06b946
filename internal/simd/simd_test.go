package simd

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// reference computes in 64 bits.
func reference(x, y []float32) (dot, l2, scale float64) {
	for i := range x {
		a, b := float64(x[i]), float64(y[i])
		dot += a * b
		l2 += (a - b) * (a - b)
		scale += math.Abs(a*b) + a*a + b*b
	}
	return dot, l2, scale
}

func TestEveryKernelAgreesWithTheReference(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, k := range available() {
		t.Run(k.name, func(t *testing.T) {
			for n := range 260 {
				x, y := guarded(t, n), guarded(t, n)
				for i := range x {
					x[i], y[i] = float32(rng.NormFloat64()), float32(rng.NormFloat64())
				}
				dot, l2, scale := reference(x, y)
				bound := 1e-6*scale + 1e-9
				if got := float64(k.dot(x, y)); math.Abs(got-dot) > bound {
					t.Errorf("dot of %d floats is %v, want %v", n, got, dot)
				}
				if got := float64(k.l2(x, y)); math.Abs(got-l2) > bound {
					t.Errorf("l2 of %d floats is %v, want %v", n, got, l2)
				}
			}
		})
	}
}

func TestManyIsOneAfterTheOther(t *testing.T) {
	const dim, n = 19, 7
	rng := rand.New(rand.NewPCG(3, 4))
	q, base := make([]float32, dim), make([]float32, dim*n)
	for i := range q {
		q[i] = rng.Float32()
	}
	for i := range base {
		base[i] = rng.Float32()
	}
	dots, l2s := make([]float32, n), make([]float32, n)
	DotMany(q, base, dots)
	SquaredL2Many(q, base, l2s)
	for i := range n {
		v := base[i*dim : (i+1)*dim]
		if dots[i] != Dot(q, v) || l2s[i] != SquaredL2(q, v) {
			t.Errorf("vector %d: many gives %v and %v, one gives %v and %v", i, dots[i], l2s[i], Dot(q, v), SquaredL2(q, v))
		}
	}
}

func TestUnequalLengthsPanic(t *testing.T) {
	for name, call := range map[string]func(){
		"dot":  func() { Dot(make([]float32, 3), make([]float32, 4)) },
		"l2":   func() { SquaredL2(make([]float32, 4), make([]float32, 3)) },
		"many": func() { DotMany(make([]float32, 4), make([]float32, 7), make([]float32, 2)) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s with unequal lengths did not panic", name)
				}
			}()
			call()
		}()
	}
}

func TestChoiceByName(t *testing.T) {
	for _, k := range available() {
		if got := choose(k.name).name; got != k.name {
			t.Errorf("choose(%q) gives %s", k.name, got)
		}
	}
	if got, want := choose("no such set").name, available()[0].name; got != want {
		t.Errorf("an unknown name gives %s, want the fastest, %s", got, want)
	}
}

func BenchmarkDot(b *testing.B) {
	for _, k := range available() {
		benchmark(b, k.name, k.dot)
	}
}

func BenchmarkSquaredL2(b *testing.B) {
	for _, k := range available() {
		benchmark(b, k.name, k.l2)
	}
}

func benchmark(b *testing.B, name string, kernel func(x, y []float32) float32) {
	for _, n := range []int{100, 128, 384, 768} {
		b.Run(fmt.Sprintf("%s/%d", name, n), func(b *testing.B) {
			x, y := make([]float32, n), make([]float32, n)
			for b.Loop() {
				kernel(x, y)
			}
		})
	}
}
