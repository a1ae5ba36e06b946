package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// The numbers of the registers that tiles are loaded from, as in instructions.
const (
	nX, nW, nXNext, nWNext, nStride = 6, 3, 0, 1, 2 // RSI, RBX, RAX, RCX, RDX
	nAcc                            = 11
)

// tiles writes a kernel that keeps the sums of two blocks of rows and two panels
// in AMX tiles 0 to 3. The tiles are configured and released within, so that they
// never outlive what the scheduler may interrupt.
func tiles(name string, int8 bool) {
	f := zmm
	configure()
	unit := begin(name, f, func() {})
	Label(name + "_rows")
	weightsAddress(f, gW)
	rowAddress(gX)
	MOVQ(at(gTask, taskSteps), gSteps)
	MOVQ(gRow, gWork)
	SHLQ(U8(3), gWork)
	IMULQ(at(gTask, taskAhead), gWork)
	IMULQ(gSteps, gWork)
	ADDQ(gW, gWork)
	LEAQ(Mem{Base: gWork, Index: gPanel, Scale: 2}, gWork)
	LEAQ(Mem{Base: gX, Index: gPanel, Scale: 1}, reg.RAX)
	LEAQ(Mem{Base: gW, Index: gPanel, Scale: 1}, reg.RCX)
	MOVQ(at(gTask, taskRows), reg.RDX)
	SUBQ(gRow, reg.RDX)
	CMPQ(reg.RDX, I8(tileRows))
	MOVQ(U32(stepBytes), reg.RDX)
	JLE(LabelRef(name + "_few"))
	block(name+"_two", 2, int8)
	JMP(LabelRef(name + "_finish"))
	Label(name + "_few")
	block(name+"_one", 1, int8)
	Label(name + "_finish")
	finish(name+"_32", f, int8, true, 2*tileRows)
	CMPQ(gRow, at(gTask, taskRows))
	JLT(LabelRef(name + "_rows"))
	unit(releaseTiles)
}

// configure makes 8 tiles of 16 rows of 64 bytes.
func configure() {
	config := constant("tileconfig", bytes(64, func(i int) int {
		switch {
		case i == 0:
			return 1 // palette
		case i >= 16 && i < 32 && i%2 == 0:
			return stepBytes
		case i >= 48 && i < 56:
			return tileRows
		}
		return 0
	}))
	LEAQ(config, gX)
	raw(append(vex(0, 0, nX, 0, 0, 0), 0x49, 0x06)...) // LDTILECFG (RSI)
}

func releaseTiles() { raw(0xc4, 0xe2, 0x78, 0x49, 0xc0) } // TILERELEASE

// block adds up the products of one or two blocks of rows with two panels and
// leaves them at gAcc. Meanwhile it fetches what lies at gWork, a part of the next
// two panels, into the second-level cache.
func block(label string, blocks int, int8 bool) {
	for t := range 2 * blocks {
		tileZero(t)
	}
	Label(label + "_step")
	tileLoad(4, nX)
	tileLoad(6, nW)
	tileDot(0, 4, 6, int8)
	tileLoad(7, nWNext)
	tileDot(1, 4, 7, int8)
	if blocks == 2 {
		tileLoad(5, nXNext)
		tileDot(2, 5, 6, int8)
		tileDot(3, 5, 7, int8)
		ADDQ(I32(tileBytes), reg.RAX)
	}
	MOVQ(at(gTask, taskAhead), gPanel)
	TESTQ(gPanel, gPanel)
	JEQ(LabelRef(label + "_next"))
	Label(label + "_ahead")
	for i := range 4 {
		PREFETCHT1(at(gWork, i*stepBytes))
	}
	ADDQ(I32(4*stepBytes), gWork)
	DECQ(gPanel)
	JNE(LabelRef(label + "_ahead"))
	Label(label + "_next")
	for _, r := range []reg.Register{gX, gW, reg.RCX} {
		ADDQ(I32(tileBytes), r)
	}
	DECQ(gSteps)
	JNE(LabelRef(label + "_step"))
	MOVQ(at(gTask, taskSteps), gPanel)
	SHLQ(U8(10), gPanel)
	MOVQ(U32(2*stepBytes), reg.RDX)
	for t := range 2 * blocks {
		tileStore(t, t/2*tileRows*2*stepBytes+t%2*stepBytes)
	}
}

// tileLoad loads a tile from the memory at a register, nStride bytes a row.
func tileLoad(t, base int) { tileLoadBy(t, base, nStride) }

// tileLoadBy loads a tile with another stride.
func tileLoadBy(t, base, stride int) {
	raw(append(vex(t, stride, base, 0, 0, 3), 0x4b, byte(t<<3|4), byte(stride&7<<3|base&7))...)
}

// tileLoadAt loads a tile with another stride from some bytes behind the base.
func tileLoadAt(t, base, stride, offset int) {
	raw(append(vex(t, stride, base, 0, 0, 3), 0x4b, byte(0x80|t<<3|4), byte(stride&7<<3|base&7),
		byte(offset), byte(offset>>8), byte(offset>>16), byte(offset>>24))...)
}

func tileZero(t int) { raw(append(vex(0, 0, 0, 0, 0, 3), 0x49, registers3(t, 0))...) }

// tileStore stores a tile at gAcc + offset, nStride bytes a row.
func tileStore(t, offset int) {
	raw(append(vex(t, nStride, nAcc, 0, 0, 2), 0x4b, byte(0x80|t<<3|4), byte(nStride<<3|nAcc&7),
		byte(offset), byte(offset>>8), byte(offset>>16), byte(offset>>24))...)
}

// tileDot adds to a tile the products of x, of unsigned bytes or bfloat16, with
// w, of signed bytes or bfloat16.
func tileDot(sum, x, w int, int8 bool) {
	if int8 {
		raw(append(vex(sum, 0, x, w, 0, 1), 0x5e, registers3(sum, x))...) // TDPBUSD
		return
	}
	raw(append(vex(sum, 0, x, w, 0, 2), 0x5c, registers3(sum, x))...) // TDPBF16PS
}
