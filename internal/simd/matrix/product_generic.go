package matrix

import (
	"math"
	"unsafe"
)

// productInt8Generic multiplies rows of unsigned bytes with panels of signed
// ones.
func productInt8Generic(p *byte) {
	t := (*task)(unsafe.Pointer(p))
	t.eachLine(func(r, o int, x, w unsafe.Pointer) {
		var sums [tileRows]int32
		for i := range t.steps * tileRows {
			a, b := group(x, w, i)
			x0, x1, x2, x3 := int32(a[0]), int32(a[1]), int32(a[2]), int32(a[3])
			for j := range sums {
				c := b[4*j : 4*j+4]
				sums[j] += x0*int32(int8(c[0])) + x1*int32(int8(c[1])) + x2*int32(int8(c[2])) + x3*int32(int8(c[3]))
			}
		}
		for j, sum := range sums {
			v := float32(sum)*number(t.scale, r) + float32(number(t.low, r)*number(t.colSum, o+j))
			t.finish(r, o+j, float32(v*number(t.colScale, o+j))+number(t.bias, o+j))
		}
	})
}

// productFittedGeneric is the same.
func productFittedGeneric(p *byte) { productInt8Generic(p) }

// productBFloat16Generic multiplies rows of bfloat16 with panels of such.
func productBFloat16Generic(p *byte) {
	t := (*task)(unsafe.Pointer(p))
	t.eachLine(func(r, o int, x, w unsafe.Pointer) {
		var sums [tileRows]float32
		for i := range t.steps * tileRows {
			a, b := group(x, w, i)
			x0, x1 := fromBFloat16(a[0], a[1]), fromBFloat16(a[2], a[3])
			for j := range sums {
				c := b[4*j : 4*j+4]
				sums[j] += x0*fromBFloat16(c[0], c[1]) + x1*fromBFloat16(c[2], c[3])
			}
		}
		for j, sum := range sums {
			t.finish(r, o+j, sum+number(t.bias, o+j))
		}
	})
}

func fromBFloat16(low, high byte) float32 {
	return math.Float32frombits(uint32(high)<<24 | uint32(low)<<16)
}

// eachLine calls one for each row and each panel, whose outputs begin with o. x
// and w are their first bytes.
func (t *task) eachLine(one func(r, o int, x, w unsafe.Pointer)) {
	for p := range 2 * t.pairs {
		w := unsafe.Add(unsafe.Pointer(t.w), p*t.steps*tileBytes)
		for r := range t.rows {
			x := unsafe.Add(unsafe.Pointer(t.x), r/tileRows*t.steps*tileBytes+r%tileRows*stepBytes)
			one(r, p*tileRows, x, w)
		}
	}
}

// group gives the i-th four bytes of a row and those of all outputs of a panel.
func group(x, w unsafe.Pointer, i int) (*[4]byte, *[4 * tileRows]byte) {
	return (*[4]byte)(unsafe.Add(x, i/tileRows*tileBytes+i%tileRows*4)), (*[4 * tileRows]byte)(unsafe.Add(w, i*stepBytes))
}

// finish stores one number of the product.
func (t *task) finish(row, output int, v float32) {
	to := (*float32)(unsafe.Add(unsafe.Pointer(t.dst), row*t.dstStride+4*output))
	switch t.op {
	case GELU:
		v = gelu(v)
	case Add:
		v += *to
	}
	*to = v
}

// number is the i-th number behind p.
func number(p *float32, i int) float32 { return *(*float32)(unsafe.Add(unsafe.Pointer(p), 4*i)) }

// gelu is x·Φ(x), where Φ is the normal distribution (Hendrycks and Gimpel,
// arXiv 1606.08415).
func gelu(x float32) float32 {
	return float32(0.5 * float64(x) * math.Erfc(-float64(x)/math.Sqrt2))
}
