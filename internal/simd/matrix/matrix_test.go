package matrix

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// newRand prints the seed of a test with the test's name where it fails.
func newRand(t testing.TB) *rand.Rand {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	return rand.New(rand.NewPCG(seed, 1))
}

func normals(rng *rand.Rand, n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(rng.NormFloat64())
	}
	return x
}

// pack packs w, out rows of in numbers.
func pack(kind Kind, w []float32, in, out int) *Matrix {
	return Pack(kind, in, out, func(o int, to []float32) { copy(to, w[o*in:]) })
}

// errorBound is how far a product of sums of `in` numbers about 1 in size may be
// from the exact one, when both sides are kept as kind.
func errorBound(kind Kind, in int) float64 {
	if kind == Int8 { // Half a step of about 1/30 on either side, adding up at random.
		return 0.12 * math.Sqrt(float64(in)+8)
	}
	return 0.03 * math.Sqrt(float64(in)+8)
}

var kinds = map[string]Kind{"int8": Int8, "bfloat16": BFloat16}

func TestProductIsNearTheExactOne(t *testing.T) {
	eachSet(t, func(t *testing.T) {
		for name, kind := range kinds {
			for _, size := range [][3]int{{1, 1, 1}, {2, 64, 32}, {33, 100, 50}, {65, 384, 40}} {
				n, in, out := size[0], size[1], size[2]
				t.Run(fmt.Sprint(name, n, "×", in, "×", out), func(t *testing.T) {
					rng := newRand(t)
					x, w, bias, before := normals(rng, n*in), normals(rng, out*in), normals(rng, out), normals(rng, n*out)
					m := pack(kind, w, in, out)
					var rows Rows
					rows.Set(kind, x, n, in)
					for op, finish := range map[Op]func(v, before float64) float64{
						Store: func(v, _ float64) float64 { return v },
						Add:   func(v, before float64) float64 { return v + before },
						GELU:  func(v, _ float64) float64 { return v * 0.5 * (1 + math.Erf(v/math.Sqrt2)) },
					} {
						got := slices.Clone(before)
						m.Mul(got, &rows, bias, op)
						for i, v := range got {
							r, o := i/out, i%out
							exact := float64(bias[o])
							for k := range in {
								exact += float64(x[r*in+k]) * float64(w[o*in+k])
							}
							if want := finish(exact, float64(before[i])); math.Abs(float64(v)-want) > errorBound(kind, in) {
								t.Fatalf("op %d: output %d of row %d is %v, want %v", op, o, r, v, want)
							}
						}
					}
				})
			}
		}
	})
}

func TestMatrixOutlivesItsBytes(t *testing.T) {
	rng := newRand(t)
	const in, out = 70, 33
	x, bias := normals(rng, in), normals(rng, out)
	for name, kind := range kinds {
		m := pack(kind, normals(rng, in*out), in, out)
		unaligned := append(make([]byte, 1, 1+len(m.Bytes())), m.Bytes()...)[1:]
		again, err := FromBytes(kind, unaligned, in, out)
		if err != nil {
			t.Fatal(name, err)
		}
		if again.Kind() != kind || again.In() != in || again.Out() != out {
			t.Errorf("%s: got kind %d, %d × %d", name, again.Kind(), again.Out(), again.In())
		}
		var rows Rows
		rows.Set(kind, x, 1, in)
		got, want := make([]float32, out), make([]float32, out)
		m.Mul(want, &rows, bias, Store)
		again.Mul(got, &rows, bias, Store)
		if !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", name, got, want)
		}
	}
}

func TestBytesThatAreNoMatrixAreRefused(t *testing.T) {
	whole := Size(Int8, 64, 32)
	for name, c := range map[string]struct {
		kind          Kind
		size, in, out int
	}{
		"cut short":    {Int8, whole - 1, 64, 32},
		"too long":     {Int8, whole + 1, 64, 32},
		"other kind":   {BFloat16, whole, 64, 32},
		"unknown kind": {9, whole, 64, 32},
		"empty":        {Int8, 0, 0, 32},
		"negative":     {Int8, 0, 64, -32},
		"too wide":     {Int8, Size(Int8, maxInner+1, 32), maxInner + 1, 32},
	} {
		if _, err := FromBytes(c.kind, make([]byte, c.size), c.in, c.out); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestRowsAreUsedAgainForFewerAndMore(t *testing.T) {
	eachSet(t, func(t *testing.T) {
		rng := newRand(t)
		for name, kind := range kinds {
			var used Rows
			for _, size := range [][2]int{{40, 130}, {3, 64}, {17, 7}, {64, 384}, {1, 1}} {
				n, in := size[0], size[1]
				x, bias := normals(rng, n*in), make([]float32, 16)
				m := pack(kind, normals(rng, 16*in), in, 16)
				var fresh Rows
				got, want := make([]float32, 16*n), make([]float32, 16*n)
				used.Set(kind, x, n, in)
				fresh.Set(kind, x, n, in)
				m.Mul(got, &used, bias, Store)
				m.Mul(want, &fresh, bias, Store)
				if used.Len() != n || !slices.Equal(got, want) {
					t.Errorf("%s: %d rows of %d differ when memory is used again", name, n, in)
				}
			}
		}
	})
}

func TestExtremeRowsStayExactOrFinite(t *testing.T) {
	eachSet(t, func(t *testing.T) {
		const in = 128
		w, bias := make([]float32, in), []float32{0}
		for i := range w {
			w[i] = 1
		}
		for name, v := range map[string]float32{"zero": 0, "one": 1, "negative": -3, "tiny": 1e-36, "large": 1e30} {
			for kindName, kind := range kinds {
				x := make([]float32, in)
				for i := range x {
					x[i] = v
				}
				var rows Rows
				rows.Set(kind, x, 1, in)
				got := make([]float32, 1)
				pack(kind, w, in, 1).Mul(got, &rows, bias, Store)
				if want := float64(v) * in; math.Abs(float64(got[0])-want) > 0.005*math.Abs(want) {
					t.Errorf("%s of %s: got %v, want %v", kindName, name, got[0], want)
				}
			}
		}
	})
}

func TestWrongSizesPanic(t *testing.T) {
	m := Pack(Int8, 64, 32, func(int, []float32) {})
	var rows Rows
	rows.Set(Int8, make([]float32, 128), 2, 64)
	var other Rows
	other.Set(BFloat16, make([]float32, 128), 2, 64)
	for name, call := range map[string]func(){
		"short x":         func() { new(Rows).Set(Int8, make([]float32, 127), 2, 64) },
		"short dst":       func() { m.Mul(make([]float32, 63), &rows, make([]float32, 32), Store) },
		"short bias":      func() { m.Mul(make([]float32, 64), &rows, make([]float32, 31), Store) },
		"other kind":      func() { m.Mul(make([]float32, 64), &other, make([]float32, 32), Store) },
		"layer norm":      func() { LayerNorm(make([]float32, 7), make([]float32, 4), make([]float32, 4), 0) },
		"pool of nothing": func() { MeanPool(make([]float32, 4), nil) },
		"attention":       func() { new(Attention).Apply(make([]float32, 64), 0, 1) },
		"heads":           func() { new(Attention).Project(m, &rows, make([]float32, 32), 3) },
		"other rows": func() {
			new(Attention).Project(pack(Int8, make([]float32, 64*96), 64, 96), &other, make([]float32, 96), 1)
		},
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			call()
		})
	}
}
