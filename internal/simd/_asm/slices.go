package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

var maxAbs = kernel{
	"maxAbs",
	"func(x []float32) float32",
	"maxAbs is MaxAbs with the instructions of the level in use.",
	[]body{
		{avx512bw, func(name string) { largest(name, true) }},
		{avx2, func(name string) { largest(name, false) }},
	},
}

var multiply = kernel{
	"multiply",
	"func(x, y []float32)",
	"multiply is Multiply with the instructions of the level in use.",
	[]body{
		{avx512bw, func(name string) { products(name, true) }},
		{avx2, func(name string) { products(name, false) }},
	},
}

// each emits a loop over n floats, four registers at a time, then one register
// and then what is left: at once under a mask k, or float by float with none.
func each(name string, zmm bool, n reg.Register, pointers []reg.GPVirtual, full func(i, offset int), rest func(k reg.Register)) {
	size := bytesOf(zmm)
	advance := func(bytes int) {
		for _, p := range pointers {
			ADDQ(U32(bytes), p)
		}
	}
	for _, registers := range []int{4, 1} {
		label := name + map[int]string{4: "_four", 1: "_one"}[registers]
		SUBQ(U32(registers*size/4), n)
		JLT(LabelRef(label + "_done"))
		Label(label)
		for i := range registers {
			full(i, i*size)
		}
		advance(registers * size)
		SUBQ(U32(registers*size/4), n)
		JGE(LabelRef(label))
		Label(label + "_done")
		ADDQ(U32(registers*size/4), n)
	}
	JEQ(LabelRef(name + "_end"))
	if zmm {
		ones, k := GP64(), K()
		MOVQ(U32(1), ones)
		shift(ones, n.(reg.GPVirtual))
		DECQ(ones)
		KMOVW(ones.As32(), k)
		rest(k)
	} else {
		Label(name + "_float")
		rest(nil)
		advance(4)
		DECQ(n)
		JNE(LabelRef(name + "_float"))
	}
	Label(name + "_end")
}

func largest(name string, zmm bool) {
	x, n := pointer("x_base"), pointer("x_len")
	size := loadWords(zmm, "size", func(int) uint32 { return 1<<31 - 1 })
	most := zeros(4, func() reg.VecVirtual { return vec(zmm) })
	take := func(v, into reg.VecVirtual) {
		and(size, v)
		VMAXPS(v, into, into)
	}
	each(name, zmm, n, []reg.GPVirtual{x},
		func(i, offset int) {
			v := vec(zmm)
			move(at(x, offset), v)
			take(v, most[i])
		},
		func(k reg.Register) {
			v := vec(zmm)
			if k != nil {
				VMOVUPS_Z(at(x, 0), k, v)
			} else {
				VMOVSS(at(x, 0), v.AsX()) // The others are 0 then.
			}
			take(v, most[0])
		})
	VMAXPS(most[1], most[0], most[0])
	VMAXPS(most[3], most[2], most[2])
	VMAXPS(most[2], most[0], most[0])
	v, h := fold(most[0], VMAXPS), XMM()
	VPERMILPS(U8(0xee), v, h)
	VMAXPS(h, v, v)
	VMOVSHDUP(v, h)
	VMAXSS(h, v, v)
	VMOVSS(v, result(0))
	VZEROUPPER()
	RET()
}

func products(name string, zmm bool) {
	x, n, y := pointer("x_base"), pointer("x_len"), pointer("y_base")
	each(name, zmm, n, []reg.GPVirtual{x, y},
		func(_, offset int) {
			v := vec(zmm)
			VMOVUPS(at(x, offset), v)
			VMULPS(at(y, offset), v, v)
			VMOVUPS(v, at(x, offset))
		},
		func(k reg.Register) {
			if k != nil {
				v, w := vec(zmm), vec(zmm)
				VMOVUPS_Z(at(x, 0), k, v)
				VMOVUPS_Z(at(y, 0), k, w)
				VMULPS(w, v, v)
				VMOVUPS(v, k, at(x, 0))
				return
			}
			v := XMM()
			VMOVSS(at(x, 0), v)
			VMULSS(at(y, 0), v, v)
			VMOVSS(v, at(x, 0))
		})
	VZEROUPPER()
	RET()
}
