package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// vec makes a register of 64 bytes, or of 32.
func vec(zmm bool) reg.VecVirtual {
	if zmm {
		return ZMM()
	}
	return YMM()
}

// bytesOf is the size of the registers that vec makes.
func bytesOf(zmm bool) int {
	if zmm {
		return 64
	}
	return 32
}

// like makes another register of the size of v.
func like(v reg.VecVirtual) reg.VecVirtual { return vec(v.Size() == 64) }

// zero clears a register.
func zero(v reg.VecVirtual) {
	if v.Size() == 64 {
		VPXORD(v, v, v)
		return
	}
	VPXOR(v, v, v)
}

// fold adds, or combines by another instruction, the lanes of 16 bytes of v into
// the lowest.
func fold(v reg.VecVirtual, add func(ops ...Op)) reg.Register {
	if v.Size() == 64 {
		h := YMM()
		VEXTRACTI64X4(U8(1), v, h)
		add(h, v.AsY(), v.AsY())
	}
	h := XMM()
	VEXTRACTI128(U8(1), v.AsY(), h)
	add(h, v.AsX(), v.AsX())
	return v.AsX()
}

// move copies a register from or to memory.
func move(from, to Op) {
	if isZ(from) || isZ(to) {
		VMOVDQU64(from, to)
		return
	}
	VMOVDQU(from, to)
}

func isZ(op Op) bool {
	v, ok := op.(reg.VecVirtual)
	return ok && v.Size() == 64
}

// and clears in v what is not set in mask.
func and(mask Op, v reg.VecVirtual) {
	if isZ(v) {
		VPANDD(mask, v, v)
		return
	}
	VPAND(mask, v, v)
}

// load makes a register of bytes that are a function of their place.
func load(zmm bool, name string, f func(i int) int) reg.VecVirtual {
	v := vec(zmm)
	move(constant(name, bytes(64, f)), v)
	return v
}

// loadWords makes a register of numbers of 32 bits that are a function of their
// place.
func loadWords(zmm bool, name string, f func(i int) uint32) reg.VecVirtual {
	v := vec(zmm)
	move(constant(name, words(16, f)), v)
	return v
}

// Conditions for VCMPPS, ordered and quiet.
const (
	lessThan = 0x11
	notBelow = 0x1d
)

// aOrBAndC is a | b & c for VPTERNLOGD, where a is the destination.
const aOrBAndC = 0xf8
