package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

var transposeKeys = kernel{
	"transposeKeys",
	"func(k *float32, stride, n, size int, to *float32, padded int)",
	"transposeKeys is transposeKeysGeneric; padded is a multiple of 16, size one of 32.",
	[]body{
		{matrixAVX512, func(name string) { transposed(name, zmm) }},
		{matrixAVX2, func(name string) { transposed(name, ymm) }},
	},
}

// transposed takes as many tokens and as many of their numbers at a time as a
// register holds.
func transposed(name string, f file) {
	side := f.bytes() / 4
	out, end := reg.RDI, reg.RDX // bytes of a line that is written; tokens
	MOVQ(param("k"), pBlock)
	MOVQ(param("stride"), pStride)
	MOVQ(param("n"), pN)
	MOVQ(param("size"), pWidth)
	SHLQ(U8(2), pWidth)
	MOVQ(param("padded"), end)
	MOVQ(end, out)
	SHLQ(U8(2), out)
	LEAQ(constant("zeros", bytes(256, func(int) int { return 0 })), pNone)
	XORQ(pFirst, pFirst)
	Label(name + "_block")
	MOVQ(param("to"), pTo)
	LEAQ(Mem{Base: pTo, Index: pFirst, Scale: 4}, pTo)
	XORQ(pColumn, pColumn)
	Label(name + "_columns")
	MOVQ(pBlock, pLine)
	MOVQ(pFirst, pToken)
	for r := range side {
		LEAQ(Mem{Base: pLine, Index: pColumn, Scale: 1}, pFrom)
		CMPQ(pToken, pN)
		CMOVQGE(pNone, pFrom)
		VMOVUPS(at(pFrom, 0), f[r])
		ADDQ(pStride, pLine)
		INCQ(pToken)
	}
	if f.wide() {
		transpose(f)
	} else {
		transpose8(f)
	}
	for r := range side {
		VMOVUPS(f[r], at(pTo, 0))
		ADDQ(out, pTo)
	}
	ADDQ(I8(f.bytes()), pColumn)
	CMPQ(pColumn, pWidth)
	JLT(LabelRef(name + "_columns"))
	MOVQ(pLine, pBlock)
	ADDQ(I8(side), pFirst)
	CMPQ(pFirst, end)
	JLT(LabelRef(name + "_block"))
	VZEROUPPER()
	RET()
}

// transpose exchanges rows and columns of the 16 × 16 numbers of 32 bits in the
// registers 0 to 15.
func transpose(f file) {
	a, b := f[:16], f[16:]
	quads(a, b)
	const even, odd = 0x88, 0xdd // lanes of 16 bytes
	for j := range 4 {
		for i := range 2 {
			VSHUFI32X4(U8(even), a[8*i+4+j], a[8*i+j], b[4*j+2*i])
			VSHUFI32X4(U8(odd), a[8*i+4+j], a[8*i+j], b[4*j+2*i+1])
		}
	}
	for j := range 4 {
		for i := range 2 {
			VSHUFI32X4(U8(even), b[4*j+2+i], b[4*j+i], a[4*i+j])
			VSHUFI32X4(U8(odd), b[4*j+2+i], b[4*j+i], a[8+4*i+j])
		}
	}
}

// transpose8 does so with the 8 × 8 numbers in the registers 0 to 7.
func transpose8(f file) {
	a, b := f[:8], f[8:]
	quads(a, b)
	for j := range 4 {
		VPERM2I128(U8(0x20), a[4+j], a[j], b[j])
		VPERM2I128(U8(0x31), a[4+j], a[j], b[4+j])
	}
	for i := range b {
		VMOVUPS(b[i], a[i])
	}
}

// quads leaves in each lane of 16 bytes of a[4g+j] column j of the lane of the
// four rows from 4g on; b is spare.
func quads(a, b []reg.VecPhysical) {
	for i := 0; i < len(a); i += 2 {
		VPUNPCKLDQ(a[i+1], a[i], b[i])
		VPUNPCKHDQ(a[i+1], a[i], b[i+1])
	}
	for i := 0; i < len(a); i += 4 {
		for j := range 2 {
			VPUNPCKLQDQ(b[i+j+2], b[i+j], a[i+2*j])
			VPUNPCKHQDQ(b[i+j+2], b[i+j], a[i+2*j+1])
		}
	}
}
