package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

var estimateList = kernel{
	"estimateList",
	"func(base *uint8, stride uintptr, slots []uint32, q *int8, words int, mul, add, origin float32, out []float32)",
	"estimateList is EstimateList with the instructions of the level in use; words is how many words of 64 bits a code has.",
	[]body{{avx2, estimateRows}},
}

const (
	// rowsAhead is how many rows before it is read a row is fetched.
	rowsAhead = 12
	// rowWords is how many words of a row can be added up in bytes: numbers are up to
	// 15, and 8 times that is below 128.
	rowWords = 8
)

// estimateRows makes a mask of bytes of the bits of a row. The parameters that do not
// fit into registers stay in memory.
func estimateRows(name string) {
	slots, count, out := pointer("slots_base"), pointer("slots_len"), pointer("out_base")
	mul, add, origin := XMM(), XMM(), XMM()
	VMOVSS(param("mul"), mul)
	VMOVSS(param("add"), add)
	VMOVSS(param("origin"), origin)
	// Byte i of a register gets the byte of the row with its bit.
	var spread [2]reg.VecVirtual
	for half, part := range []string{"spreadlow", "spreadhigh"} {
		spread[half] = load(false, part, func(i int) int { return 4*half + i%32/8 })
	}
	bit := load(false, "bits", func(i int) int { return 1 << (i % 8) })
	ones := load(false, "ones", func(int) int { return 1 })
	x, q, left, some := GP64(), GP64(), GP64(), GP64()
	row := func(i int) {
		MOVL(at(slots, 4*i), x.As32())
		IMULQ(param("stride"), x)
		ADDQ(param("base"), x)
		MOVQ(param("words"), left)
	}
	TESTQ(count, count)
	JEQ(LabelRef(name + "_done"))

	Label(name + "_row")
	CMPQ(count, I8(rowsAhead))
	JLE(LabelRef(name + "_fetched"))
	row(rowsAhead)
	Label(name + "_line")
	PREFETCHT0(at(x, 0))
	ADDQ(I8(64), x)
	SUBQ(I8(8), left)
	JGE(LabelRef(name + "_line")) // the factors are behind the last word
	Label(name + "_fetched")

	row(0)
	MOVQ(param("q"), q)
	total := YMM()
	zero(total)
	Label(name + "_words")
	MOVQ(U32(rowWords), some)
	CMPQ(left, some)
	JGE(LabelRef(name + "_many"))
	MOVQ(left, some)
	Label(name + "_many")
	SUBQ(some, left)
	sums := zeros(2, YMM)
	Label(name + "_word")
	word := YMM()
	VPBROADCASTQ(at(x, 0), word)
	for half, sum := range sums {
		mask := YMM()
		VPSHUFB(spread[half], word, mask)
		VPAND(bit, mask, mask)
		VPCMPEQB(bit, mask, mask)
		VPAND(at(q, 32*half), mask, mask)
		VPADDB(mask, sum, sum)
	}
	ADDQ(I8(8), x)
	ADDQ(I8(64), q)
	DECQ(some)
	JNE(LabelRef(name + "_word"))
	for _, sum := range sums {
		VPMADDUBSW(sum, ones, sum)
	}
	VPADDW(sums[1], sums[0], sums[0])
	VPMADDWD(constant("oneshorts", words(16, func(int) uint32 { return 1<<16 | 1 })), sums[0], sums[0])
	VPADDD(sums[0], total, total)
	TESTQ(left, left)
	JNE(LabelRef(name + "_words"))

	sum, factor := sumInts(total), XMM()
	VCVTDQ2PS(sum, sum)
	VFMADD213SS(add, mul, sum)
	VMOVSS(at(x, 4), factor)
	VFMADD213SS(at(x, 0), factor, sum)
	VADDSS(origin, sum, sum)
	VMOVSS(sum, at(out, 0))
	ADDQ(I8(4), slots)
	ADDQ(I8(4), out)
	DECQ(count)
	JNE(LabelRef(name + "_row"))
	Label(name + "_done")
	VZEROUPPER()
	RET()
}
