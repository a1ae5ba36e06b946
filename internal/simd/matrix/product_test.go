package matrix

import (
	"cmp"
	"fmt"
	"math"
	"runtime"
	"slices"
	"sync"
	"testing"
)

// eachSet runs a test or a benchmark with every set of kernels in turn.
func eachSet[T interface{ Run(string, func(T)) bool }](t T, run func(t T)) {
	before := level
	defer func() { level = before }()
	for _, s := range available() {
		level = s.level
		t.Run(s.name, run)
	}
}

// guarded returns n floats whose end touches a page that must not be touched.
func guarded(t *testing.T, n int) []float32 {
	t.Helper()
	return ofBytes[float32](guardedBytes(t, 4*n))
}

// guardedMatrix copies a matrix to where its last byte touches such a page.
func guardedMatrix(t *testing.T, m *Matrix) *Matrix {
	t.Helper()
	data := guardedBytes(t, len(m.data))
	copy(data, m.data)
	out, err := FromBytes(m.kind, data, m.in, m.out)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// productCase is the sizes of a product: rows, inputs and outputs.
type productCase struct{ n, in, out int }

var productCases = []productCase{
	{1, 64, 32}, {2, 64, 64}, {4, 128, 32}, {5, 64, 32}, {8, 64, 96}, {9, 64, 32}, {12, 384, 384}, {15, 192, 64}, {16, 384, 64}, {17, 384, 64},
	{31, 100, 33}, {32, 64, 16}, {33, 384, 96}, {63, 33, 50}, {64, 1536, 64}, {65, 64, 32}, {130, 70, 40}, {3, 1, 1}, {17, 3072, 96},
}

func TestProductsAgreeWithGeneric(t *testing.T) {
	eachSet(t, func(t *testing.T) {
		rng := newRand(t)
		for _, c := range productCases {
			for _, name := range []string{"int8", "bfloat16", "fitted"} {
				kind := cmp.Or(kinds[name], Int8)
				x, bias := normals(rng, c.n*c.in), guarded(t, c.out)
				copy(bias, normals(rng, c.out))
				m := guardedMatrix(t, pack(kind, normals(rng, c.in*c.out), c.in, c.out))
				if name == "fitted" {
					m = m.fit()
					data := guardedBytes(t, len(m.data))
					copy(data, m.data)
					m.data = data
				}
				var rows Rows
				rows.Set(kind, x, c.n, c.in)
				data := guardedBytes(t, len(rows.data))
				copy(data, rows.data)
				rows.data = data
				before := normals(rng, c.n*c.out)
				for _, op := range []Op{Store, GELU, Add} {
					got, want := guarded(t, c.n*c.out), slices.Clone(before)
					copy(got, before)
					m.Mul(got, &rows, bias, op)
					withGeneric(func() { m.Mul(want, &rows, bias, op) })
					for i := range want {
						bound := 2e-6 + 4e-7*float64(c.in) // 32 bits round differently in another order.
						if op == GELU {
							bound += 6e-5 + 1e-6*math.Abs(float64(want[i]))
						}
						if !(math.Abs(float64(got[i]-want[i])) <= bound) {
							t.Fatalf("%s %v, op %d: output %d of row %d is %v, want %v", name, c, op, i%c.out, i/c.out, got[i], want[i])
						}
					}
				}
			}
		}
	})
}

// withGeneric runs something with the kernels in plain Go.
func withGeneric(run func()) {
	before := level
	defer func() { level = before }()
	level = 0
	run()
}

func TestProductsOfExtremeBytesAreExact(t *testing.T) {
	const n, in, out = 33, 1024, 64
	eachSet(t, func(t *testing.T) {
		for name, sign := range map[string]float32{"highest": 1, "lowest": -1} {
			// A row of one 0 and ones otherwise: bytes of 255 but for one.
			x, w := make([]float32, n*in), make([]float32, in*out)
			for i := range x {
				if i%in > 0 {
					x[i] = 255
				}
			}
			for i := range w {
				w[i] = 127 * sign
			}
			m, bias := pack(Int8, w, in, out), make([]float32, out)
			var rows Rows
			rows.Set(Int8, x, n, in)
			got := make([]float32, n*out)
			m.Mul(got, &rows, bias, Store)
			for i, v := range got {
				if want := sign * 255 * 127 * (in - 1); v != want {
					t.Fatalf("%s: output %d is %v, want %v", name, i, v, want)
				}
			}
		}
	})
}

func TestResultsStayRightWhileCollecting(t *testing.T) {
	eachSet(t, func(t *testing.T) {
		rng := newRand(t)
		const n, heads, size, workers, rounds = 48, 4, 32, 4, 30
		const in, out = heads * size, 3 * heads * size
		x, bias := normals(rng, n*in), normals(rng, out)
		for name, kind := range kinds {
			m := pack(kind, normals(rng, in*out), in, out)
			compute := func(rows *Rows, a *Attention) []float32 {
				product, mixed := make([]float32, n*out), make([]float32, n*in)
				rows.Set(kind, x, n, in)
				m.Mul(product, rows, bias, GELU)
				a.Project(m, rows, bias, heads)
				a.Apply(mixed, 0, n)
				return append(product, mixed...)
			}
			want := compute(new(Rows), new(Attention))
			whileCollecting(workers, func() {
				var rows Rows
				var a Attention
				for range rounds {
					if !slices.Equal(compute(&rows, &a), want) {
						t.Errorf("%s: a result differs", name)
						return
					}
				}
			})
		}
	})
}

// whileCollecting runs work on goroutines while another collects garbage.
func whileCollecting(workers int, work func()) {
	done := make(chan struct{})
	var collector, group sync.WaitGroup
	collector.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
				runtime.GC()
			}
		}
	})
	for range workers {
		group.Go(work)
	}
	group.Wait()
	close(done)
	collector.Wait()
}

func TestChoiceByName(t *testing.T) {
	for _, s := range available() {
		if got := choose(s.name).name; got != s.name {
			t.Errorf("choose(%q) gives %s", s.name, got)
		}
	}
	if got, want := choose("no such set").name, available()[0].name; got != want {
		t.Errorf("an unknown name gives %s, want the fastest, %s", got, want)
	}
	if got := choose("fma").name; got != Generic {
		t.Errorf("without AVX2 it is %s", got)
	}
	if Kernels() != chosen.name {
		t.Errorf("Kernels gives %s, chosen is %s", Kernels(), chosen.name)
	}
}

func BenchmarkProduct(b *testing.B) {
	for name, kind := range kinds {
		b.Run(name, func(b *testing.B) {
			eachSet(b, func(b *testing.B) {
				for _, c := range []productCase{{12, 384, 384}, {92, 384, 384}, {92, 384, 1152}, {92, 384, 1536}, {92, 1536, 384}, {256, 512, 2048}} {
					b.Run(fmt.Sprint(c.n, "×", c.in, "×", c.out), func(b *testing.B) {
						if level == 0 {
							b.Skip("plain Go is for correctness")
						}
						rng := newRand(b)
						m, bias := pack(kind, normals(rng, c.in*c.out), c.in, c.out).Fit(), make([]float32, c.out)
						var rows Rows
						rows.Set(kind, normals(rng, c.n*c.in), c.n, c.in)
						dst := make([]float32, c.n*c.out)
						for _, op := range []Op{Store, GELU} {
							b.Run(map[Op]string{Store: "store", GELU: "gelu"}[op], func(b *testing.B) {
								for b.Loop() {
									m.Mul(dst, &rows, bias, op)
								}
								b.ReportMetric(2*float64(c.n*c.in*c.out)*float64(b.N)/float64(b.Elapsed().Nanoseconds()), "GOP/s")
							})
						}
					})
				}
			})
		})
	}
}
