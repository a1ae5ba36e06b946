package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// The offsets of the fields of package matrix's task.
const (
	taskX         = 0
	taskW         = 8
	taskSteps     = 16
	taskRows      = 24
	taskPairs     = 32
	taskAcc       = 40
	taskScale     = 48
	taskLow       = 56
	taskColScale  = 64
	taskColSum    = 72
	taskBias      = 80
	taskDst       = 88
	taskDstStride = 96
	taskOp        = 104
	taskAhead     = 112
)

const (
	tileRows  = 16
	stepBytes = 64
	tileBytes = tileRows * stepBytes
)

// The general registers of the kernels for products.
var (
	gTask  = reg.RDI
	gX     = reg.RSI
	gW     = reg.RBX
	gPanel = reg.R8  // bytes of a panel, and of a block of rows
	gRow   = reg.R9  // the first of a block
	gSteps = reg.R10 // that are left
	gAcc   = reg.R11
	gCol   = reg.R12 // where a unit's outputs begin, in bytes of float32
	gUnits = reg.R13 // that are left
	gWork  = reg.R15
	gCount = reg.RCX
	gTo    = reg.RAX
	gScale = reg.RDX
)

// product writes a kernel that keeps the sums of some rows and of two registers
// of outputs, which make a unit, in registers. With wide registers these are the
// outputs of two panels, else of one.
func product(name string, f file, d dot, int8 bool) {
	units := begin(name, f, func() { d.begin(f) })
	Label(name + "_rows")
	sizes := []int{4}
	if f.wide() {
		MOVQ(at(gTask, taskRows), gCount)
		SUBQ(gRow, gCount)
		CMPQ(gCount, I8(4))
		JLE(LabelRef(name + "_few"))
		sizes = []int{8, 4}
	}
	for i, rows := range sizes {
		if i > 0 {
			Label(name + "_few")
		}
		label := fmt.Sprintf("%s_%d", name, rows)
		sums(label, f, d, rows)
		finish(label, f, int8, false, rows)
		CMPQ(gRow, at(gTask, taskRows))
		JLT(LabelRef(name + "_rows"))
		JMP(LabelRef(name + "_unit"))
	}
	units(func() {})
}

// begin loads what does not change and opens the loop over units, which the
// function that it returns closes; release is what is to be done at the end.
func begin(name string, f file, constants func()) (end func(release func())) {
	MOVQ(param("t"), gTask)
	MOVQ(at(gTask, taskAcc), gAcc)
	MOVQ(at(gTask, taskSteps), gPanel)
	SHLQ(U8(10), gPanel)
	MOVQ(at(gTask, taskPairs), gUnits)
	if !f.wide() {
		SHLQ(U8(1), gUnits)
	}
	XORQ(gCol, gCol)
	Label(name + "_units")
	constants()
	XORQ(gRow, gRow)
	return func(release func()) {
		Label(name + "_unit")
		ADDQ(I32(2*f.bytes()), gCol)
		DECQ(gUnits)
		JNE(LabelRef(name + "_units"))
		release()
		VZEROUPPER()
		RET()
	}
}

// rowAddress points at where row gRow begins in its tiles.
func rowAddress(to reg.Register) {
	MOVQ(gRow, to)
	SHRQ(U8(4), to)
	IMULQ(gPanel, to)
	MOVQ(gRow, gWork)
	ANDQ(I8(tileRows-1), gWork)
	SHLQ(U8(6), gWork)
	ADDQ(gWork, to)
	ADDQ(at(gTask, taskX), to)
}

// weightsAddress points at the weights of the unit.
func weightsAddress(f file, to reg.Register) {
	MOVQ(at(gTask, taskPairs), to)
	if !f.wide() {
		SHLQ(U8(1), to)
	}
	SUBQ(gUnits, to)
	IMULQ(gPanel, to)
	if f.wide() {
		SHLQ(U8(1), to)
	}
	ADDQ(at(gTask, taskW), to)
}

// sums goes along the inner dimension and leaves the sums of some rows of a unit
// at gAcc.
func sums(label string, f file, d dot, rows int) {
	const groups = 4 // unrolled
	w, x, t := 8, 12, 14
	if f.wide() {
		w, x, t = 16, 20, 24
	}
	alongInner(label, f, rows, groups, 1, func(g int) {
		for v := range 2 {
			from := at(gW, g*stepBytes+v*32)
			if f.wide() {
				from = Mem{Base: gW, Disp: g * stepBytes}
				if v == 1 {
					from.Index, from.Scale = gPanel, 1
				}
			}
			VMOVUPS(from, f[w+v])
			d.weights(f, w+v)
		}
		for r := range rows {
			x := x + r%2*2
			if !f.wide() {
				x = 12
			}
			VPBROADCASTD(at(gX, r*stepBytes+g*4), f[x])
			d.row(f, x)
			for v := range 2 {
				d.add(f, 2*r+v, x, w+v, t)
			}
		}
	})
}

// alongInner goes along the inner dimension with some groups unrolled, which add
// takes so many of at once, from number g on. What that adds up in the first
// registers, two for each row, is left at gAcc.
func alongInner(label string, f file, rows, groups, atOnce int, add func(g int)) {
	weightsAddress(f, gW)
	rowAddress(gX)
	MOVQ(at(gTask, taskSteps), gSteps)
	for i := range 2 * rows {
		f.zero(f[i])
	}
	Label(label + "_step")
	MOVQ(U32(tileRows/groups), gCount)
	Label(label + "_group")
	for g := 0; g < groups; g += atOnce {
		add(g)
	}
	ADDQ(I32(groups*stepBytes), gW)
	ADDQ(I8(groups*4), gX)
	DECQ(gCount)
	JNE(LabelRef(label + "_group"))
	ADDQ(I32(tileBytes-stepBytes), gX)
	DECQ(gSteps)
	JNE(LabelRef(label + "_step"))
	for i := range 2 * rows {
		VMOVUPS(f[i], at(gAcc, i*f.bytes()))
	}
}
