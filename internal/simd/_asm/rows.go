package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// onRows makes a kernel with a body for wide registers and one for the others.
func onRows(name, signature, doc string, emit func(name string, zmm bool)) kernel {
	return kernel{name, signature, doc, []body{
		{matrixAVX512, func(name string) { emit(name, true) }},
		{matrixAVX2, func(name string) { emit(name, false) }},
	}}
}

var boundsOf = onRows("boundsOf", "func(x *float32, n int) (low, high float32)",
	"boundsOf finds the least and the greatest of n numbers, a multiple of 64.", leastAndGreatest)

// leastAndGreatest keeps four of each, because of the latency.
func leastAndGreatest(name string, zmm bool) {
	x, n := pointer("x"), pointer("n")
	var low, high [4]reg.VecVirtual
	for i := range low {
		low[i], high[i] = vec(zmm), vec(zmm)
		VBROADCASTSS(at(x, 0), low[i])
		move(low[i], high[i])
	}
	Label(name + "_numbers")
	for i := range 256 / bytesOf(zmm) {
		v := vec(zmm)
		VMOVUPS(at(x, i*bytesOf(zmm)), v)
		VMINPS(v, low[i%4], low[i%4])
		VMAXPS(v, high[i%4], high[i%4])
	}
	ADDQ(I32(256), x)
	SUBQ(I8(64), n)
	JHI(LabelRef(name + "_numbers"))
	for i, which := range []struct {
		v [4]reg.VecVirtual
		f func(ops ...Op)
	}{{low, VMINPS}, {high, VMAXPS}} {
		for _, v := range which.v[1:] {
			which.f(v, which.v[0], which.v[0])
		}
		VMOVSS(foldFloats(which.v[0], which.f), result(i))
	}
	VZEROUPPER()
	RET()
}

// foldFloats combines all numbers of v into the lowest.
func foldFloats(v reg.VecVirtual, f func(ops ...Op)) reg.Register {
	x, h := fold(v, f), XMM()
	VPERMILPS(U8(0xee), x, h)
	f(h, x, x)
	VMOVSHDUP(x, h)
	f(h, x, x)
	return x
}

var quantizeRow = onRows("quantizeRow", "func(x *float32, low, inv float32, n int, to *byte)",
	"quantizeRow is quantizeGeneric of n numbers, a multiple of 64.", tileOfBytes)

// tileOfBytes narrows four registers of numbers to one, as codes does.
func tileOfBytes(name string, zmm bool) {
	x, n, to := pointer("x"), pointer("n"), pointer("to")
	low, inv := vec(zmm), vec(zmm)
	VBROADCASTSS(param("low"), low)
	VBROADCASTSS(param("inv"), inv)
	order := laneOrder(zmm)
	Label(name + "_numbers")
	for i := 0; i < 64; i += bytesOf(zmm) {
		var v [4]reg.VecVirtual
		for j := range v {
			v[j] = vec(zmm)
			VMOVUPS(at(x, 4*i+j*bytesOf(zmm)), v[j])
			VSUBPS(low, v[j], v[j])
			VMULPS(inv, v[j], v[j])
			VCVTPS2DQ(v[j], v[j])
		}
		VPACKSSDW(v[1], v[0], v[0])
		VPACKSSDW(v[3], v[2], v[2])
		VPACKUSWB(v[2], v[0], v[0])
		VPERMD(v[0], order, v[0])
		move(v[0], at(to, i))
	}
	ADDQ(I32(256), x)
	ADDQ(I32(tileBytes), to)
	SUBQ(I8(64), n)
	JHI(LabelRef(name + "_numbers"))
	VZEROUPPER()
	RET()
}

// laneOrder puts the parts in order that narrowing twice within the lanes of 16
// bytes leaves apart.
func laneOrder(zmm bool) reg.VecVirtual {
	lanes := bytesOf(zmm) / 16
	return loadWords(zmm, map[bool]string{true: "order4", false: "order2"}[zmm], func(i int) uint32 {
		return uint32(i%lanes*4 + i/lanes)
	})
}

var roundRow = onRows("roundRow", "func(x *float32, n int, to *byte)",
	"roundRow is roundBFloat16Generic of n finite numbers, a multiple of 32.", tileOfHalves)

// tileOfHalves rounds to even: it adds to what is cut off 0x7fff and the lowest
// bit that is kept.
func tileOfHalves(name string, zmm bool) {
	x, n, to := pointer("x"), pointer("n"), pointer("to")
	one := loadWords(zmm, "one", func(int) uint32 { return 1 })
	most := loadWords(zmm, "most", func(int) uint32 { return 0x7fff })
	lanes := bytesOf(zmm) / 16
	order := loadWords(zmm, map[bool]string{true: "halforder4", false: "halforder2"}[zmm], func(i int) uint32 {
		pair := i / 2 // of words of 32 bits, as they are to lie
		return uint32(pair%lanes*4 + pair/lanes*2 + i%2)
	})
	Label(name + "_numbers")
	for i := 0; i < 64; i += bytesOf(zmm) {
		var v [2]reg.VecVirtual
		for j := range v {
			v[j] = vec(zmm)
			bit := vec(zmm)
			move(at(x, 2*i+j*bytesOf(zmm)), v[j])
			VPSRLD(U8(16), v[j], bit)
			and(one, bit)
			VPADDD(most, v[j], v[j])
			VPADDD(bit, v[j], v[j])
			VPSRLD(U8(16), v[j], v[j])
		}
		VPACKUSDW(v[1], v[0], v[0])
		VPERMD(v[0], order, v[0])
		move(v[0], at(to, i))
	}
	ADDQ(I32(128), x)
	ADDQ(I32(tileBytes), to)
	SUBQ(I8(32), n)
	JHI(LabelRef(name + "_numbers"))
	VZEROUPPER()
	RET()
}

var normRow = onRows("normRow", "func(x, gain, bias *float32, n int, eps float32)",
	"normRow is layerNormGeneric of n numbers, a multiple of 16.", norm)

// norm goes over the row three times: for the mean, for the variance and to
// apply them.
func norm(name string, zmm bool) {
	x, gain, bias, n := pointer("x"), pointer("gain"), pointer("bias"), pointer("n")
	count := XMM()
	inBytes, i := GP64(), GP64()
	VPXOR(count, count, count)
	VCVTSI2SSQ(n, count, count)
	MOVQ(n, inBytes)
	SHLQ(U8(2), inBytes)
	each := func(pass string, f func(j int, m Mem)) {
		XORQ(i, i)
		Label(name + pass)
		for j := range 64 / bytesOf(zmm) {
			f(j, Mem{Base: x, Index: i, Scale: 1, Disp: j * bytesOf(zmm)})
		}
		ADDQ(I8(64), i)
		CMPQ(i, inBytes)
		JLT(LabelRef(name + pass))
	}
	average := func(sums []reg.VecVirtual) reg.Register {
		VADDPS(sums[1], sums[0], sums[0])
		m := foldFloats(sums[0], VADDPS)
		VDIVSS(count, m, m)
		return m
	}
	sums := zeros(2, func() reg.VecVirtual { return vec(zmm) })
	each("_mean", func(j int, m Mem) { VADDPS(m, sums[j], sums[j]) })
	mean := vec(zmm)
	VBROADCASTSS(average(sums), mean)
	squares := zeros(2, func() reg.VecVirtual { return vec(zmm) })
	each("_variance", func(j int, m Mem) {
		v := vec(zmm)
		VMOVUPS(m, v)
		VSUBPS(mean, v, v)
		VFMADD231PS(v, v, squares[j])
	})
	variance, one := average(squares), XMM()
	VADDSS(param("eps"), variance, variance)
	VSQRTSS(variance, variance, variance)
	VMOVSS(constant("onefloat", words(16, func(int) uint32 { return 0x3f800000 })), one)
	VDIVSS(variance, one, one)
	factor := vec(zmm)
	VBROADCASTSS(one, factor)
	each("_apply", func(j int, m Mem) {
		v := vec(zmm)
		VMOVUPS(m, v)
		VSUBPS(mean, v, v)
		VMULPS(factor, v, v)
		g := m
		g.Base = gain
		b := m
		b.Base = bias
		w := vec(zmm)
		VMOVUPS(b, w)
		VFMADD132PS(g, w, v)
		VMOVUPS(v, m)
	})
	VZEROUPPER()
	RET()
}

var sumRow = onRows("sumRow", "func(dst, a, b, c *float32, n int)",
	"sumRow is sumGeneric of n numbers, a multiple of 16.", sumOfThree)

func sumOfThree(name string, zmm bool) {
	dst, a, b, c, n := pointer("dst"), pointer("a"), pointer("b"), pointer("c"), pointer("n")
	Label(name + "_numbers")
	for i := 0; i < 64; i += bytesOf(zmm) {
		v := vec(zmm)
		VMOVUPS(at(a, i), v)
		VADDPS(at(b, i), v, v)
		VADDPS(at(c, i), v, v)
		VMOVUPS(v, at(dst, i))
	}
	for _, p := range []reg.Register{dst, a, b, c} {
		ADDQ(I8(64), p)
	}
	SUBQ(I8(16), n)
	JHI(LabelRef(name + "_numbers"))
	VZEROUPPER()
	RET()
}
