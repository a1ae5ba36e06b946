package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
)

// dot is a way to multiply groups of four bytes. The registers 0 to 15 (of wide
// ones) or 0 to 7 hold sums; it works with those that it is given.
type dot interface {
	// begin loads constants; the last register is for them.
	begin(f file)
	// weights makes ready the weights in register v, of which v+2 is a second
	// half.
	weights(f file, v int)
	// row makes ready the bytes of a row in register x, of which x+1 is a second
	// half.
	row(f file, x int)
	// add adds to sum the products of a row with weights; t is a spare register.
	add(f file, sum, x, w, t int)
}

// vpdpbusd adds up four products of bytes.
type vpdpbusd struct{}

func (vpdpbusd) begin(file)        {}
func (vpdpbusd) weights(file, int) {}
func (vpdpbusd) row(file, int)     {}

func (vpdpbusd) add(f file, sum, x, w, _ int) {
	if f.wide() {
		VPDPBUSD(f[w], f[x], f[sum])
		return
	}
	raw(append(vex(sum, 0, w, x, 1, 1), 0x50, registers3(sum, w))...) // AVX-VNNI
}

// bytePairs multiplies bytes as words, the even and the odd ones apart, which
// leaves no room for saturation as VPMADDUBSW would.
type bytePairs struct{}

func (bytePairs) begin(f file) { VMOVUPS(f.words("evenbytes", 0x00ff00ff), f[len(f)-1]) }

func (bytePairs) weights(f file, v int) {
	VPSRAW(U8(8), f[v], f[v+2])
	VPSLLW(U8(8), f[v], f[v])
	VPSRAW(U8(8), f[v], f[v])
}

func (bytePairs) row(f file, x int) {
	VPSRLW(U8(8), f[x], f[x+1])
	f.and(f[len(f)-1], f[x], f[x])
}

func (bytePairs) add(f file, sum, x, w, t int) {
	VPMADDWD(f[x], f[w], f[t])
	VPADDD(f[t], f[sum], f[sum])
	VPMADDWD(f[x+1], f[w+2], f[t])
	VPADDD(f[t], f[sum], f[sum])
}

// halves multiplies bfloat16 as float32.
type halves struct{}

func (halves) begin(f file) { VMOVUPS(f.words("upperhalf", 0xffff0000), f[len(f)-1]) }

func (halves) weights(f file, v int) {
	f.and(f[len(f)-1], f[v], f[v+2])
	VPSLLD(U8(16), f[v], f[v])
}

func (halves) row(f file, x int) {
	f.and(f[len(f)-1], f[x], f[x+1])
	VPSLLD(U8(16), f[x], f[x])
}

func (halves) add(f file, sum, x, w, _ int) {
	VFMADD231PS(f[x], f[w], f[sum])
	VFMADD231PS(f[x+1], f[w+2], f[sum])
}
