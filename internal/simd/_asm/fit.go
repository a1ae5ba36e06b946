package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

var greatestSums = kernel{
	"greatestSums",
	"func(panel *byte, n int, most *int32)",
	"greatestSums is greatestSumsGeneric of n bytes, a multiple of 128.",
	[]body{{matrixAVX2, greatest}},
}

// greatest takes the positive weights of two groups and the sizes of the negative
// ones apart, adds up neighbors and keeps the greatest in words.
func greatest(name string) {
	panel, n, most := pointer("panel"), pointer("n"), pointer("most")
	zero, ones := YMM(), YMM()
	VPXOR(zero, zero, zero)
	VMOVDQU(constant("byteones", bytes(32, func(int) int { return 1 })), ones)
	high := [2]reg.VecVirtual{YMM(), YMM()} // eight outputs each
	for _, h := range high {
		VPXOR(h, h, h)
	}
	Label(name + "_groups")
	for i, h := range high {
		var sums [2][2]reg.VecVirtual // by group and sign
		for g := range sums {
			x, plus, minus := YMM(), YMM(), YMM()
			VMOVDQU(at(panel, g*stepBytes+32*i), x)
			VPMAXSB(zero, x, plus)
			VPSUBB(x, plus, minus)
			VPMADDUBSW(ones, plus, plus)
			VPMADDUBSW(ones, minus, minus)
			sums[g] = [2]reg.VecVirtual{plus, minus}
		}
		for sign := range sums[0] {
			VPADDW(sums[1][sign], sums[0][sign], sums[0][sign])
			VPMAXSW(sums[0][sign], h, h)
		}
	}
	ADDQ(I32(2*stepBytes), panel)
	SUBQ(I32(2*stepBytes), n)
	JHI(LabelRef(name + "_groups"))
	for i, h := range high {
		odd := YMM()
		VPSRLD(U8(16), h, odd)
		VPMAXSW(odd, h, h)
		VPSLLD(U8(16), h, h)
		VPSRLD(U8(16), h, h)
		VMOVDQU(h, at(most, 32*i))
	}
	VZEROUPPER()
	RET()
}

var roundAgain = kernel{
	"roundAgain",
	"func(to, from *byte, n int, factors *int16, sums *int32)",
	"roundAgain is roundAgainGeneric of n bytes, a multiple of 64.",
	[]body{{matrixAVX2, rounded}},
}

// rounded multiplies 16 weights at a time in words.
func rounded(name string) {
	to, from, n, factors, sums := pointer("to"), pointer("from"), pointer("n"), pointer("factors"), pointer("sums")
	var factor [4]reg.VecVirtual
	for i := range factor {
		factor[i] = YMM()
		VMOVDQU(at(factors, 32*i), factor[i])
	}
	ones, wordOnes := YMM(), YMM()
	VMOVDQU(constant("byteones", bytes(32, func(int) int { return 1 })), ones)
	VMOVDQU(ymm.words("wordones", 0x00010001), wordOnes)
	total := [2]reg.VecVirtual{YMM(), YMM()}
	for _, t := range total {
		VPXOR(t, t, t)
	}
	Label(name + "_groups")
	for i, t := range total {
		low, high := YMM(), YMM()
		for j, w := range []reg.VecVirtual{low, high} {
			VPMOVSXBW(at(from, 32*i+16*j), w)
			VPMULHRSW(factor[2*i+j], w, w)
		}
		VPACKSSWB(high, low, low)
		VPERMQ(U8(0xd8), low, low) // the order of the lanes
		VMOVDQU(low, at(to, 32*i))
		VPMADDUBSW(low, ones, low)
		VPMADDWD(wordOnes, low, low)
		VPADDD(low, t, t)
	}
	ADDQ(I8(stepBytes), from)
	ADDQ(I8(stepBytes), to)
	SUBQ(I8(stepBytes), n)
	JHI(LabelRef(name + "_groups"))
	for i, t := range total {
		VMOVDQU(t, at(sums, 32*i))
	}
	VZEROUPPER()
	RET()
}
