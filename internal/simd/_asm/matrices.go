package main

import (
	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/ir"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// The levels of package matrix, which has a variable level of its own.
var (
	matrixAVX2    = level{1, "AVX2", "AVX2 and FMA3"}
	matrixAVXVNNI = level{2, "AVXVNNI", "AVX2, FMA3 and AVXVNNI"}
	matrixAVX512  = level{3, "AVX512", "AVX512F and AVX512BW"}
	matrixVNNI    = level{4, "VNNI", "AVX512F, AVX512BW and AVX512VNNI"}
	matrixAMX     = level{5, "AMX", "AVX512F, AVX512BW, AVX512VNNI, AVX512BF16 and AMX"}
)

// matrices writes the kernels of package matrix.
func matrices() {
	for _, k := range []kernel{productInt8, productFitted, greatestSums, roundAgain, productBFloat16, boundsOf, quantizeRow, roundRow, normRow, sumRow, transposeKeys, attend} {
		k.generate()
	}
	for _, k := range []kernel{packHead, attendTiles} {
		k.generateBodies()
	}
}

var productInt8 = kernel{
	"productInt8",
	"func(t *byte)",
	"productInt8 is productInt8Generic with the instructions of the level in use.",
	[]body{
		{matrixAMX, func(name string) { tiles(name, true) }},
		{matrixVNNI, func(name string) { product(name, zmm, vpdpbusd{}, true) }},
		{matrixAVX512, func(name string) { product(name, zmm, bytePairs{}, true) }},
		{matrixAVXVNNI, func(name string) { product(name, ymm, vpdpbusd{}, true) }},
		{matrixAVX2, func(name string) { product(name, ymm, bytePairs{}, true) }},
	},
}

var productBFloat16 = kernel{
	"productBFloat16",
	"func(t *byte)",
	"productBFloat16 is productBFloat16Generic with the instructions of the level in use.",
	[]body{
		{matrixAMX, func(name string) { tiles(name, false) }},
		{matrixAVX512, func(name string) { product(name, zmm, halves{}, false) }},
		{matrixAVX2, func(name string) { product(name, ymm, halves{}, false) }},
	},
}

// file is the vector registers of one size, fixed by number: some instructions
// are written as bytes, for which avo cannot choose registers.
type file []reg.VecPhysical

var (
	zmm = file{
		reg.Z0, reg.Z1, reg.Z2, reg.Z3, reg.Z4, reg.Z5, reg.Z6, reg.Z7, reg.Z8, reg.Z9, reg.Z10, reg.Z11, reg.Z12, reg.Z13, reg.Z14, reg.Z15,
		reg.Z16, reg.Z17, reg.Z18, reg.Z19, reg.Z20, reg.Z21, reg.Z22, reg.Z23, reg.Z24, reg.Z25, reg.Z26, reg.Z27, reg.Z28, reg.Z29, reg.Z30, reg.Z31,
	}
	ymm = file{
		reg.Y0, reg.Y1, reg.Y2, reg.Y3, reg.Y4, reg.Y5, reg.Y6, reg.Y7, reg.Y8, reg.Y9, reg.Y10, reg.Y11, reg.Y12, reg.Y13, reg.Y14, reg.Y15,
	}
)

// wide tells whether the registers are those of 64 bytes.
func (f file) wide() bool { return len(f) == 32 }

// bytes is the size of a register.
func (f file) bytes() int { return bytesOf(f.wide()) }

func (f file) zero(v Op) {
	if f.wide() {
		VPXORD(v, v, v)
		return
	}
	VPXOR(v, v, v)
}

func (f file) and(mask, v, to Op) {
	if f.wide() {
		VPANDD(mask, v, to)
		return
	}
	VPAND(mask, v, to)
}

// words is a constant of the same number in each 32 bits of a register.
func (f file) words(name string, v uint32) Mem {
	return constant(name, words(16, func(int) uint32 { return v }))
}

// raw writes an instruction that the assembler does not know.
func raw(code ...byte) {
	for _, b := range code {
		Instruction(&ir.Instruction{Opcode: "BYTE", Operands: []Op{U8(b)}})
	}
}

// vex is the first three bytes of an instruction with map 0F38 and W 0, where
// the numbers are those of registers: in the field reg of ModRM, as its index,
// as its base or second register, and in vvvv.
func vex(r, index, base, v, l, pp int) []byte {
	return []byte{0xc4,
		byte(^r>>3&1<<7 | ^index>>3&1<<6 | ^base>>3&1<<5 | 2),
		byte(^v&15<<3 | l<<2 | pp)}
}

// registers3 is ModRM for registers only.
func registers3(r, rm int) byte { return byte(0xc0 | r&7<<3 | rm&7) }
