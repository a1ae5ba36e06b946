package simd

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"unsafe"
)

// eachSet runs a test or a benchmark with every set of kernels in turn.
func eachSet[T interface{ Run(string, func(T)) bool }](t T, run func(t T)) {
	before := level
	defer func() { level = before }()
	for _, k := range available() {
		if k.name == "fma" { // The kernels for codes are those of generic.
			continue
		}
		level = k.level
		t.Run(k.name, run)
	}
}

// aligned returns n bytes at a multiple of 64.
func aligned(n int) []byte {
	b := make([]byte, n+63)
	off := -uintptr(unsafe.Pointer(&b[0])) & 63
	return b[off : int(off)+n]
}

// ofBytes looks at bytes as numbers of another type.
func ofBytes[T any](b []byte) []T {
	var one T
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(b))), len(b)/int(unsafe.Sizeof(one)))
}

// lengths are the numbers of dimensions that kernels are tested at.
var lengths = []int{64, 128, 192, 256, 320, 384, 448, 512, 576, 768, 832, 1024, 1536, 4096, 4096 + 64}

// filler gives the i-th number of an input, within the limits.
type filler func(rng *rand.Rand, i, low, high int) int

// fills are the inputs of codes that kernels are tested with.
var fills = map[string]filler{
	"random":    func(rng *rand.Rand, _, low, high int) int { return low + rng.IntN(high-low+1) },
	"lowest":    func(_ *rand.Rand, _, low, _ int) int { return low },
	"highest":   func(_ *rand.Rand, _, _, high int) int { return high },
	"in turn":   func(_ *rand.Rand, i, low, high int) int { return []int{low, high}[i%2] },
	"the first": func(_ *rand.Rand, i, _, high int) int { return high * max(0, 1-i) },
	"the last":  func(_ *rand.Rand, i, _, high int) int { return high * (i / 64 % 2) },
}

func fill[T int8 | uint8](rng *rand.Rand, s []T, low, high int, f filler) {
	for i := range s {
		s[i] = T(f(rng, i, low, high))
	}
}

func newRand() *rand.Rand { return rand.New(rand.NewPCG(5, 6)) }

// eachInput runs a test for every set, length and pair of fills.
func eachInput(t *testing.T, run func(t *testing.T, rng *rand.Rand, n int, x, y filler)) {
	eachSet(t, func(t *testing.T) {
		for _, n := range lengths {
			for xName, x := range fills {
				for yName, y := range fills {
					t.Run(fmt.Sprintf("%d of %s and %s", n, xName, yName), func(t *testing.T) { run(t, newRand(), n, x, y) })
				}
			}
		}
	})
}

func TestDotCodesAgreesWithGeneric(t *testing.T) {
	eachInput(t, func(t *testing.T, rng *rand.Rand, n int, fx, fq filler) {
		x, q := guardedBytes(t, n), ofBytes[int8](guardedBytes(t, n))
		fill(rng, x, 0, 255, fx)
		fill(rng, q, -127, 127, fq)
		if got, want := DotCodes(&x[0], &q[0], n), dotCodesGeneric(&x[0], &q[0], n); got != want {
			t.Errorf("got %d, want %d", got, want)
		}
	})
}

func TestDotCodesListAgreesWithGeneric(t *testing.T) {
	eachSet(t, func(t *testing.T) {
		rng := newRand()
		for _, n := range []int{64, 128, 384, 1024} {
			const vectors = 41
			stride := n + 64
			base, q := guardedBytes(t, (vectors-1)*stride+n), ofBytes[int8](guardedBytes(t, n))
			fill(rng, base, 0, 255, fills["random"])
			fill(rng, q, -127, 127, fills["random"])
			for count := range vectors {
				slots, got := ofBytes[uint32](guardedBytes(t, 4*count)), ofBytes[int32](guardedBytes(t, 4*count))
				for i := range slots {
					slots[i] = uint32(rng.IntN(vectors))
				}
				if count > 0 {
					slots[count-1] = vectors - 1
				}
				want := make([]int32, count)
				dotCodesListGeneric(&base[0], uintptr(stride), slots, &q[0], n, want)
				DotCodesList(unsafe.Pointer(&base[0]), uintptr(stride), slots, &q[0], n, got)
				if !slices.Equal(got, want) {
					t.Errorf("%d slots of %d codes: got %d, want %d", count, n, got, want)
				}
			}
		}
	})
}

func TestDotTwoBitsListAgreesWithGeneric(t *testing.T) {
	eachInput(t, func(t *testing.T, rng *rand.Rand, n int, fx, fq filler) {
		const vectors = 7
		stride := n/4 + 8
		base, q := guardedBytes(t, (vectors-1)*stride+n/4), ofBytes[int8](guardedBytes(t, n))
		fill(rng, base, 0, 255, fx)
		fill(rng, q, -127, 127, fq)
		for count := range vectors + 1 {
			slots, got := ofBytes[uint32](guardedBytes(t, 4*count)), ofBytes[int32](guardedBytes(t, 4*count))
			for i := range slots {
				slots[i] = uint32(vectors - 1 - i)
			}
			want := make([]int32, count)
			for i, s := range slots {
				for j, x := range q {
					c := base[int(s)*stride+j/64*16+j%16] >> (j % 64 / 16 * 2) & 3
					want[i] += int32(c) * int32(x)
				}
			}
			plain := make([]int32, count)
			dotTwoBitsListGeneric(&base[0], uintptr(stride), slots, &q[0], n/4, plain)
			DotTwoBitsList(unsafe.Pointer(&base[0]), uintptr(stride), slots, &q[0], n, got)
			if !slices.Equal(got, want) || !slices.Equal(plain, want) {
				t.Errorf("%d slots: got %d, in plain Go %d, want %d", count, got, plain, want)
			}
		}
	})
}

// aheads are amounts of bytes for ScanBlock to fetch: nothing, less than it reads
// itself and more.
var aheads = []int{0, 64, 256, 1024, 2176, 20000 / 64 * 64}

func TestScanBlockAgreesWithGeneric(t *testing.T) {
	next := guardedBytes(t, 20000)
	eachInput(t, func(t *testing.T, rng *rand.Rand, n int, fc, fl filler) {
		codes, lut, factors := guardedBytes(t, 4*n), guardedBytes(t, 4*n), ofBytes[uint16](guardedBytes(t, 128))
		fill(rng, codes, 0, 255, fc)
		fill(rng, lut, 4, 124, fl)
		for i := range factors {
			factors[i] = uint16(rng.IntN(0x7c00)) | uint16(rng.IntN(2))<<15
			if i%BlockSize == 7 {
				factors[i] = 0x7c00 // +Inf
			}
		}
		got, want := ofBytes[float32](guardedBytes(t, 4*BlockSize)), [BlockSize]float32{}
		for _, ahead := range aheads {
			var p unsafe.Pointer
			if ahead > 0 {
				p = unsafe.Pointer(&next[len(next)-ahead])
			}
			mul, add, base := rng.Float32()/float32(n), -40*rng.Float32(), rng.Float32()
			scanBlockGeneric(&codes[0], &lut[0], n/4, &factors[0], mul, add, base, 0, &want, nil, 0)
			limit := want[rng.IntN(BlockSize)]
			mask := ScanBlock(&codes[0], &lut[0], n/4, &factors[0], mul, add, base, limit, (*[BlockSize]float32)(got), p, ahead)
			for j := range got {
				if (mask>>j&1 == 1) != (got[j] < limit) {
					t.Errorf("bit %d of the mask is wrong: %v < %v", j, got[j], limit)
				}
				f := float64(half(factors[BlockSize+j]))
				scale := math.Abs(float64(want[j])) + math.Abs(f)*(float64(mul)*31*float64(n)+40) + 1
				if !close32(got[j], want[j], 1, scale) {
					t.Errorf("distance %d is %v, want %v", j, got[j], want[j])
				}
			}
		}
	})
}

// close32 tells whether two sums of n numbers differ by rounding only; scale is
// the sum of the magnitudes.
func close32(got, want float32, n int, scale float64) bool {
	if got == want || got != got && want != want {
		return true
	}
	return math.Abs(float64(got)-float64(want)) <= (1e-6+4e-9*float64(n))*scale
}

func TestScanBlockReadsEveryHalf(t *testing.T) {
	eachSet(t, func(t *testing.T) {
		codes, lut := aligned(256), aligned(256)
		var got, want [BlockSize]float32
		for first := 0; first < 1<<16; first += BlockSize {
			var factors [2 * BlockSize]uint16
			for j := range got {
				factors[j] = uint16(first + j)
			}
			scanBlockGeneric(&codes[0], &lut[0], 16, &factors[0], 0, 0, 0, 0, &want, nil, 0)
			ScanBlock(&codes[0], &lut[0], 16, &factors[0], 0, 0, 0, 0, &got, nil, 0)
			for j := range got {
				if !close32(got[j], want[j], 0, 0) {
					t.Errorf("%#x is %v, want %v", first+j, got[j], want[j])
				}
			}
		}
	})
}

func TestScanBlockIsStrictAndSparesInfinity(t *testing.T) {
	eachSet(t, func(t *testing.T) {
		codes, lut := aligned(256), aligned(256)
		var factors [2 * BlockSize]uint16
		var est [BlockSize]float32
		factors[3], factors[9] = 0x7c00, 0xbc00 // +Inf, -1
		factors[BlockSize+4] = 0x7e00           // NaN
		scan := func(limit float32) uint32 {
			return ScanBlock(&codes[0], &lut[0], 16, &factors[0], 0, 0, 5, limit, &est, nil, 0)
		}
		if got := scan(5); got != 1<<9 {
			t.Errorf("with the limit at the distances: %b", got)
		}
		if got, want := scan(float32(math.Inf(1))), ^uint32(1<<3|1<<4); got != want {
			t.Errorf("with no limit: %b, want %b", got, want)
		}
		if got := scan(float32(math.NaN())); got != 0 {
			t.Errorf("with a limit that is no number: %b", got)
		}
	})
}

func TestEstimateListAgreesWithWhatItIsToCompute(t *testing.T) {
	eachInput(t, func(t *testing.T, rng *rand.Rand, n int, fc, fq filler) {
		const vectors = 41
		stride := n/8 + 8 + rng.IntN(3)*8
		base, q, spread := guardedBytes(t, (vectors-1)*stride+n/8+8), make([]int8, n), ofBytes[int8](guardedBytes(t, RowLen(n)))
		fill(rng, base, 0, 255, fc)
		fill(rng, q, -15, 15, fq)
		SpreadRow(q, spread)
		for v := range vectors {
			factors := ofBytes[float32](base[v*stride+n/8:][:8])
			factors[0], factors[1] = rng.Float32(), -rng.Float32()
		}
		mul, add, origin := rng.Float32()/float32(n), rng.Float32()-0.5, rng.Float32()
		for _, count := range []int{0, 1, 4, 5, 35, 36, 39, vectors} {
			slots, got, plain := ofBytes[uint32](guardedBytes(t, 4*count)), ofBytes[float32](guardedBytes(t, 4*count)), make([]float32, count)
			for i := range slots {
				slots[i] = uint32(vectors - 1 - i)
			}
			EstimateList(unsafe.Pointer(&base[0]), uintptr(stride), slots, &spread[0], n, mul, add, origin, got)
			estimateListGeneric(&base[0], uintptr(stride), slots, &spread[0], n/64, mul/rowUnit, add, origin, plain)
			for i, s := range slots {
				row, sum := base[int(s)*stride:], 0
				for j, x := range q {
					sum += int(row[j/8]>>(j%8)&1) * int(x)
				}
				factors := ofBytes[float32](row[n/8:][:8])
				want := origin + factors[0] + factors[1]*(mul*float32(sum)+add)
				if scale := 20 + float64(mul)*15*float64(n); !close32(got[i], want, 1, scale) || !close32(plain[i], want, 1, scale) {
					t.Errorf("row %d of %d: got %v, in plain Go %v, want %v", i, count, got[i], plain[i], want)
				}
			}
		}
	})
}

func TestBuildTableAgreesWithGeneric(t *testing.T) {
	eachInput(t, func(t *testing.T, rng *rand.Rand, n int, f, _ filler) {
		q, got, want := ofBytes[int8](guardedBytes(t, n)), guardedBytes(t, 4*n), make([]byte, 4*n)
		fill(rng, q, -15, 15, f)
		buildTableGeneric(&q[0], &want[0], n/4)
		BuildTable(&q[0], &got[0], n/4)
		if !slices.Equal(got, want) {
			t.Errorf("got %d, want %d", got, want)
		}
	})
}

func TestEncodeEdgeAgreesWithGeneric(t *testing.T) {
	eachInput(t, func(t *testing.T, rng *rand.Rand, n int, fo, fc filler) {
		o, c, bits, want := guardedBytes(t, n), guardedBytes(t, n), guardedBytes(t, n/8), make([]byte, n/8)
		fill(rng, o, 0, 255, fo)
		fill(rng, c, 0, 255, fc)
		// With the same scale, and with one three times the other, products are
		// equal or nearly so.
		so := rng.Float32()
		for _, sc := range []float32{so, so * 3, so / 3, rng.Float32(), 0} {
			wantL1, wantL2, wantSign := encodeEdgeGeneric(&o[0], &c[0], so, sc, n, &want[0])
			l1, l2, sign := EncodeEdge(&o[0], &c[0], so, sc, n, &bits[0])
			if !slices.Equal(bits, want) {
				t.Errorf("scales %v and %v: the bits are %b, want %b", so, sc, bits, want)
			}
			scale := 128 * float64(n) * float64(so+sc)
			if !close32(l1, wantL1, n, scale) || !close32(l2, wantL2, n, scale*128*float64(so+sc)) || !close32(sign, wantSign, n, scale) {
				t.Errorf("scales %v and %v: got %v, %v and %v, want %v, %v and %v", so, sc, l1, l2, sign, wantL1, wantL2, wantSign)
			}
		}
	})
}

func TestDotFineAgreesWithGeneric(t *testing.T) {
	eachInput(t, func(t *testing.T, rng *rand.Rand, n int, fh, fl filler) {
		q, hi, lo := guarded(t, n), guardedBytes(t, n), guardedBytes(t, n/2)
		fill(rng, hi, 0, 255, fh)
		fill(rng, lo, 0, 255, fl)
		var scale float64
		for i := range q {
			q[i] = float32(rng.NormFloat64())
			scale += 2056 * math.Abs(float64(q[i]))
		}
		if got, want := DotFine(&q[0], &hi[0], &lo[0], n), dotFineGeneric(&q[0], &hi[0], &lo[0], n); !close32(got, want, n, scale) {
			t.Errorf("got %v, want %v", got, want)
		}
	})
}

func TestHadamardAgreesWithGeneric(t *testing.T) {
	eachSet(t, func(t *testing.T) {
		rng := newRand()
		for n := 1; n <= 8192; n *= 2 {
			x, want := guarded(t, n), make([]float32, n)
			var scale float64
			for i := range x {
				x[i] = float32(rng.NormFloat64())
				scale += math.Abs(float64(x[i]))
			}
			copy(want, x)
			factor := 1 / math.Sqrt(float64(n))
			hadamardGeneric(want, float32(factor))
			Hadamard(x)
			for i := range x {
				if !close32(x[i], want[i], n, scale*factor) {
					t.Fatalf("number %d of %d is %v, want %v", i, n, x[i], want[i])
				}
			}
		}
	})
}

func TestQuantizeAgreesWithGeneric(t *testing.T) {
	eachSet(t, func(t *testing.T) {
		rng := newRand()
		for _, n := range lengths {
			for _, inv := range []float32{0, 0.5, 1, 3.7, 1e6} {
				x, got, want := guarded(t, n), ofBytes[int8](guardedBytes(t, n)), make([]int8, n)
				for i := range x {
					switch i % 3 {
					case 0: // In the middle between two integers where inv is 1.
						x[i] = float32(rng.IntN(300)) - 150 + 0.5
					case 1:
						x[i] = float32(100 * rng.NormFloat64())
					case 2:
						x[i] = float32(math.Pow(-10, float64(rng.IntN(30))))
					}
				}
				wantSum := quantizeGeneric(&x[0], inv, n, &want[0])
				if sum := Quantize(&x[0], inv, n, &got[0]); sum != wantSum || !slices.Equal(got, want) {
					t.Errorf("%d numbers times %v: got %d, %d, want %d, %d", n, inv, sum, got, wantSum, want)
				}
			}
		}
	})
}

func TestMaxAbsAndMultiplyAgreeWithGeneric(t *testing.T) {
	eachSet(t, func(t *testing.T) {
		rng := newRand()
		for n := range 300 {
			x, y, want := guarded(t, n), guarded(t, n), make([]float32, n)
			for i := range x {
				x[i], y[i] = float32(rng.NormFloat64()), float32(rng.NormFloat64())
			}
			if n > 0 {
				// The largest at any place, with either sign.
				x[rng.IntN(n)] = 100 * float32(2*rng.IntN(2)-1)
			}
			if got, want := MaxAbs(x), maxAbsGeneric(x); got != want {
				t.Errorf("the largest of %d is %v, want %v", n, got, want)
			}
			copy(want, x)
			multiplyGeneric(want, y)
			Multiply(x, y)
			if !slices.Equal(x, want) {
				t.Errorf("%d products: got %v, want %v", n, x, want)
			}
		}
	})
}

func TestMultiplyTakesNoFewerNumbers(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("fewer numbers to multiply with did not panic")
		}
	}()
	Multiply(make([]float32, 3), make([]float32, 2))
}

// TestArgumentsOnAGrowingStack has the stack move while the kernels, which do
// not let their arguments escape, hold pointers into it.
func TestArgumentsOnAGrowingStack(t *testing.T) {
	eachSet(t, func(t *testing.T) {
		for depth := range 200 {
			done := make(chan bool)
			go func() { done <- deep(depth) }()
			if !<-done {
				t.Errorf("at the depth of %d another result", depth)
			}
		}
	})
}

//go:noinline
func deep(depth int) bool {
	if depth > 0 {
		return deep(depth - 1)
	}
	var x [64]uint8
	var q [64]int8
	var bits [8]uint8
	for i := range x {
		x[i], q[i] = uint8(i), 1
	}
	if DotCodes(&x[0], &q[0], 64) != 63*64/2 {
		return false
	}
	EncodeEdge(&x[0], &x[0], 1, 1, 64, &bits[0])
	return bits == [8]uint8{255, 255, 255, 255, 255, 255, 255, 255}
}

// TestFetch shows that nothing is read or written: a fetch changes no byte, and
// may go beyond what can be read.
func TestFetch(t *testing.T) {
	eachSet(t, func(t *testing.T) {
		b := guardedBytes(t, 5000)
		for i := range b {
			b[i] = byte(i)
		}
		for _, n := range []int{1, 63, 64, 65, 200, 4999, 20000} {
			for at := range 70 {
				Fetch(unsafe.Pointer(&b[at]), n)
				Fetch(unsafe.Pointer(&b[len(b)-1-at]), n)
				fetchGeneric(&b[at], n)
			}
		}
		for i := range b {
			if b[i] != byte(i) {
				t.Fatalf("byte %d is %d", i, b[i])
			}
		}
	})
}
