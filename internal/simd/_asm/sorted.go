package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
)

var insertSorted = kernel{
	"insertSorted",
	"func(keys *uint64, n int, k uint64) int",
	"insertSorted is InsertSorted with the instructions of the level in use.",
	[]body{{avx512bw, insertWide}},
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

	Label(name + "_few")
	ADDQ(I8(8), n)
	JEQ(LabelRef(name + "_put"))
	Label(name + "_one")
	one8 := GP64()
	MOVQ(at(end, -8), one8)
	CMPQ(one8, k)
	JLS(LabelRef(name + "_put"))
	MOVQ(one8, at(end, 0))
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
