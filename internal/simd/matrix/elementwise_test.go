package matrix

import (
	"math"
	"slices"
	"testing"
)

func TestLayerNormAgainstItsDefinition(t *testing.T) {
	rng := newRand(t)
	for _, width := range []int{1, 2, 15, 16, 17, 384, 400, 768} {
		x, gain, bias := normals(rng, 3*width), normals(rng, width), normals(rng, width)
		for i := range x {
			x[i] = 3*x[i] + 5
		}
		got := slices.Clone(x)
		LayerNorm(got, gain, bias, 1e-5)
		for i := range x {
			row := x[i/width*width:][:width]
			var mean, variance float64
			for _, v := range row {
				mean += float64(v) / float64(width)
			}
			for _, v := range row {
				variance += (float64(v) - mean) * (float64(v) - mean) / float64(width)
			}
			c := i % width
			want := (float64(x[i])-mean)/math.Sqrt(variance+1e-5)*float64(gain[c]) + float64(bias[c])
			if math.Abs(float64(got[i])-want) > 2e-5*(1+math.Abs(want)) {
				t.Fatalf("width %d: number %d is %v, want %v", width, i, got[i], want)
			}
		}
	}
}

func TestSumOfThree(t *testing.T) {
	rng := newRand(t)
	for n := range 70 {
		a, b, c, dst := normals(rng, n), normals(rng, n), normals(rng, n), make([]float32, n)
		Sum(dst, a, b, c)
		for i := range dst {
			if dst[i] != a[i]+b[i]+c[i] {
				t.Fatalf("%d numbers: the sum at %d is %v", n, i, dst[i])
			}
		}
	}
}

func TestPooledRowsHaveTheirMeanAndLengthOne(t *testing.T) {
	dst := make([]float32, 2)
	MeanPool(dst, []float32{1, 2, 3, 4, 5, 12})
	if !slices.Equal(dst, []float32{3, 6}) {
		t.Errorf("the mean is %v", dst)
	}
	Normalize(dst)
	if math.Abs(float64(dst[1]/dst[0])-2) > 1e-6 || math.Abs(math.Hypot(float64(dst[0]), float64(dst[1]))-1) > 1e-6 {
		t.Errorf("normalized: %v", dst)
	}
	zeros := make([]float32, 3)
	Normalize(zeros)
	if !slices.Equal(zeros, make([]float32, 3)) {
		t.Errorf("zeros became %v", zeros)
	}
}
