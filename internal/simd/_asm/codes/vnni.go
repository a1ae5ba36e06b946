package main

import (
	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/ir"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// VPDPBUSD adds to each 32-bit lane of acc the four products of its unsigned
// bytes in x and the signed ones in y. avo's own list of instructions does not
// have it.
func VPDPBUSD(y operand.Op, x, acc reg.VecVirtual) {
	in := []operand.Op{y, x, acc}
	build.Instruction(&ir.Instruction{
		Opcode:   "VPDPBUSD",
		Operands: in,
		Inputs:   in,
		Outputs:  []operand.Op{acc},
		ISA:      []string{"AVX512F", "AVX512VNNI"},
	})
}
