package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

var insertSorted = kernel{
	"insertSorted",
	"func(keys *uint64, n int, k uint64) int",
	"insertSorted is InsertSorted with the instructions of the level in use.",
	[]body{{avx512bw, insertWide}, {avx2, insertEight}},
}

// insertWide moves eight keys at a time one place up, from the last one on,
// until it meets one that is not larger.
func insertWide(name string) {
	keys, n, k := pointer("keys"), pointer("n"), pointer("k")
	one, v := ZMM(), ZMM()
	VPBROADCASTQ(k, one)
	larger, bits := K(), GP32()
	end := GP64()
	LEAQ(at(keys, 0).Idx(n, 8), end) // behind the last that is not moved
	Label(name + "_eight")
	SUBQ(I8(8), n)
	JLT(LabelRef(name + "_few"))
	VMOVDQU64(at(end, -64), v)
	VPCMPUQ(U8(6), one, v, larger) // not less or equal
	VMOVDQU64(v, larger, at(end, -56))
	KMOVW(larger, bits)
	CMPL(bits, U32(0xff))
	JNE(LabelRef(name + "_found"))
	SUBQ(I8(64), end)
	JMP(LabelRef(name + "_eight"))

	Label(name + "_found")
	// The larger ones are the last of the eight.
	ORL(U32(0x100), bits)
	BSFL(bits, bits)
	LEAQ(at(end, -64).Idx(bits.As64(), 8), end)
	JMP(LabelRef(name + "_put"))

	insertFew(name, keys, n, end, k)
}

// insertFew moves the first keys, of which there are n+8 and fewer than eight, one
// by one, puts k before what was moved, and returns its place.
func insertFew(name string, keys, n, end, k reg.Register) {
	Label(name + "_few")
	ADDQ(I8(8), n)
	JEQ(LabelRef(name + "_put"))
	Label(name + "_one")
	one := GP64()
	MOVQ(at(end, -8), one)
	CMPQ(one, k)
	JLS(LabelRef(name + "_put"))
	MOVQ(one, at(end, 0))
	SUBQ(I8(8), end)
	DECQ(n)
	JNE(LabelRef(name + "_one"))

	Label(name + "_put")
	MOVQ(k, at(end, 0))
	SUBQ(keys, end)
	SHRQ(U8(3), end)
	MOVQ(end, result(0))
	VZEROUPPER()
	RET()
}

// insertEight is insertWide for registers of four keys, which are compared as
// signed numbers and stored as a whole: eight keys whose first is larger are moved
// unseen; of those that k belongs to each is replaced by the one before it, if it
// is larger than k.
func insertEight(name string) {
	keys, n, k := pointer("keys"), pointer("n"), pointer("k")
	end := GP64()
	LEAQ(at(keys, 0).Idx(n, 8), end) // behind the last that is not moved
	Label(name + "_eight")
	SUBQ(I8(8), n)
	JLT(LabelRef(name + "_few"))
	first, low, high := GP64(), YMM(), YMM()
	MOVQ(at(end, -64), first)
	VMOVDQU(at(end, -64), low)
	VMOVDQU(at(end, -32), high)
	CMPQ(first, k)
	JLS(LabelRef(name + "_found"))
	VMOVDQU(low, at(end, -56))
	VMOVDQU(high, at(end, -24))
	SUBQ(I8(64), end)
	JMP(LabelRef(name + "_eight"))

	Label(name + "_found")
	flip, bound, last := YMM(), YMM(), GP64()
	VPBROADCASTQ(constant("topbit", bytes(8, func(i int) int { return i / 7 * 128 })), flip)
	VPBROADCASTQ(param("k"), bound)
	VPXOR(flip, bound, bound)
	MOVQ(at(end, -8), last)
	larger := [2]reg.VecVirtual{YMM(), YMM()}
	before := [2]reg.VecVirtual{YMM(), YMM()}
	VPERMQ(U8(0x90), low, before[0])
	VMOVDQU(at(end, -40), before[1])
	bits := [2]reg.GPVirtual{GP32(), GP32()}
	for i, v := range []reg.VecVirtual{low, high} {
		VPXOR(flip, v, larger[i])
		VPCMPGTQ(bound, larger[i], larger[i])
		VMOVMSKPD(larger[i], bits[i])
	}
	for i, v := range []reg.VecVirtual{low, high} {
		VPBLENDVB(larger[i], before[i], v, v)
		VMOVDQU(v, at(end, 32*i-64))
	}
	MOVQ(last, at(end, 0))
	SHLL(U8(4), bits[1])
	ORL(bits[1], bits[0])
	ORL(U32(0x100), bits[0])
	BSFL(bits[0], bits[0]) // the larger ones are the last of the eight
	LEAQ(at(end, -64).Idx(bits[0].As64(), 8), end)
	JMP(LabelRef(name + "_put"))

	insertFew(name, keys, n, end, k)
}
