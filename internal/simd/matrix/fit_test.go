package matrix

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"testing"
)

// weight is a packed weight of an output.
func (m *Matrix) weight(output, i int) int { return int(int8(m.data[m.place(output, i)+i%4])) }

// unevenWeights are those of a few inputs, and all of one sign at the end.
func unevenWeights(t *testing.T, in, out int) []float32 {
	w := normals(newRand(t), in*out)
	for i := range w {
		switch o := i / in; {
		case o%5 == 1 && i%7 != 0:
			w[i] = 0
		case o%5 == 2:
			w[i] = 1
		case o%5 == 3:
			w[i] = -1
		case o%5 == 4:
			w[i] = 0.001
		}
	}
	return w
}

func TestFittedWeightsLeaveRoomAndAreNear(t *testing.T) {
	for _, c := range []productCase{{in: 1, out: 1}, {in: 64, out: 32}, {in: 70, out: 33}, {in: 384, out: 96}, {in: 1536, out: 40}} {
		m := pack(Int8, unevenWeights(t, c.in, c.out), c.in, c.out)
		f := m.fit()
		for o := range c.out {
			total, least, most := 0, 0, 0
			for i := 0; i < m.kind.steps(c.in)*stepBytes; i += 8 {
				for half := 0; half < 4; half += 2 {
					plus, minus := 0, 0
					for _, k := range []int{i + half, i + half + 1, i + half + 4, i + half + 5} {
						w := f.weight(o, k)
						plus, minus, total = plus+max(w, 0), minus+min(w, 0), total+w
						was := float64(m.scale[o]) * float64(m.weight(o, k))
						if off := math.Abs(was - float64(f.scale[o])*float64(w)); off > 0.501*float64(f.scale[o]) {
							t.Fatalf("%v: weight %d of output %d is off by %v steps", c, k, o, off/float64(f.scale[o]))
						}
					}
					least, most = min(least, minus), max(most, plus)
				}
			}
			if most > fittedMost || least < -fittedMost {
				t.Errorf("%v: sums of output %d go from %d to %d", c, o, least, most)
			}
			if f.sum[o] != float32(total) {
				t.Errorf("%v: the sum of output %d is %v, want %d", c, o, f.sum[o], total)
			}
		}
	}
}

// TestFittingIsAsThatInPlainGo compares all that the kernels write, for bytes that
// end before a page that must not be touched.
func TestFittingIsAsThatInPlainGo(t *testing.T) {
	rng := newRand(t)
	for _, n := range []int{tileBytes, 5 * tileBytes} {
		from, to := guardedBytes(t, n), guardedBytes(t, n)
		factors := ofBytes[int16](guardedBytes(t, 2*stepBytes))
		sums, most := ofBytes[int32](guardedBytes(t, stepBytes)), ofBytes[int32](guardedBytes(t, stepBytes))
		for i := range from {
			from[i] = byte(rng.IntN(255) - 127)
			if i%stepBytes < 4 { // the extremes of an output
				from[i] = byte(127 - i/stepBytes%2*254)
			}
		}
		for i := range factors {
			factors[i] = int16(math.MaxInt16 - (i / 4 % 8 * 4000))
		}
		wantTo, wantSums, wantMost := make([]byte, n), make([]int32, tileRows), make([]int32, tileRows)
		greatestSumsGeneric(&from[0], n, &wantMost[0])
		roundAgainGeneric(&wantTo[0], &from[0], n, &factors[0], &wantSums[0])
		eachSet(t, func(t *testing.T) {
			greatestSums(&from[0], n, &most[0])
			roundAgain(&to[0], &from[0], n, &factors[0], &sums[0])
			if !slices.Equal(most, wantMost) || !slices.Equal(sums, wantSums) || !bytes.Equal(to, wantTo) {
				t.Errorf("%d bytes: the greatest sums are %v, want %v; the sums %v, want %v", n, most, wantMost, sums, wantSums)
			}
		})
	}
}

func TestWeightsThatFitStay(t *testing.T) {
	const in, out = 96, 40
	m := pack(Int8, unevenWeights(t, in, out), in, out).fit()
	again := m.fit()
	for o := range out {
		for i := range in {
			if again.weight(o, i) != m.weight(o, i) || again.scale[o] != m.scale[o] {
				t.Fatalf("weight %d of output %d was %d·%v and is %d·%v", i, o, m.weight(o, i), m.scale[o], again.weight(o, i), again.scale[o])
			}
		}
	}
}

// TestFittedSumsDoNotOverflow multiplies the largest rows with the largest
// weights that fit.
func TestFittedSumsDoNotOverflow(t *testing.T) {
	const n, in, out = 9, 1024, 64
	eachSet(t, func(t *testing.T) {
		for _, weights := range [][8]int8{ // of two groups
			{32, 32, 32, 32, 32, 32, 32, 32}, {127, 1, 127, 1}, {0, 1, 1, 0, 127, 0, 0, 127},
			{-32, -32, -32, -32, -32, -32, -32, -32}, {-127, -1, -1, -127}, {0, -1, 0, -127, -127, 0, -1, 0}, {64, 64, -64, -64, -64, -64, 64, 64},
		} {
			m := pack(Int8, make([]float32, in*out), in, out).fit()
			for o := range out {
				m.scale[o] = 1
				for i := range in {
					m.data[m.place(o, i)+i%4] = byte(weights[i%8])
					m.sum[o] += float32(weights[i%8])
				}
			}
			x := make([]float32, n*in)
			for i := range x {
				if i%in > 7 { // one 0 in a row, else 255
					x[i] = 255
				}
			}
			var rows Rows
			rows.Set(Int8, x, n, in)
			got := make([]float32, n*out)
			m.Mul(got, &rows, make([]float32, out), Store)
			for i, v := range got {
				if want := 255 * m.sum[0] / in * (in - 8); v != want {
					t.Fatalf("%v: output %d is %v, want %v", weights, i, v, want)
				}
			}
		}
	})
}

func TestMatricesAreFittedWhereThatIsFaster(t *testing.T) {
	eachSet(t, func(t *testing.T) {
		for name, kind := range kinds {
			m := pack(kind, normals(newRand(t), 64*32), 64, 32)
			fitted := m.Fit()
			if want := kind == Int8 && usesFitted(); fitted.fitted != want || (fitted == m) == want {
				t.Errorf("%s: fitted: %v", name, fitted.fitted)
			}
			if fitted.Fit() != fitted {
				t.Errorf("%s: fitted twice", name)
			}
		}
	})
}

func BenchmarkFit(b *testing.B) {
	for _, in := range []int{384, 1536} {
		b.Run(fmt.Sprint(in), func(b *testing.B) {
			m := pack(Int8, normals(newRand(b), in*384), in, 384)
			for b.Loop() {
				m.fit()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*in*384), "ns/weight")
		})
	}
}
