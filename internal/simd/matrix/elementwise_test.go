package matrix

import (
	"math"
	"slices"
	"testing"
)

func TestLayerNormAgainstItsDefinition(t *testing.T) {
	eachSet(t, func(t *testing.T) {
		rng := newRand(t)
		for _, width := range []int{1, 2, 15, 16, 17, 384, 400, 768} {
			x, gain, bias := normals(rng, 3*width), guarded(t, width), guarded(t, width)
			copy(gain, normals(rng, width))
			copy(bias, normals(rng, width))
			for i := range x {
				x[i] = 3*x[i] + 5
			}
			got := guarded(t, len(x))
			copy(got, x)
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
	})
}

func TestSumOfThree(t *testing.T) {
	eachSet(t, func(t *testing.T) {
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
	})
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

func TestRowsOfEachKindAreThoseOfGeneric(t *testing.T) {
	eachSet(t, func(t *testing.T) {
		rng := newRand(t)
		for _, width := range []int{1, 31, 32, 33, 63, 64, 65, 96, 128, 384, 1536} {
			x := guarded(t, width)
			copy(x, normals(rng, width))
			for name, kind := range kinds {
				var got, want Rows
				got.Set(kind, x, 1, width)
				withGeneric(func() { want.Set(kind, x, 1, width) })
				row := func(r *Rows) (b []byte) {
					for s := range kind.steps(width) {
						b = append(b, r.data[s*tileBytes:][:stepBytes]...)
					}
					return b
				}
				if !slices.Equal(row(&got), row(&want)) || !slices.Equal(got.scale, want.scale) || !slices.Equal(got.low, want.low) {
					t.Errorf("%s: a row of %d differs", name, width)
				}
			}
		}
	})
}

func BenchmarkRows(b *testing.B) {
	eachSet(b, func(b *testing.B) {
		rng := newRand(b)
		const n, width = 64, 384
		x, gain, bias := normals(rng, n*width), normals(rng, width), normals(rng, width)
		perRow := func(b *testing.B) {
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/row")
		}
		for name, kind := range kinds {
			b.Run("set "+name, func(b *testing.B) {
				var r Rows
				for b.Loop() {
					r.Set(kind, x, n, width)
				}
				perRow(b)
			})
		}
		b.Run("layer norm", func(b *testing.B) {
			for b.Loop() {
				LayerNorm(x, gain, bias, 1e-12)
			}
			perRow(b)
		})
	})
}
