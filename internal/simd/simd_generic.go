package simd

// dotGeneric sums in four parts, so that the additions need not wait for each
// other and rounding errors stay small.
func dotGeneric(x, y []float32) float32 {
	var a, b, c, d float32
	y = y[:len(x)]
	i := 0
	for ; i+4 <= len(x); i += 4 {
		a += x[i] * y[i]
		b += x[i+1] * y[i+1]
		c += x[i+2] * y[i+2]
		d += x[i+3] * y[i+3]
	}
	for ; i < len(x); i++ {
		a += x[i] * y[i]
	}
	return (a + b) + (c + d)
}

func l2Generic(x, y []float32) float32 {
	var a, b, c, d float32
	y = y[:len(x)]
	i := 0
	for ; i+4 <= len(x); i += 4 {
		e, f, g, h := x[i]-y[i], x[i+1]-y[i+1], x[i+2]-y[i+2], x[i+3]-y[i+3]
		a += e * e
		b += f * f
		c += g * g
		d += h * h
	}
	for ; i < len(x); i++ {
		e := x[i] - y[i]
		a += e * e
	}
	return (a + b) + (c + d)
}
