package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

const needsVNNI = "it needs AVX512F and AVX512VNNI."

// dotCodes sums in two registers.
func dotCodes() {
	kernel("dotCodesVNNI", "func(x *uint8, q *int8, n int) int32", "dotCodesVNNI is DotCodes; "+needsVNNI)
	x, q, n := arg("x"), arg("q"), arg("n")
	acc, second := zero(), zero()
	a, b := ZMM(), ZMM()
	Label("dot_two")
	CMPQ(n, U32(128))
	JL(LabelRef("dot_one"))
	VMOVDQU64(Mem{Base: x}, a)
	VPDPBUSD(Mem{Base: q}, a, acc)
	VMOVDQU64(Mem{Base: x, Disp: 64}, b)
	VPDPBUSD(Mem{Base: q, Disp: 64}, b, second)
	ADDQ(U32(128), x)
	ADDQ(U32(128), q)
	SUBQ(U32(128), n)
	JMP(LabelRef("dot_two"))
	Label("dot_one")
	TESTQ(n, n)
	JE(LabelRef("dot_end"))
	VMOVDQU64(Mem{Base: x}, a)
	VPDPBUSD(Mem{Base: q}, a, acc)
	Label("dot_end")
	VPADDD(second, acc, acc)
	sumDwords(acc)
	result(0, acc)
	done()
}

// fetchAhead is how many vectors of a list are on their way from memory.
const fetchAhead = 4

// dotCodesList goes vector by vector and meanwhile fetches the one fetchAhead
// places further on.
func dotCodesList() {
	kernel("dotCodesListVNNI", "func(base *uint8, stride int, slots *uint32, count int, q *int8, n int, out *int32)", "dotCodesListVNNI is DotCodesList for count slots, at least 1; "+needsVNNI)
	base, stride, slots, count := arg("base"), arg("stride"), arg("slots"), arg("count")
	q, n, out := arg("q"), arg("n"), arg("out")

	// Fetch the first ones.
	i, p, line := GP64(), GP64(), GP64()
	XORQ(i, i)
	Label("list_first")
	CMPQ(i, count)
	JGE(LabelRef("list_go"))
	CMPQ(i, Imm(fetchAhead))
	JGE(LabelRef("list_go"))
	address(base, stride, slots, i, p)
	XORQ(line, line)
	Label("list_line")
	PREFETCHT0(Mem{Base: p, Index: line, Scale: 1})
	ADDQ(Imm(64), line)
	CMPQ(line, n)
	JL(LabelRef("list_line"))
	INCQ(i)
	JMP(LabelRef("list_first"))

	Label("list_go")
	XORQ(i, i)
	Label("list_vector")
	later, fetch := GP64(), GP64()
	LEAQ(Mem{Base: i, Disp: fetchAhead}, later)
	CMPQ(later, count)
	CMOVQGE(i, later)
	address(base, stride, slots, later, fetch)
	address(base, stride, slots, i, p)
	acc, v := zero(), ZMM()
	XORQ(line, line)
	Label("list_step")
	PREFETCHT0(Mem{Base: fetch, Index: line, Scale: 1})
	VMOVDQU64(Mem{Base: p, Index: line, Scale: 1}, v)
	VPDPBUSD(Mem{Base: q, Index: line, Scale: 1}, v, acc)
	ADDQ(Imm(64), line)
	CMPQ(line, n)
	JL(LabelRef("list_step"))
	sumDwords(acc)
	VMOVD(acc.AsX(), Mem{Base: out, Index: i, Scale: 4})
	INCQ(i)
	CMPQ(i, count)
	JL(LabelRef("list_vector"))
	done()
}

// address computes base + slots[i]*stride.
func address(base, stride, slots, i, p reg.GPVirtual) {
	MOVL(Mem{Base: slots, Index: i, Scale: 4}, p.As32())
	IMULQ(stride, p)
	ADDQ(base, p)
}

// dotFine turns sixteen codes of twelve bits at a time into floats.
func dotFine() {
	kernel("dotFineAVX512", "func(q *float32, hi, lo *uint8, n int) float32", "dotFineAVX512 is DotFine; it needs AVX512F.")
	q, hi, lo, n := arg("q"), arg("hi"), arg("lo"), arg("n")
	offset, nibble := constant(16*128+8), constant(0x0f0f0f0f)
	acc := [2]reg.VecVirtual{zero(), zero()}
	Label("fine_step")
	both, parts := YMM(), [2]reg.VecVirtual{YMM(), YMM()}
	VMOVDQU(Mem{Base: lo}, both)
	VPAND(nibble.AsY(), both, parts[0])
	VPSRLW(U8(4), both, parts[1])
	VPAND(nibble.AsY(), parts[1], parts[1])
	for i := range 4 {
		v, w := ZMM(), ZMM()
		VPMOVZXBD(Mem{Base: hi, Disp: 16 * i}, v)
		VPSLLD(U8(4), v, v)
		part := parts[i/2]
		if i%2 == 0 {
			VPMOVZXBD(part.AsX(), w)
		} else {
			x := XMM()
			VEXTRACTI128(U8(1), part, x)
			VPMOVZXBD(x, w)
		}
		VPADDD(w, v, v)
		VPSUBD(offset, v, v)
		VCVTDQ2PS(v, v)
		VFMADD231PS(Mem{Base: q, Disp: 64 * i}, v, acc[i%2])
	}
	ADDQ(U32(256), q)
	ADDQ(Imm(64), hi)
	ADDQ(Imm(32), lo)
	SUBQ(Imm(64), n)
	JNE(LabelRef("fine_step"))
	VADDPS(acc[1], acc[0], acc[0])
	sumFloats(acc[0])
	result(0, acc[0])
	done()
}

// encodeEdge works on sixteen numbers at a time, without fused instructions so
// that the signs are those of the generic twin.
func encodeEdge() {
	kernel("encodeEdgeAVX512", "func(o, c *uint8, so, sc float32, n int, bits *uint8) (l1, l2, sign float32)",
		"encodeEdgeAVX512 is EncodeEdge; it needs AVX512F and AVX512DQ.")
	o, c, n, bits := arg("o"), arg("c"), arg("n"), arg("bits")
	so, sc := float("so"), float("sc")
	offset, magnitude := constant(128), constant(0x7fffffff)
	l1, l2, sign, none := zero(), zero(), zero(), zero()
	Label("edge_step")
	r, cv, t := ZMM(), ZMM(), ZMM()
	for _, x := range []struct {
		at       reg.GPVirtual
		to, step reg.VecVirtual
	}{{o, r, so}, {c, cv, sc}} {
		VPMOVZXBD(Mem{Base: x.at}, x.to)
		VPSUBD(offset, x.to, x.to)
		VCVTDQ2PS(x.to, x.to)
		VMULPS(x.step, x.to, x.to)
	}
	VSUBPS(cv, r, r)
	k := K()
	VCMPPS(U8(0x1d), none, r, k) // at least, ordered
	word := GP32()
	KMOVW(k, word)
	MOVW(word.As16(), Mem{Base: bits})
	VFMADD231PS(r, r, l2)
	VPANDD(magnitude, r, t)
	VADDPS(t, l1, l1)
	VSUBPS(cv, none, t)
	VMOVAPS(cv, k, t)
	VADDPS(t, sign, sign)
	ADDQ(Imm(16), o)
	ADDQ(Imm(16), c)
	ADDQ(Imm(2), bits)
	SUBQ(Imm(16), n)
	JNE(LabelRef("edge_step"))
	for i, z := range []reg.VecVirtual{l1, l2, sign} {
		sumFloats(z)
		result(i, z)
	}
	done()
}
