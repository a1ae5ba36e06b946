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
	headKTiles    = 56
	headVTiles    = 64
	headScores    = 72
	headScoreLine = 80
	headOut       = 88
	headRows      = 96
	headDst       = 104
	headDstStride = 112
	headScale     = 120
	headFirst     = 128
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

// packTiles lays out keys transposed, so that a tile of 16 keys multiplies one of
// 16 queries, and values in pairs, in the order in which tileWeights leaves the
// weights. Of 32 numbers of a pair of values, one tile takes those that
// VPUNPCKLWD does, the next the others.
func packTiles(name string) {
	f := zmm
	MOVQ(param("t"), gTask)
	MOVQ(at(gTask, headStride), pStride)
	MOVQ(at(gTask, headN), pN)
	MOVQ(at(gTask, headSize), pWidth)
	SHLQ(U8(1), pWidth)
	LEAQ(constant("zeros", bytes(256, func(int) int { return 0 })), pNone)
	numbers := Mem{Base: pFrom, Index: pColumn, Scale: 1}
	packPart(name+"_k", headK, headKTiles, 16, 1, func() {
		for r := range tileRows {
			line()
			VMOVUPS(numbers, f[r])
		}
		transpose(f)
		for r := range tileRows {
			VMOVUPS(f[r], at(pTo, r*stepBytes))
		}
	})
	packPart(name+"_v", headV, headVTiles, 32, 2, func() {
		for r := range tileRows {
			for i := range 2 {
				line()
				VMOVUPS(numbers, f[i])
			}
			VPUNPCKLWD(f[1], f[0], f[2])
			VPUNPCKHWD(f[1], f[0], f[3])
			for i := range 2 {
				VMOVUPS(f[2+i], at(pTo, i*tileBytes+packedPair(r)*stepBytes))
			}
		}
	})
	VZEROUPPER()
	RET()
}

// packedPair is where VPACKUSDW leaves the i-th pair of the numbers of two wide
// registers, of which it takes four from one, then four from the other.
func packedPair(i int) int { return i%8/2*4 + i/8*2 + i%2 }

// packPart goes over blocks of tokens, and within over 32 numbers of theirs; one
// makes tiles of them.
func packPart(label string, from, to, tokens, tiles int, one func()) {
	MOVQ(at(gTask, from), pBlock)
	MOVQ(at(gTask, to), pTo)
	XORQ(pFirst, pFirst)
	Label(label + "_block")
	XORQ(pColumn, pColumn)
	Label(label + "_columns")
	MOVQ(pBlock, pLine)
	MOVQ(pFirst, pToken)
	one()
	ADDQ(I32(tiles*tileBytes), pTo)
	ADDQ(I32(stepBytes), pColumn)
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

// The weights of keys are 2^x of their scores less the greatest, x at most 0.
// They are made as the 16 bits of a bfloat16 at once: those of x·128 are the
// exponent and, for x = whole + f, the mantissa of 2^whole·(1 + f), from which
// weightBend·128f·(128-128f)/32768 is taken for 2^f. That is within 1 % of 2^x,
// and .3 % in the mean square, where rounding to bfloat16 alone gives .4 and .17.
const (
	weightOne  = 127 << 7 // 1 in bfloat16, and the steps of a whole x
	weightBend = 87
)

// tilesOfAttention takes 16 queries at a time. Tile 7 holds ones, so that the
// weights are added up.
func tilesOfAttention(name string) {
	f := zmm
	configure()
	MOVQ(param("t"), gTask)
	LEAQ(constant("onehalves", bytes(tileBytes, func(i int) int { return []int{0x80, 0x3f}[i%2] })), gW)
	MOVQ(U32(stepBytes), reg.RDX)
	tileLoad(7, nW)
	for _, size := range []int{32, 64} {
		label := name + map[int]string{32: "_32", 64: "_64"}[size]
		if size == 32 {
			CMPQ(at(gTask, headSize), I8(32))
			JNE(LabelRef(name + "_64"))
		}
		Label(label)
		tileScores(label, size)
		maskScores(label, f)
		tileGreatest(label, f)
		tileWeights(label, f)
		tileValues(label, f, size)
		ADDQ(I8(tileRows), at(gTask, headFirst))
		SUBQ(I8(tileRows), at(gTask, headRows))
		JG(LabelRef(label))
		if size == 32 {
			JMP(LabelRef(name + "_end"))
		}
	}
	Label(name + "_end")
	releaseTiles()
	VZEROUPPER()
	RET()
}

// tileScores multiplies a tile of queries with all keys.
func tileScores(label string, size int) {
	parts := size / 32
	MOVQ(at(gTask, headKTiles), gW)
	MOVQ(at(gTask, headScores), gAcc)
	MOVQ(at(gTask, headPadded), gUnits)
	MOVQ(at(gTask, headFirst), gX)
	MOVQ(at(gTask, headStride), reg.RDX)
	IMULQ(reg.RDX, gX)
	ADDQ(at(gTask, headQ), gX)
	for c := range parts {
		tileLoadAt(4+c, nX, nStride, c*stepBytes)
	}
	MOVQ(at(gTask, headScoreLine), reg.RDX)
	MOVQ(U32(stepBytes), reg.R12)
	Label(label + "_keys")
	for panel := range 2 {
		tileZero(panel)
		for c := range parts {
			tileLoadAt(2+panel, nW, 12, (panel*parts+c)*tileBytes)
			tileDot(panel, 4+c, 2+panel, false)
		}
		tileStore(panel, panel*stepBytes)
	}
	ADDQ(I32(2*parts*tileBytes), gW)
	ADDQ(I32(2*stepBytes), gAcc)
	SUBQ(I8(32), gUnits)
	JNE(LabelRef(label + "_keys"))
}

// maskScores puts scores that no key has into the places of keys that fill up
// the last tiles.
func maskScores(label string, f file) {
	MOVQ(at(gTask, headN), reg.RCX)
	ANDQ(I8(31), reg.RCX)
	JEQ(LabelRef(label + "_masked"))
	MOVQ(I32(-1), gWork)
	SHLQ(reg.CL, gWork)
	KMOVW(gWork.As32(), reg.K1)
	SHRQ(U8(16), gWork)
	KMOVW(gWork.As32(), reg.K2)
	VMOVUPS(f.words("noscore", math.Float32bits(-1e30)), f[0])
	MOVQ(at(gTask, headPadded), gX)
	SHLQ(U8(2), gX)
	ADDQ(at(gTask, headScores), gX)
	MOVQ(at(gTask, headScoreLine), reg.RDX)
	for range tileRows {
		VMOVUPS(f[0], reg.K1, at(gX, -128))
		VMOVUPS(f[0], reg.K2, at(gX, -64))
		ADDQ(reg.RDX, gX)
	}
	Label(label + "_masked")
}

// lineSet addresses lines of scores by four pointers, each to every fourth.
type lineSet []reg.Register

var (
	lineLength, lineThree = reg.RDX, gWork // bytes of a line, and of three
	readLines             = lineSet{gX, gW, gAcc, gTo}
	writeLines            = lineSet{gPanel, gRow, gSteps, gCol}
)

// begin points at the beginnings of the lines.
func (l lineSet) begin() {
	MOVQ(at(gTask, headScoreLine), lineLength)
	LEAQ(Mem{Base: lineLength, Index: lineLength, Scale: 2}, lineThree)
	MOVQ(at(gTask, headScores), l[0])
	for i := 1; i < len(l); i++ {
		LEAQ(Mem{Base: l[i-1], Index: lineLength, Scale: 4}, l[i])
	}
}

// at is the memory some bytes behind the pointer to line r.
func (l lineSet) at(r, offset int) Mem {
	m := Mem{Base: l[r/4], Disp: offset}
	switch r % 4 {
	case 3:
		m.Index, m.Scale = lineThree, 1
	case 1, 2:
		m.Index, m.Scale = lineLength, uint8(r%4)
	}
	return m
}

func (l lineSet) advance(bytes int) {
	for _, p := range l {
		ADDQ(I32(bytes), p)
	}
}

// tileGreatest finds the greatest score of each line, and leaves the bits of 1
// less that, scaled, at the place of the outputs.
func tileGreatest(label string, f file) {
	readLines.begin()
	for r := range tileRows {
		VMOVUPS(readLines.at(r, 0), f[r])
		VMAXPS(readLines.at(r, 64), f[r], f[r])
	}
	MOVQ(at(gTask, headPadded), gUnits)
	SUBQ(I8(32), gUnits)
	JEQ(LabelRef(label + "_fold"))
	Label(label + "_greatest")
	readLines.advance(128)
	for r := range tileRows {
		VMAXPS(readLines.at(r, 0), f[r], f[r])
	}
	for r := range tileRows {
		VMAXPS(readLines.at(r, 64), f[r], f[r])
	}
	SUBQ(I8(32), gUnits)
	JNE(LabelRef(label + "_greatest"))
	Label(label + "_fold")
	half := func(from, to int, low, high func(b, a, to Op)) {
		a, b := f[from], f[from+1]
		low(b, a, f[16])
		high(b, a, f[17])
		VMAXPS(f[17], f[16], f[to])
	}
	shuffle := func(order uint8) func(b, a, to Op) {
		return func(b, a, to Op) { VSHUFF32X4(U8(order), b, a, to) }
	}
	const even, odd = 0x88, 0xdd // lanes of 16 bytes
	for i := range 8 {
		half(2*i, i, func(b, a, to Op) { VUNPCKLPS(b, a, to) }, func(b, a, to Op) { VUNPCKHPS(b, a, to) })
	}
	for i := range 4 {
		half(2*i, i, func(b, a, to Op) { VUNPCKLPD(b, a, to) }, func(b, a, to Op) { VUNPCKHPD(b, a, to) })
	}
	for n := 2; n > 0; n /= 2 {
		for i := range n {
			half(2*i, i, shuffle(even), shuffle(odd))
		}
	}
	VBROADCASTSS(at(gTask, headScale), f[1])
	VFNMADD213PS(f.words("weightone", math.Float32bits(weightOne)), f[1], f[0])
	MOVQ(at(gTask, headOut), gX)
	VMOVUPS(f[0], at(gX, 0))
}

// tileWeights makes weights of the scores, at the beginning of their lines.
func tileWeights(label string, f file) {
	MOVQ(at(gTask, headOut), gX)
	for r := range tileRows {
		VBROADCASTSS(at(gX, 4*r), f[16+r])
	}
	readLines.begin()
	writeLines.begin()
	MOVQ(at(gTask, headPadded), gUnits)
	half := func(name string, v int) Mem {
		return constant(name, bytes(64, func(i int) int { return v >> (i % 2 * 8) & 255 }))
	}
	VBROADCASTSS(at(gTask, headScale), f[12])
	VMOVUPS(half("weightpart", 127), f[13])
	VMOVUPS(half("weightwhole", 128), f[14])
	VMOVUPS(half("weightbend", weightBend), f[15])
	Label(label + "_weights")
	for r := 0; r < tileRows; r += 2 {
		each := func(do func(r int, a, b reg.VecPhysical)) {
			for i := range 2 {
				do(r+i, f[r*2%8+2*i], f[r*2%8+2*i+1])
			}
		}
		for i := range 2 {
			each(func(r int, a, b reg.VecPhysical) {
				v := []reg.VecPhysical{a, b}[i]
				VMOVAPS(f[12], v)
				VFMADD132PS(readLines.at(r, 64*i), f[16+r], v)
			})
		}
		each(func(_ int, a, b reg.VecPhysical) { VCVTPS2DQ(a, a) })
		each(func(_ int, a, b reg.VecPhysical) { VCVTPS2DQ(b, b) })
		each(func(_ int, a, b reg.VecPhysical) { VPACKUSDW(b, a, a) })
		each(func(_ int, a, b reg.VecPhysical) { VPANDD(f[13], a, b) })
		each(func(r int, a, b reg.VecPhysical) { VPSUBW(b, f[14], f[8+r%2]) })
		each(func(r int, a, b reg.VecPhysical) { VPMULLW(b, f[8+r%2], b) })
		each(func(_ int, a, b reg.VecPhysical) { VPMULHRSW(f[15], b, b) })
		each(func(_ int, a, b reg.VecPhysical) { VPSUBW(b, a, a) })
		each(func(r int, a, b reg.VecPhysical) { VMOVUPS(a, writeLines.at(r, 0)) })
	}
	readLines.advance(128)
	writeLines.advance(64)
	SUBQ(I8(32), gUnits)
	JNE(LabelRef(label + "_weights"))
}

// tileValues multiplies the weights with the values, and divides by the sums of
// the weights.
func tileValues(label string, f file, size int) {
	blocks := size / tileRows
	sums := blocks
	for t := range blocks + 1 {
		tileZero(t)
	}
	MOVQ(at(gTask, headScores), gX)
	MOVQ(at(gTask, headVTiles), gW)
	MOVQ(at(gTask, headPadded), gUnits)
	MOVQ(at(gTask, headScoreLine), reg.RDX)
	MOVQ(U32(stepBytes), reg.R12)
	Label(label + "_values")
	tileLoad(5, nX)
	for t := range blocks {
		tileLoadAt(6, nW, 12, t*tileBytes)
		tileDot(t, 5, 6, false)
	}
	tileDot(sums, 5, 7, false)
	ADDQ(I32(stepBytes), gX)
	ADDQ(I32(blocks*tileBytes), gW)
	SUBQ(I8(32), gUnits)
	JNE(LabelRef(label + "_values"))
	MOVQ(at(gTask, headOut), gAcc)
	MOVQ(U32(stepBytes), reg.RDX)
	tileStore(sums, tileRows*4*size)
	MOVQ(U32(4*size), reg.RDX)
	for t := range blocks {
		tileStore(t, t*stepBytes)
	}
	MOVQ(at(gTask, headRows), gUnits)
	MOVQ(U32(tileRows), gWork)
	CMPQ(gUnits, gWork)
	CMOVQGT(gWork, gUnits)
	LEAQ(Mem{Base: gAcc, Disp: tileRows * 4 * size}, gX)
	MOVQ(at(gTask, headFirst), gTo)
	IMULQ(at(gTask, headDstStride), gTo)
	ADDQ(at(gTask, headDst), gTo)
	MOVQ(at(gTask, headDstStride), gWork)
	for i := range 2 { // the numbers where VPUNPCKLWD and VPUNPCKHWD found them
		VMOVUPS(constant([]string{"lowvalues", "highvalues"}[i], words(16, func(n int) uint32 {
			n += 16 * i
			return uint32(n/8*4 + n%4 + n/4%2*16)
		})), f[30+i])
	}
	Label(label + "_rows")
	VRCP14PS(at(gX, 0), f[1])
	for t := 0; t < blocks; t += 2 {
		for i := range 2 {
			VMULPS(at(gAcc, (t+i)*64), f[1], f[2+i])
		}
		for i := range 2 {
			VMOVAPS(f[30+i], f[4+i])
			VPERMI2PS(f[3], f[2], f[4+i])
			VMOVUPS(f[4+i], at(gTo, (t+i)*64))
		}
	}
	ADDQ(I8(stepBytes), gX)
	ADDQ(I32(4*size), gAcc)
	ADDQ(gWork, gTo)
	DECQ(gUnits)
	JNE(LabelRef(label + "_rows"))
}
