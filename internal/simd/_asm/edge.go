package main

import (
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

var encodeEdge = kernel{
	"encodeEdge",
	"func(o, c *uint8, so, sc float32, n int, bits *uint8) (l1, l2, sign float32)",
	"encodeEdge is EncodeEdge with the instructions of the level in use.",
	[]body{
		{avx512bw, func(name string) { edge(name, true) }},
		{avx2, func(name string) { edge(name, false) }},
	},
}

// edge rounds the products before it takes one off the other, as plain Go does,
// so that the signs are the same.
func edge(name string, zmm bool) {
	o, c, n, bits := pointer("o"), pointer("c"), pointer("n"), pointer("bits")
	so, sc := vec(zmm), vec(zmm)
	VBROADCASTSS(param("so"), so)
	VBROADCASTSS(param("sc"), sc)
	middle := loadWords(zmm, "middle", func(int) uint32 { return 128 })
	size := loadWords(zmm, "size", func(int) uint32 { return 1<<31 - 1 })
	minus := loadWords(zmm, "minus", func(int) uint32 { return 1 << 31 })
	none := vec(zmm)
	zero(none)
	var both [2][]reg.VecVirtual // Two of each sum: one would lose more by rounding.
	for i := range both {
		both[i] = zeros(3, func() reg.VecVirtual { return vec(zmm) })
	}
	step := bytesOf(zmm) / 4

	Label(name + "_codes")
	for i := 0; i < 64; i += step {
		sums := both[i/step%2]
		r, v := vec(zmm), vec(zmm)
		for _, side := range []struct{ codes, scale, to reg.Register }{{o, so, r}, {c, sc, v}} {
			VPMOVZXBD(at(side.codes, i), side.to)
			VPSUBD(middle, side.to, side.to)
			VCVTDQ2PS(side.to, side.to)
			VMULPS(side.scale, side.to, side.to)
		}
		VSUBPS(v, r, r)
		VFMADD231PS(r, r, sums[1])
		if zmm {
			plus, rest := K(), K()
			VCMPPS(U8(notBelow), none, r, plus)
			KMOVW(plus, at(bits, i/8))
			KNOTW(plus, rest)
			VPXORD(minus, v, rest, v)
		} else {
			plus, mask := vec(zmm), GP32()
			VCMPPS(U8(notBelow), none, r, plus)
			VMOVMSKPS(plus, mask)
			MOVB(mask.As8(), at(bits, i/8))
			VPANDN(minus, plus, plus)
			VPXOR(plus, v, v)
		}
		and(size, r)
		VADDPS(r, sums[0], sums[0])
		VADDPS(v, sums[2], sums[2])
	}
	ADDQ(I8(64), o)
	ADDQ(I8(64), c)
	ADDQ(I8(8), bits)
	SUBQ(I8(64), n)
	JHI(LabelRef(name + "_codes"))
	for i, sum := range both[0] {
		VADDPS(both[1][i], sum, sum)
		VMOVSS(sumFloats(sum), result(i))
	}
	VZEROUPPER()
	RET()
}

// sumFloats adds up the floats of v; the sum is the lowest.
func sumFloats(v reg.VecVirtual) reg.Register {
	x, h := fold(v, VADDPS), XMM()
	VPERMILPS(U8(0xee), x, h)
	VADDPS(h, x, x)
	VMOVSHDUP(x, h)
	VADDSS(h, x, x)
	return x
}

var dotFine = kernel{
	"dotFine",
	"func(q *float32, hi, lo *uint8, n int) float32",
	"dotFine is DotFine with the instructions of the level in use.",
	[]body{
		{avx512bw, func(name string) { fine(name, true) }},
		{avx2, func(name string) { fine(name, false) }},
	},
}

// fine puts the codes together as integers of 12 bits.
func fine(name string, zmm bool) {
	q, hi, lo, n := pointer("q"), pointer("hi"), pointer("lo"), pointer("n")
	low := loadWords(zmm, "low", func(int) uint32 { return 15 })
	middle := loadWords(zmm, "finemiddle", func(int) uint32 { return 16*128 + 8 })
	sums := zeros(4, func() reg.VecVirtual { return vec(zmm) })
	step := bytesOf(zmm) / 4
	Label(name + "_codes")
	for i := 0; i < 32; i += step {
		a, b, nibbles := vec(zmm), vec(zmm), vec(zmm)
		VPMOVZXBD(at(hi, i), a)
		VPMOVZXBD(at(hi, i+32), b)
		VPMOVZXBD(at(lo, i), nibbles)
		VPSLLD(U8(4), a, a)
		VPSLLD(U8(4), b, b)
		if zmm {
			VPTERNLOGD(U8(aOrBAndC), low, nibbles, a)
		} else {
			t := vec(zmm)
			VPAND(low, nibbles, t)
			VPOR(t, a, a)
		}
		VPSRLD(U8(4), nibbles, nibbles)
		VPADDD(nibbles, b, b)
		for j, v := range []reg.VecVirtual{a, b} {
			VPSUBD(middle, v, v)
			VCVTDQ2PS(v, v)
			VFMADD231PS(at(q, 4*(i+32*j)), v, sums[i/step*2%4+j])
		}
	}
	ADDQ(I32(256), q)
	ADDQ(I8(64), hi)
	ADDQ(I8(32), lo)
	SUBQ(I8(64), n)
	JHI(LabelRef(name + "_codes"))
	VADDPS(sums[1], sums[0], sums[0])
	VADDPS(sums[3], sums[2], sums[2])
	VADDPS(sums[2], sums[0], sums[0])
	VMOVSS(sumFloats(sums[0]), result(0))
	VZEROUPPER()
	RET()
}

var quantize = kernel{
	"quantize",
	"func(x *float32, inv float32, n int, out *int8) int32",
	"quantize is Quantize with the instructions of the level in use.",
	[]body{
		{avx512bw, func(name string) { codes(name, true) }},
		{avx2, func(name string) { codes(name, false) }},
	},
}

// codes narrows four registers of numbers to one. That works within the lanes of
// 16 bytes, so their parts are put in order at the end.
func codes(name string, zmm bool) {
	x, n, out := pointer("x"), pointer("n"), pointer("out")
	inv := vec(zmm)
	VBROADCASTSS(param("inv"), inv)
	top := loadWords(zmm, "top", func(int) uint32 { return math.Float32bits(127) })
	bottom := loadWords(zmm, "bottom", func(int) uint32 { return math.Float32bits(-127) })
	lanes := bytesOf(zmm) / 16
	order := loadWords(zmm, map[bool]string{true: "order4", false: "order2"}[zmm], func(i int) uint32 {
		return uint32(i%lanes*4 + i/lanes)
	})
	sums := zeros(2, func() reg.VecVirtual { return vec(zmm) })
	Label(name + "_numbers")
	for i := 0; i < 64; i += bytesOf(zmm) {
		var v [4]reg.VecVirtual
		for j := range v {
			v[j] = vec(zmm)
			VMULPS(at(x, 4*i+j*bytesOf(zmm)), inv, v[j])
			VMINPS(top, v[j], v[j])
			VMAXPS(bottom, v[j], v[j])
			VCVTPS2DQ(v[j], v[j])
			VPADDD(v[j], sums[j%2], sums[j%2])
		}
		VPACKSSDW(v[1], v[0], v[0])
		VPACKSSDW(v[3], v[2], v[2])
		VPACKSSWB(v[2], v[0], v[0])
		VPERMD(v[0], order, v[0])
		move(v[0], at(out, i))
	}
	ADDQ(I32(256), x)
	ADDQ(I8(64), out)
	SUBQ(I8(64), n)
	JHI(LabelRef(name + "_numbers"))
	VPADDD(sums[1], sums[0], sums[0])
	returnInt(sumInts(sums[0]))
	VZEROUPPER()
	RET()
}
