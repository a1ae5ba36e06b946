package main

import (
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// The offsets of the fields of package matrix's tilesTask.
const (
	headQ         = 0
	headK         = 8
	headV         = 16
	headStride    = 24
	headN         = 32
	headPadded    = 40
	headSize      = 48
	headQTiles    = 56
	headKTiles    = 64
	headVTiles    = 72
	headMask      = 80
	headScores    = 88
	headScoreLine = 96
	headOut       = 104
	headRows      = 112
	headDst       = 120
	headDstStride = 128
	headScale     = 136
	headFirst     = 144
)

var packHead = kernel{
	"packHead",
	"func(t *byte)",
	"",
	[]body{{matrixAMX, packTiles}},
}

var attendTiles = kernel{
	"attendTiles",
	"func(t *byte)",
	"",
	[]body{{matrixAMX, tilesOfAttention}},
}

// cvtne2ps2bf16 rounds the numbers of two wide registers to bfloat16, those of
// low into the lower half of dst.
func cvtne2ps2bf16(high, low, dst int) {
	raw(0x62,
		byte(^dst>>3&1<<7|^low>>4&1<<6|^low>>3&1<<5|^dst>>4&1<<4|2),
		byte(^high&15<<3|4|3),
		byte(2<<5|^high>>4&1<<3),
		0x72, registers3(dst, low))
}

// The general registers of packHead.
var (
	pStride = reg.R8
	pN      = reg.R9
	pNone   = reg.R10 // zeros, for tokens that there are not
	pLine   = reg.R11
	pFirst  = reg.R12 // token of a block
	pTo     = reg.R13
	pWidth  = reg.R15 // bytes of a line
	pBlock  = reg.RSI // the first line of it
	pColumn = reg.RBX
	pToken  = reg.RCX
	pFrom   = reg.RAX
)

// packTiles rounds to bfloat16. Queries lie as they are, keys transposed, so that
// a tile of 16 keys multiplies one of 16 queries, and values in pairs.
func packTiles(name string) {
	f := zmm
	MOVQ(param("t"), gTask)
	MOVQ(at(gTask, headStride), pStride)
	MOVQ(at(gTask, headN), pN)
	MOVQ(at(gTask, headSize), pWidth)
	SHLQ(U8(2), pWidth)
	LEAQ(constant("zeros", bytes(256, func(int) int { return 0 })), pNone)
	for _, part := range []struct {
		name     string
		from, to int
		finish   func()
	}{
		{"_q", headQ, headQTiles, func() {}},
		{"_k", headK, headKTiles, func() { transpose(f) }},
	} {
		packPart(name+part.name, part.from, part.to, 128, 16, func() {
			for r := range tileRows {
				line()
				VMOVUPS(Mem{Base: pFrom, Index: pColumn, Scale: 1}, f[16])
				VMOVUPS(Mem{Base: pFrom, Index: pColumn, Scale: 1, Disp: 64}, f[17])
				cvtne2ps2bf16(17, 16, r)
			}
			part.finish()
			for r := range tileRows {
				VMOVUPS(f[r], at(pTo, r*stepBytes))
			}
		})
	}
	order := constant("interleave", bytes(64, func(i int) int { return []int{i/4 + i/2%2*16, 0}[i%2] }))
	VMOVUPS(order, f[31])
	packPart(name+"_v", headV, headVTiles, 64, 32, func() {
		for r := range tileRows {
			for half := range 2 {
				line()
				VMOVUPS(Mem{Base: pFrom, Index: pColumn, Scale: 1}, f[16+half])
			}
			cvtne2ps2bf16(17, 16, 0)
			VPERMW(f[0], f[31], f[0])
			VMOVUPS(f[0], at(pTo, r*stepBytes))
		}
	})
	VZEROUPPER()
	RET()
}

// packPart goes over blocks of tokens, and within over columns of some bytes;
// one makes a tile.
func packPart(label string, from, to, columns, tokens int, one func()) {
	MOVQ(at(gTask, from), pBlock)
	MOVQ(at(gTask, to), pTo)
	XORQ(pFirst, pFirst)
	Label(label + "_block")
	XORQ(pColumn, pColumn)
	Label(label + "_columns")
	MOVQ(pBlock, pLine)
	MOVQ(pFirst, pToken)
	one()
	ADDQ(I32(tileBytes), pTo)
	ADDQ(I32(columns), pColumn)
	CMPQ(pColumn, pWidth)
	JLT(LabelRef(label + "_columns"))
	MOVQ(pLine, pBlock)
	ADDQ(I8(tokens), pFirst)
	CMPQ(pFirst, at(gTask, headPadded))
	JLT(LabelRef(label + "_block"))
}

// line points pFrom at the line of the next token.
func line() {
	MOVQ(pLine, pFrom)
	CMPQ(pToken, pN)
	CMOVQGE(pNone, pFrom)
	ADDQ(pStride, pLine)
	INCQ(pToken)
}

// tilesOfAttention takes 16 queries at a time.
func tilesOfAttention(name string) {
	configure()
	MOVQ(param("t"), gTask)
	f := zmm
	for k, v := range expTerms {
		VMOVUPS(f.words("expterm"+string(rune('a'+k)), math.Float32bits(v)), f[16+k])
	}
	VBROADCASTSS(at(gTask, headScale), f[22])
	Label(name)
	tileScores(name)
	tileSoftmax(name, f)
	CMPQ(at(gTask, headSize), I8(32))
	JE(LabelRef(name + "_small"))
	tileValues(name+"_64", f, 64)
	JMP(LabelRef(name + "_next"))
	Label(name + "_small")
	tileValues(name+"_32", f, 32)
	Label(name + "_next")
	ADDQ(I8(tileRows), at(gTask, headFirst))
	SUBQ(I8(tileRows), at(gTask, headRows))
	JG(LabelRef(name))
	releaseTiles()
	VZEROUPPER()
	RET()
}

// tileScores multiplies a tile of queries with all keys; the sums begin with the
// mask.
func tileScores(name string) {
	MOVQ(at(gTask, headKTiles), gW)
	MOVQ(at(gTask, headMask), reg.RAX)
	MOVQ(at(gTask, headScores), gAcc)
	MOVQ(at(gTask, headPadded), gUnits)
	XORQ(reg.R12, reg.R12)
	Label(name + "_keys")
	tileLoadBy(0, nXNext, 12)
	ADDQ(I8(stepBytes), reg.RAX)
	tileLoadBy(1, nXNext, 12)
	ADDQ(I8(stepBytes), reg.RAX)
	MOVQ(at(gTask, headFirst), gX)
	IMULQ(at(gTask, headSize), gX)
	SHLQ(U8(1), gX)
	ADDQ(at(gTask, headQTiles), gX)
	MOVQ(at(gTask, headSize), gSteps)
	MOVQ(gSteps, reg.RCX)
	SHLQ(U8(5), reg.RCX)
	MOVQ(reg.RCX, gPanel)
	ADDQ(gW, reg.RCX)
	MOVQ(U32(stepBytes), reg.RDX)
	Label(name + "_key")
	tileLoad(4, nX)
	tileLoad(6, nW)
	tileLoad(7, nWNext)
	tileDot(0, 4, 6, false)
	tileDot(1, 4, 7, false)
	for _, r := range []reg.Register{gX, gW, reg.RCX} {
		ADDQ(I32(tileBytes), r)
	}
	SUBQ(I8(32), gSteps)
	JNE(LabelRef(name + "_key"))
	ADDQ(gPanel, gW)
	MOVQ(at(gTask, headScoreLine), reg.RDX)
	tileStore(0, 0)
	tileStore(1, stepBytes)
	ADDQ(I32(2*stepBytes), gAcc)
	SUBQ(I8(32), gUnits)
	JNE(LabelRef(name + "_keys"))
}

// tileSoftmax makes exp of the scores in each line, less the greatest, as
// bfloat16 at the beginning of the line, and 1 by their sum behind its end.
func tileSoftmax(name string, f file) {
	rows, end, i, from := gUnits, gSteps, gCol, gAcc
	MOVQ(at(gTask, headScores), from)
	MOVQ(at(gTask, headPadded), end)
	SHLQ(U8(2), end)
	MOVQ(at(gTask, headRows), rows)
	MOVQ(U32(tileRows), gWork)
	CMPQ(rows, gWork)
	CMOVQGT(gWork, rows)
	pair := func(j int) Mem { return Mem{Base: from, Index: i, Scale: 1, Disp: 64 * j} }
	loop := func(pass string, one func()) {
		XORQ(i, i)
		Label(name + pass)
		one()
		ADDQ(I32(2*64), i)
		CMPQ(i, end)
		JLT(LabelRef(name + pass))
	}
	Label(name + "_softmax")
	for j := range 2 {
		VMOVUPS(at(from, 64*j), f[j])
	}
	loop("_greatest", func() {
		for j := range 2 {
			VMAXPS(pair(j), f[j], f[j])
		}
	})
	VMAXPS(f[1], f[0], f[0])
	foldLowest(f, VMAXPS)
	VBROADCASTSS(reg.X0, f[23])
	VMULPS(f[22], f[23], f[23])
	f.zero(f[24])
	f.zero(f[25])
	loop("_exp", func() {
		for j := range 2 {
			VMOVUPS(pair(j), f[j])
			VFMSUB213PS(f[23], f[22], f[j])
		}
		for j := range 2 {
			VRNDSCALEPS(U8(8), f[j], f[2+j])
			VSUBPS(f[2+j], f[j], f[j])
			VMOVAPS(f[21], f[4+j])
		}
		for k := 4; k >= 0; k-- {
			for j := range 2 {
				VFMADD213PS(f[16+k], f[j], f[4+j])
			}
		}
		for j := range 2 {
			VSCALEFPS(f[2+j], f[4+j], f[4+j])
			VADDPS(f[4+j], f[24+j], f[24+j])
		}
		cvtne2ps2bf16(5, 4, 6)
		MOVQ(i, gWork)
		SHRQ(U8(1), gWork)
		VMOVUPS(f[6], Mem{Base: from, Index: gWork, Scale: 1})
	})
	VADDPS(f[25], f[24], f[0])
	foldLowest(f, VADDPS)
	VMOVSS(constant("onefloat", words(16, func(int) uint32 { return 0x3f800000 })), reg.X1)
	VDIVSS(reg.X0, reg.X1, reg.X0)
	VMOVSS(reg.X0, Mem{Base: from, Index: end, Scale: 1})
	ADDQ(at(gTask, headScoreLine), from)
	DECQ(rows)
	JNE(LabelRef(name + "_softmax"))
}

// foldLowest combines the numbers of register 0 into its lowest, by way of 1.
func foldLowest(f file, with func(ops ...Op)) {
	VEXTRACTF64X4(U8(1), f[0], reg.Y1)
	with(reg.Y1, reg.Y0, reg.Y0)
	VEXTRACTF128(U8(1), reg.Y0, reg.X1)
	with(reg.X1, reg.X0, reg.X0)
	VPERMILPS(U8(0xee), reg.X0, reg.X1)
	with(reg.X1, reg.X0, reg.X0)
	VMOVSHDUP(reg.X0, reg.X1)
	with(reg.X1, reg.X0, reg.X0)
}

// tileValues multiplies what softmax left with the values, and divides by the
// sums.
func tileValues(name string, f file, size int) {
	blocks := size / tileRows
	for t := range blocks {
		tileZero(t)
	}
	MOVQ(at(gTask, headScores), gX)
	MOVQ(at(gTask, headVTiles), gW)
	MOVQ(at(gTask, headPadded), gUnits)
	MOVQ(U32(stepBytes), reg.R12)
	MOVQ(at(gTask, headScoreLine), reg.RDX)
	Label(name + "_keys")
	tileLoad(4, nX)
	for t := range blocks {
		tileLoadBy(6+t%2, nW, 12)
		tileDot(t, 4, 6+t%2, false)
		ADDQ(I32(tileBytes), gW)
	}
	ADDQ(I8(stepBytes), gX)
	SUBQ(I8(32), gUnits)
	JNE(LabelRef(name + "_keys"))
	MOVQ(at(gTask, headOut), gAcc)
	MOVQ(U32(4*size), reg.RDX)
	for t := range blocks {
		tileStore(t, t*stepBytes)
	}
	MOVQ(at(gTask, headRows), gUnits)
	MOVQ(U32(tileRows), gWork)
	CMPQ(gUnits, gWork)
	CMOVQGT(gWork, gUnits)
	MOVQ(at(gTask, headPadded), gX)
	SHLQ(U8(2), gX)
	ADDQ(at(gTask, headScores), gX)
	MOVQ(at(gTask, headFirst), gTo)
	IMULQ(at(gTask, headDstStride), gTo)
	ADDQ(at(gTask, headDst), gTo)
	Label(name + "_rows")
	VBROADCASTSS(at(gX, 0), f[1])
	for t := range blocks {
		VMULPS(at(gAcc, t*64), f[1], f[2+t])
		VMOVUPS(f[2+t], at(gTo, t*64))
	}
	ADDQ(at(gTask, headScoreLine), gX)
	ADDQ(I32(4*size), gAcc)
	ADDQ(at(gTask, headDstStride), gTo)
	DECQ(gUnits)
	JNE(LabelRef(name + "_rows"))
}
