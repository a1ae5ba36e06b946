//go:build !purego

package matrix

import (
	"slices"
	"testing"
	"unsafe"
)

// TestWithoutALevelTheTwinsRun calls what chooses a kernel at the level of plain
// Go, and the twins themselves.
func TestWithoutALevelTheTwinsRun(t *testing.T) {
	rng := newRand(t)
	const n = 64
	a, b, c := normals(rng, n), normals(rng, n), normals(rng, n)
	bytesOf := func(run func(to *byte)) []byte {
		to := alignedBytes(2 * tileBytes)
		run(&to[0])
		return to
	}
	floatsOf := func(run func(to []float32)) []byte {
		to := slices.Clone(a)
		run(to)
		return unsafe.Slice((*byte)(unsafe.Pointer(&to[0])), 4*n)
	}
	product := func(kind Kind, run func(*byte)) []byte {
		m := pack(kind, slices.Repeat(b, pair), n, pair)
		var rows Rows
		rows.Set(kind, a, 1, n)
		return floatsOf(func(to []float32) {
			task := task{x: &rows.data[0], w: &m.data[0], steps: kind.steps(n), rows: 1, pairs: 1, scale: &c[0], low: &c[1], colScale: &c[2], colSum: &c[3], bias: &c[4], dst: &to[0], op: GELU}
			run((*byte)(unsafe.Pointer(&task)))
		})
	}
	attention := func(run func(*byte)) []byte {
		return floatsOf(func(to []float32) {
			mask, place := make([]float32, keyUnit), make([]float32, queryUnit*(keyUnit+1))
			task := attendTask{
				q: &a[0], stride: 4 * keyUnit, keys: &slices.Repeat(b, keyUnit/2)[0], mask: &mask[0], values: &c[0], scores: &place[queryUnit], padded: 4 * keyUnit,
				n: 1, size: keyUnit, rows: 2, dst: &to[0], dstStride: 4 * keyUnit, scale: 1, sums: &place[0], width: 4 * keyUnit,
			}
			run((*byte)(unsafe.Pointer(&task)))
		})
	}
	weights, factors := alignedBytes(tileBytes), [stepBytes]int16{}
	for i := range weights {
		weights[i] = byte(i%100 - 50)
	}
	for i := range factors {
		factors[i] = 20000
	}
	greatest := func(run func(*byte, int, *int32)) []byte {
		return bytesOf(func(to *byte) { run(&weights[0], tileBytes, (*int32)(unsafe.Pointer(to))) })
	}
	rounded := func(run func(to, from *byte, n int, factors *int16, sums *int32)) []byte {
		return bytesOf(func(to *byte) {
			var sums [tileRows]int32
			run(to, &weights[0], tileBytes, &factors[0], &sums[0])
		})
	}
	withGeneric(func() {
		low, high := boundsOf(&a[0], n)
		lowTwin, highTwin := boundsOfGeneric(&a[0], n)
		if low != lowTwin || high != highTwin {
			t.Errorf("bounds are %v and %v, want %v and %v", low, high, lowTwin, highTwin)
		}
		for name, pair := range map[string][2][]byte{
			"product of bytes":    {product(Int8, productInt8), product(Int8, productInt8Generic)},
			"product of fitted":   {product(Int8, productFitted), product(Int8, productFittedGeneric)},
			"greatest sums":       {greatest(greatestSums), greatest(greatestSumsGeneric)},
			"weights again":       {rounded(roundAgain), rounded(roundAgainGeneric)},
			"product of bfloat16": {product(BFloat16, productBFloat16), product(BFloat16, productBFloat16Generic)},
			"attention":           {attention(attend), attention(attendGeneric)},
			"keys": {
				floatsOf(func(to []float32) { transposeKeys(&a[0], 4, 2, keyUnit, &to[0], 2) }),
				floatsOf(func(to []float32) { transposeKeysGeneric(&a[0], 4, 2, keyUnit, &to[0], 2) }),
			},
			"layer norm": {
				floatsOf(func(to []float32) { normRow(&to[0], &b[0], &c[0], n, 1) }),
				floatsOf(func(to []float32) { normRowGeneric(&to[0], &b[0], &c[0], n, 1) }),
			},
			"sum": {
				floatsOf(func(to []float32) { sumRow(&to[0], &a[0], &b[0], &c[0], n) }),
				floatsOf(func(to []float32) { sumRowGeneric(&to[0], &a[0], &b[0], &c[0], n) }),
			},
			"bytes": {
				bytesOf(func(to *byte) { quantizeRow(&a[0], -3, 40, n, to) }),
				bytesOf(func(to *byte) { quantizeRowGeneric(&a[0], -3, 40, n, to) }),
			},
			"bfloat16": {
				bytesOf(func(to *byte) { roundRow(&a[0], n, to) }),
				bytesOf(func(to *byte) { roundRowGeneric(&a[0], n, to) }),
			},
		} {
			if !slices.Equal(pair[0], pair[1]) {
				t.Errorf("%s: the twin did not run", name)
			}
		}
	})
}
