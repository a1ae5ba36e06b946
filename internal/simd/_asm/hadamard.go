package main

import (
	"fmt"
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

var hadamard = kernel{
	"hadamard",
	"func(x []float32, scale float32)",
	"hadamard applies the Walsh-Hadamard transform in place and multiplies by scale.",
	[]body{
		{avx512bw, func(name string) { transform(name, true, 16) }},
		{avx2, func(name string) { transform(name, false, 8) }},
	},
}

// transform takes the numbers into up to most registers, in which it goes as far
// as it can; what is left goes from memory to memory, two steps at a time.
// Multiplying comes first, where it is part of the load.
func transform(name string, zmm bool, most int) {
	x, n := pointer("x_base"), pointer("x_len")
	width := bytesOf(zmm) / 4
	CMPQ(n, U8(width))
	JGE(LabelRef(name + "_vectors"))
	tail("·hadamardGeneric")
	Label(name + "_vectors")

	scale := vec(zmm)
	VBROADCASTSS(param("scale"), scale)
	var signs []reg.VecVirtual
	for h := 1; h < width; h *= 2 {
		signs = append(signs, loadWords(zmm, fmt.Sprintf("signs%d", h), func(i int) uint32 {
			return math.Float32bits([]float32{1, -1}[i/h%2])
		}))
	}
	for registers := 1; registers < most; registers *= 2 {
		next := fmt.Sprintf("%s_over_%d", name, registers)
		CMPQ(n, U32(registers*width))
		JNE(LabelRef(next))
		within(x, scale, signs, registers)
		VZEROUPPER()
		RET()
		Label(next)
	}
	block, count := GP64(), GP64()
	MOVQ(x, block)
	MOVQ(n, count)
	Label(name + "_block")
	within(block, scale, signs, most)
	ADDQ(U32(4*most*width), block)
	SUBQ(U32(most*width), count)
	JHI(LabelRef(name + "_block"))
	across(name, x, n, zmm, most*width)
	VZEROUPPER()
	RET()
}

// within transforms the numbers at x that fill a number of registers.
func within(x reg.Register, scale reg.VecVirtual, signs []reg.VecVirtual, registers int) {
	v := make([]reg.VecVirtual, registers)
	size := int(scale.Size())
	for i := range v {
		v[i] = like(scale)
		VMULPS(at(x, size*i), scale, v[i])
		for step, sign := range signs {
			// Where the sign is minus, the number is taken off its partner.
			partner := like(scale)
			swap(step, v[i], partner)
			VFMADD213PS(partner, sign, v[i])
		}
	}
	for h := 1; h < registers; h *= 2 {
		for i := range v {
			if i&h == 0 {
				butterfly(&v[i], &v[i+h])
			}
		}
	}
	for i := range v {
		VMOVUPS(v[i], at(x, size*i))
	}
}

// swap exchanges neighboring runs of 2^step numbers.
func swap(step int, from, to reg.VecVirtual) {
	switch {
	case step == 0:
		VPERMILPS(U8(0xb1), from, to)
	case step == 1:
		VPERMILPS(U8(0x4e), from, to)
	case from.Size() == 32:
		VPERM2F128(U8(1), from, from, to)
	case step == 2:
		VSHUFF32X4(U8(0xb1), from, from, to)
	case step == 3:
		VSHUFF32X4(U8(0x4e), from, from, to)
	}
}

// butterfly puts a+b into a and a-b into b.
func butterfly(a, b *reg.VecVirtual) {
	sum := like(*a)
	VADDPS(*b, *a, sum)
	VSUBPS(*b, *a, *b)
	*a = sum
}

// across goes on with partners that are h or more numbers apart: the steps h and
// 2h together, and the last one alone where their number is odd.
func across(name string, x, n reg.Register, zmm bool, h int) {
	dist, end, last := GP64(), GP64(), GP64() // in bytes
	MOVQ(U32(4*h), dist)
	LEAQ(Mem{Base: x, Index: n, Scale: 4}, end)
	Label(name + "_step")
	for _, partners := range []int{4, 2} {
		label := func(what string) string { return fmt.Sprintf("%s_%d_%s", name, partners, what) }
		from, stop, third := GP64(), GP64(), GP64()
		// There is no step left for so many partners if they end behind x.
		IMUL3Q(I8(partners), dist, last)
		ADDQ(x, last)
		CMPQ(last, end)
		JHI(LabelRef(label("done")))
		MOVQ(x, from)
		Label(label("run"))
		LEAQ(Mem{Base: from, Index: dist, Scale: 1}, stop)
		LEAQ(Mem{Base: stop, Index: dist, Scale: 1}, third)
		ADDQ(dist, third)
		SUBQ(from, third)
		Label(label("vector"))
		places := []Mem{at(from, 0), at(from, 0).Idx(dist, 1), at(from, 0).Idx(dist, 2), at(from, 0).Idx(third, 1)}[:partners]
		v := make([]reg.VecVirtual, partners)
		for i := range v {
			v[i] = vec(zmm)
			VMOVUPS(places[i], v[i])
		}
		for step := 1; step < partners; step *= 2 {
			for i := range v {
				if i&step == 0 {
					butterfly(&v[i], &v[i+step])
				}
			}
		}
		for i := range v {
			VMOVUPS(v[i], places[i])
		}
		ADDQ(I8(bytesOf(zmm)), from)
		CMPQ(from, stop)
		JNE(LabelRef(label("vector")))
		// Go on behind the last partners.
		SUBQ(dist, from)
		for range partners {
			ADDQ(dist, from)
		}
		CMPQ(from, end)
		JNE(LabelRef(label("run")))
		SHLQ(U8(partners/2), dist)
		JMP(LabelRef(name + "_step"))
		Label(label("done"))
	}
}
