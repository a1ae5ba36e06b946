package main

import (
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// quantize rounds sixteen numbers at a time.
func quantize() {
	kernel("quantizeAVX512", "func(x *float32, inv float32, n int, out *int8) int32", "quantizeAVX512 is Quantize; it needs AVX512F.")
	x, n, out, inv := arg("x"), arg("n"), arg("out"), float("inv")
	least, most := constant(0xffffff81), constant(127)
	sum := zero()
	Label("quantize_step")
	v := ZMM()
	VMULPS(Mem{Base: x}, inv, v)
	VCVTPS2DQ(v, v)
	VPMAXSD(least, v, v)
	VPMINSD(most, v, v)
	VPADDD(v, sum, sum)
	VPMOVDB(v, Mem{Base: out})
	ADDQ(Imm(64), x)
	ADDQ(Imm(16), out)
	SUBQ(Imm(16), n)
	JNE(LabelRef("quantize_step"))
	sumDwords(sum)
	result(0, sum)
	done()
}

func maxAbs() {
	kernel("maxAbsAVX512", "func(x *float32, n int) float32", "maxAbsAVX512 is MaxAbs of n floats, a multiple of 16 and at least 16; it needs AVX512F.")
	x, n := arg("x"), arg("n")
	magnitude, m := constant(0x7fffffff), zero()
	Label("max_step")
	v := ZMM()
	VPANDD(Mem{Base: x}, magnitude, v)
	VMAXPS(v, m, m)
	ADDQ(Imm(64), x)
	SUBQ(Imm(16), n)
	JNE(LabelRef("max_step"))
	y, h := YMM(), XMM()
	VEXTRACTF64X4(U8(1), m, y)
	VMAXPS(y, m.AsY(), m.AsY())
	VEXTRACTF128(U8(1), m.AsY(), h)
	VMAXPS(h, m.AsX(), m.AsX())
	VPSHUFD(U8(0x4e), m.AsX(), h)
	VMAXPS(h, m.AsX(), m.AsX())
	VPSHUFD(U8(0xb1), m.AsX(), h)
	VMAXPS(h, m.AsX(), m.AsX())
	result(0, m)
	done()
}

func multiply() {
	kernel("multiplyAVX512", "func(x, y *float32, n int)", "multiplyAVX512 is Multiply of n floats, a multiple of 16 and at least 16; it needs AVX512F.")
	x, y, n := arg("x"), arg("y"), arg("n")
	Label("multiply_step")
	v := ZMM()
	VMOVUPS(Mem{Base: x}, v)
	VMULPS(Mem{Base: y}, v, v)
	VMOVUPS(v, Mem{Base: x})
	ADDQ(Imm(64), x)
	ADDQ(Imm(64), y)
	SUBQ(Imm(16), n)
	JNE(LabelRef("multiply_step"))
	done()
}

// hadamard has two kernels: the steps within 64 floats, and two further steps
// at once over any distance.
func hadamard() {
	kernel("hadamard64AVX512", "func(x *float32, n int, scale float32)", "hadamard64AVX512 multiplies n floats, a multiple of 64, by scale and transforms each 64 of them; it needs AVX512F.")
	x, n, scale := arg("x"), arg("n"), float("scale")
	var signs [4]reg.VecVirtual
	for i := range signs {
		signs[i] = ZMM()
		VMOVUPS(signsOf(1<<i), signs[i])
	}
	Label("hadamard64_step")
	var z [4]reg.VecVirtual
	for i := range z {
		z[i] = ZMM()
		VMULPS(Mem{Base: x, Disp: 64 * i}, scale, z[i])
	}
	for i := range z {
		for step := range 4 {
			t := ZMM()
			switch step {
			case 0:
				VPERMILPS(U8(0xb1), z[i], t)
			case 1:
				VPERMILPS(U8(0x4e), z[i], t)
			case 2:
				VSHUFF32X4(U8(0xb1), z[i], z[i], t)
			case 3:
				VSHUFF32X4(U8(0x4e), z[i], z[i], t)
			}
			VFMADD231PS(signs[step], z[i], t) // t += ±z
			z[i] = t
		}
	}
	four(z)
	for i := range z {
		VMOVUPS(z[i], Mem{Base: x, Disp: 64 * i})
	}
	ADDQ(U32(256), x)
	SUBQ(Imm(64), n)
	JNE(LabelRef("hadamard64_step"))
	done()

	kernel("hadamardFourAVX512", "func(x *float32, n, h int)", "hadamardFourAVX512 does the steps over the distances h and 2h on n floats, a multiple of 4h; h is a multiple of 16. It needs AVX512F.")
	x, n, h := arg("x"), arg("n"), arg("h")
	SHLQ(U8(2), h) // bytes
	j, p1, p2, p3 := GP64(), GP64(), GP64(), GP64()
	Label("four_block")
	LEAQ(Mem{Base: x, Index: h, Scale: 1}, p1)
	LEAQ(Mem{Base: x, Index: h, Scale: 2}, p2)
	LEAQ(Mem{Base: p1, Index: h, Scale: 2}, p3)
	XORQ(j, j)
	Label("four_step")
	at := []Mem{{Base: x, Index: j, Scale: 1}, {Base: p1, Index: j, Scale: 1}, {Base: p2, Index: j, Scale: 1}, {Base: p3, Index: j, Scale: 1}}
	for i := range z {
		z[i] = ZMM()
		VMOVUPS(at[i], z[i])
	}
	four(z)
	for i := range z {
		VMOVUPS(z[i], at[i])
	}
	ADDQ(Imm(64), j)
	CMPQ(j, h)
	JL(LabelRef("four_step"))
	LEAQ(Mem{Base: p3, Index: h, Scale: 1}, x)
	SUBQ(h, n) // n counts floats: h bytes are a block of 4h/4 floats
	CMPQ(n, Imm(0))
	JG(LabelRef("four_block"))
	done()

	kernel("hadamardTwoAVX512", "func(x *float32, h int)", "hadamardTwoAVX512 does the step over the distance h on 2h floats; h is a multiple of 16. It needs AVX512F.")
	x, h = arg("x"), arg("h")
	p := GP64()
	LEAQ(Mem{Base: x, Index: h, Scale: 4}, p)
	Label("two_step")
	a, b := ZMM(), ZMM()
	VMOVUPS(Mem{Base: x}, a)
	VMOVUPS(Mem{Base: p}, b)
	c := ZMM()
	VADDPS(b, a, c)
	VSUBPS(b, a, b)
	VMOVUPS(c, Mem{Base: x})
	VMOVUPS(b, Mem{Base: p})
	ADDQ(Imm(64), x)
	ADDQ(Imm(64), p)
	SUBQ(Imm(16), h)
	JNE(LabelRef("two_step"))
	done()
}

// four transforms the four floats of each lane.
func four(z [4]reg.VecVirtual) {
	for _, pair := range [][2]int{{0, 1}, {2, 3}, {0, 2}, {1, 3}} {
		a, b := z[pair[0]], z[pair[1]]
		t := ZMM()
		VSUBPS(b, a, t)
		VADDPS(b, a, a)
		VMOVAPS(t, b)
	}
}

// signsOf is 1 where the bit h of the lane's number is clear, else -1.
func signsOf(h int) Mem {
	m := GLOBL("signs"+string(rune('a'+h)), RODATA|NOPTR)
	for i := range 16 {
		s := float32(1)
		if i&h != 0 {
			s = -1
		}
		DATA(4*i, U32(math.Float32bits(s)))
	}
	return m
}

func prefetch() {
	kernel("prefetchList", "func(base *uint8, stride int, slots *uint32, count, bytes int)", "prefetchList fetches the first bytes at base + slots[i]*stride into the cache, for count slots.")
	base, stride, slots, count, bytes := arg("base"), arg("stride"), arg("slots"), arg("count"), arg("bytes")
	i, p, line := GP64(), GP64(), GP64()
	XORQ(i, i)
	Label("prefetch_slot")
	CMPQ(i, count)
	JGE(LabelRef("prefetch_end"))
	address(base, stride, slots, i, p)
	XORQ(line, line)
	Label("prefetch_line")
	PREFETCHT0(Mem{Base: p, Index: line, Scale: 1})
	ADDQ(Imm(64), line)
	CMPQ(line, bytes)
	JL(LabelRef("prefetch_line"))
	INCQ(i)
	JMP(LabelRef("prefetch_slot"))
	Label("prefetch_end")
	RET()
}
