package simd

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"unsafe"
)

// lengths of vectors of codes: multiples of 64 from the least to the largest.
var codeLengths = []int{64, 128, 192, 320, 384, 448, 768, 1024, 1536, 4096, 4160}

// bytesOf returns n bytes at the end of readable memory, or at its beginning
// where n is not a multiple of 4.
func bytesOf(t *testing.T, n int) []uint8 {
	t.Helper()
	return unsafe.Slice((*uint8)(unsafe.Pointer(unsafe.SliceData(guarded(t, (n+3)/4)))), n)
}

// codes returns n bytes made by fill.
func codes(t *testing.T, n int, fill func() uint8) []uint8 {
	b := bytesOf(t, n)
	for i := range b {
		b[i] = fill()
	}
	return b
}

func signed(b []uint8) []int8 { return unsafe.Slice((*int8)(unsafe.Pointer(&b[0])), len(b)) }

// inputs are ways to fill vectors of codes: at random and with extremes.
func inputs(rng *rand.Rand) map[string]func() uint8 {
	return map[string]func() uint8{
		"random": func() uint8 { return uint8(rng.Uint32()) },
		"zeros":  func() uint8 { return 0 },
		"ones":   func() uint8 { return 255 },
		"edges":  func() uint8 { return []uint8{0, 1, 127, 128, 129, 254, 255}[rng.IntN(7)] },
	}
}

func TestDotCodes(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for _, n := range codeLengths {
		for name, fill := range inputs(rng) {
			x, q := codes(t, n, fill), signed(codes(t, n, fill))
			if got, want := DotCodes(&x[0], &q[0], n), dotCodesGeneric(&x[0], &q[0], n); got != want {
				t.Errorf("%s of %d: %d, want %d", name, n, got, want)
			}
		}
	}
}

func TestDotCodesList(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, n := range codeLengths {
		const vectors = 40
		stride := n + 64
		base := codes(t, stride*(vectors-1)+n, func() uint8 { return uint8(rng.Uint32()) })
		q := signed(codes(t, n, func() uint8 { return uint8(rng.Uint32()) }))
		for count := range vectors {
			slots := make([]uint32, count)
			for i := range slots {
				slots[i] = rng.Uint32N(vectors)
			}
			got, want := make([]int32, count+1), make([]int32, count+1)
			DotCodesList(unsafe.Pointer(&base[0]), uintptr(stride), slots, &q[0], n, got[:count])
			dotCodesListGeneric(&base[0], uintptr(stride), slots, &q[0], n, want)
			if !slices.Equal(got, want) {
				t.Errorf("%d vectors of %d: %v, want %v", count, n, got, want)
			}
		}
	}
}

func TestScanBlock(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 3))
	for _, n := range codeLengths {
		for name, fill := range inputs(rng) {
			groups := n / 4
			small := make([]int8, n)
			for i := range small {
				small[i] = int8(int(fill())%31 - 15)
			}
			lut, want := bytesOf(t, 16*groups), make([]uint8, 16*groups)
			buildTableGeneric(&small[0], &want[0], groups)
			in := signed(bytesOf(t, n))
			copy(in, small)
			BuildTable(&in[0], &lut[0], groups)
			if !slices.Equal(lut, want) {
				t.Fatalf("%s of %d: the table is wrong", name, n)
			}
			block := codes(t, 16*groups, fill)
			factors := unsafe.Slice((*uint16)(unsafe.Pointer(unsafe.SliceData(guarded(t, BlockSize)))), 2*BlockSize)
			for i := range factors {
				factors[i] = []uint16{0x3c00, 0x2e66, 0xb800, 0x0001, 0x7c00, 0x0000}[rng.IntN(6)]
				if i >= BlockSize && factors[i] == 0x7c00 {
					factors[i] = 0
				}
			}
			next := codes(t, 64*40, fill)
			const mul, add, base = 0.01, -0.5, 1.25
			limit := float32(1 + 2*rng.Float64())
			for _, ahead := range []int{0, 64, 64 * 7, 64 * 40} {
				var a, b [BlockSize]float32
				got := ScanBlock(&block[0], &lut[0], groups, &factors[0], mul, add, base, limit, &a, unsafe.Pointer(&next[0]), ahead)
				scanBlockGeneric(&block[0], &lut[0], groups, &factors[0], mul, add, base, limit, &b)
				for j := range a {
					if math.Abs(float64(a[j]-b[j])) > 1e-4*(1+math.Abs(float64(b[j]))) || math.IsInf(float64(a[j]), 1) != math.IsInf(float64(b[j]), 1) {
						t.Fatalf("%s of %d: estimate %d is %v, want %v", name, n, j, a[j], b[j])
					}
					if got>>j&1 == 1 != (a[j] < limit) {
						t.Fatalf("%s of %d: bit %d is wrong for %v < %v", name, n, j, a[j], limit)
					}
				}
			}
		}
	}
}

func TestEncodeEdge(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 4))
	for _, n := range codeLengths {
		for name, fill := range inputs(rng) {
			o, c, got, want := codes(t, n, fill), codes(t, n, fill), bytesOf(t, n/8), make([]uint8, n/8)
			so, sc := rng.Float32()+0.1, rng.Float32()+0.1
			l1, l2, sign := EncodeEdge(&o[0], &c[0], so, sc, n, &got[0])
			m1, m2, mign := encodeEdgeGeneric(&o[0], &c[0], so, sc, n, &want[0])
			if !slices.Equal(got, want) {
				t.Errorf("%s of %d: the signs differ", name, n)
			}
			scale := float64(m1) + 128*float64(n)*float64(sc)
			if !near(l1, m1, float64(m1)) || !near(l2, m2, float64(m2)) || !near(sign, mign, scale) {
				t.Errorf("%s of %d: %v %v %v, want %v %v %v", name, n, l1, l2, sign, m1, m2, mign)
			}
		}
	}
}

func near(a, b float32, scale float64) bool {
	return math.Abs(float64(a)-float64(b)) <= 1e-4*(1+scale)
}

func TestDotFine(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 5))
	for _, n := range codeLengths {
		for name, fill := range inputs(rng) {
			q, hi, lo := guarded(t, n), codes(t, n, fill), codes(t, n/2, fill)
			sum := 0.0
			for i := range q {
				q[i] = float32(rng.NormFloat64())
				sum += math.Abs(float64(q[i])) * 2048
			}
			if got, want := DotFine(&q[0], &hi[0], &lo[0], n), dotFineGeneric(&q[0], &hi[0], &lo[0], n); !near(got, want, sum/10) {
				t.Errorf("%s of %d: %v, want %v", name, n, got, want)
			}
		}
	}
}

func TestQuantize(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 6))
	for _, n := range codeLengths {
		x, got, want := guarded(t, n), signed(bytesOf(t, n)), make([]int8, n)
		for i := range x {
			x[i] = float32(rng.NormFloat64())
			if rng.IntN(4) == 0 {
				x[i] = float32(rng.IntN(9)-4) / 2 // ties
			}
		}
		for _, inv := range []float32{1, 15.5, 127, 1e6} {
			a, b := Quantize(&x[0], inv, n, &got[0]), quantizeGeneric(&x[0], inv, n, &want[0])
			if a != b || !slices.Equal(got, want) {
				t.Errorf("%d times %v: sum %d, want %d", n, inv, a, b)
			}
		}
	}
}

func TestElementwise(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 7))
	for n := range 100 {
		x, y, want := guarded(t, n), guarded(t, n), make([]float32, n)
		for i := range x {
			x[i], y[i] = float32(rng.NormFloat64()), float32(rng.NormFloat64())
			want[i] = x[i] * y[i]
		}
		if got, want := MaxAbs(x), maxAbsGeneric(x); got != want {
			t.Errorf("the largest of %d is %v, want %v", n, got, want)
		}
		Multiply(x, y)
		if !slices.Equal(x, want) {
			t.Errorf("%d products differ", n)
		}
	}
}

func TestHadamard(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 8))
	for n := 1; n <= 4096; n *= 2 {
		x, want := guarded(t, n), make([]float32, n)
		for i := range x {
			x[i] = float32(rng.NormFloat64())
			want[i] = x[i]
		}
		Hadamard(x)
		hadamardGeneric(want)
		for i := range x {
			if math.Abs(float64(x[i]-want[i])) > 1e-5 {
				t.Fatalf("of %d numbers, number %d is %v, want %v", n, i, x[i], want[i])
			}
		}
	}
}

func BenchmarkCodes(b *testing.B) {
	for _, n := range []int{128, 384, 768} {
		groups := n / 4
		rng := rand.New(rand.NewPCG(1, 9))
		random := func(n int) []uint8 {
			out := make([]uint8, n+64)
			for i := range out {
				out[i] = uint8(rng.Uint32())
			}
			return out[-int(uintptr(unsafe.Pointer(&out[0])))&63:][:n]
		}
		block, lut, x, q := random(16*groups), random(16*groups), random(n), signed(random(n))
		bits, lo := random(n/8), random(n/2)
		f := make([]float32, n)
		var factors [64]uint16
		var est [BlockSize]float32
		p := 1
		for p*2 <= n {
			p *= 2
		}
		for _, k := range []struct {
			name string
			run  func()
		}{
			{"ScanBlock", func() {
				ScanBlock(&block[0], &lut[0], groups, &factors[0], 1, 1, 1, 1, &est, nil, 0)
			}},
			{"BuildTable", func() { BuildTable(&q[0], &lut[0], groups) }},
			{"DotCodes", func() { DotCodes(&x[0], &q[0], n) }},
			{"DotFine", func() { DotFine(&f[0], &x[0], &lo[0], n) }},
			{"EncodeEdge", func() { EncodeEdge(&x[0], &x[0], 1, 1, n, &bits[0]) }},
			{"Quantize", func() { Quantize(&f[0], 1, n, &q[0]) }},
			{"MaxAbs", func() { MaxAbs(f) }},
			{"Multiply", func() { Multiply(f, f) }},
			{"Hadamard", func() { Hadamard(f[:p]) }},
		} {
			b.Run(fmt.Sprintf("%s/%d", k.name, n), func(b *testing.B) {
				for b.Loop() {
					k.run()
				}
			})
		}
	}
}
