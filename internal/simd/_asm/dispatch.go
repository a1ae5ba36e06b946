package main

import (
	"fmt"
	"strings"

	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/ir"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// level is a set of instructions, as in package simd's constants of that name:
// the variable level there holds the one in use.
type level struct {
	value  uint64
	suffix string // of the names of its kernels
	needs  string
}

var (
	avx2     = level{1, "AVX2", "AVX2, FMA3 and F16C"}
	avx512bw = level{2, "AVX512", "AVX512F and AVX512BW"}
	vnni     = level{3, "VNNI", "AVX512F, AVX512BW and AVX512VNNI"}
	vbmi     = level{4, "VBMI", "AVX512F, AVX512BW, AVX512VNNI, AVX512VBMI and GFNI"}
)

// kernel is a function with one body per level, the highest level first; a
// processor runs the first body whose level is not above its own, or the twin
// in plain Go.
type kernel struct {
	name, signature, doc string
	bodies               []body
}

type body struct {
	level level
	emit  func(name string)
}

// generate writes the bodies and the function that chooses among them. It jumps
// rather than calls, so that the choice costs no more than a predicted branch
// and the body sees the arguments where the caller has put them.
func (k kernel) generate() {
	k.generateBodies()
	k.text(k.name, k.doc)
	for _, b := range k.bodies {
		next := fmt.Sprintf("%s_below_%s", k.name, strings.ToLower(b.level.suffix))
		CMPB(NewDataAddr(Symbol{Name: "·level"}, 0), U8(b.level.value))
		JB(LabelRef(next))
		tail("·" + k.name + b.level.suffix)
		Label(next)
	}
	tail("·" + k.name + "Generic")
}

// generateBodies writes the bodies alone, for a caller who chooses.
func (k kernel) generateBodies() {
	for _, b := range k.bodies {
		name := k.name + b.level.suffix
		k.text(name, fmt.Sprintf("%s is %s with %s.", name, k.name, b.level.needs))
		b.emit(name)
	}
}

func (k kernel) text(name, doc string) {
	TEXT(name, NOSPLIT, k.signature)
	Pragma("noescape")
	Doc(doc)
}

// tail jumps to another function, which returns to our caller.
func tail(symbol string) {
	Instruction(&ir.Instruction{
		Opcode:     "JMP",
		Operands:   []Op{LabelRef(symbol + "(SB)")},
		IsTerminal: true,
	})
}

// VPDPBUSD adds to each number of 32 bits in dst the products of the four
// unsigned bytes of x and the four signed ones of q in its place.
func VPDPBUSD(q, x, dst Op) {
	Instruction(&ir.Instruction{
		Opcode:   "VPDPBUSD",
		Operands: []Op{q, x, dst},
		Inputs:   []Op{q, x, dst},
		Outputs:  []Op{dst},
		ISA:      []string{"AVX512VNNI"},
	})
}

// VGF2P8AFFINEQB multiplies each byte of x, as a vector of bits, by the matrix of
// bits in its place.
func VGF2P8AFFINEQB(plus, matrix, x, dst Op) {
	Instruction(&ir.Instruction{
		Opcode:   "VGF2P8AFFINEQB",
		Operands: []Op{plus, matrix, x, dst},
		Inputs:   []Op{matrix, x},
		Outputs:  []Op{dst},
		ISA:      []string{"AVX512F", "GFNI"},
	})
}

// param is the address of an argument, or of the _base or _len of a slice.
func param(name string) Mem {
	name, part, _ := strings.Cut(name, "_")
	p := Param(name)
	switch part {
	case "base":
		p = p.Base()
	case "len":
		p = p.Len()
	}
	b, err := p.Resolve()
	if err != nil {
		panic(err)
	}
	return b.Addr
}

// result is the address of the i-th result.
func result(i int) Mem {
	b, err := ReturnIndex(i).Resolve()
	if err != nil {
		panic(err)
	}
	return b.Addr
}

// pointer loads an argument of 64 bits.
func pointer(name string) reg.GPVirtual {
	r := GP64()
	MOVQ(param(name), r)
	return r
}

// at is the memory at base + offset.
func at(base reg.Register, offset int) Mem { return Mem{Base: base, Disp: offset} }

// constants is what the data of the file was named so far.
var constants = map[string]Mem{}

// constant is the address of read-only bytes, made at the first use.
func constant(name string, bytes []byte) Mem {
	if m, ok := constants[name]; ok {
		return m
	}
	m := GLOBL(name, RODATA|NOPTR)
	for i := 0; i < len(bytes); i += 8 {
		var v uint64
		for j := 7; j >= 0; j-- {
			v = v<<8 | uint64(bytes[i+j])
		}
		DATA(i, U64(v))
	}
	constants[name] = m
	return m
}

// bytes makes n bytes from a function of their place.
func bytes(n int, f func(i int) int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(f(i))
	}
	return b
}

// words makes the bytes of n numbers of 32 bits.
func words(n int, f func(i int) uint32) []byte {
	return bytes(4*n, func(i int) int { return int(f(i/4) >> (i % 4 * 8)) })
}
