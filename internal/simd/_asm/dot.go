package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// unroll is how many registers a kernel sums into, so that the latency of one
// multiply-add is hidden behind the others.
const unroll = 4

// floats writes the kernels of exact distances.
func floats() {
	generate("dotFMA", "dotFMA sums x[i]*y[i] over n floats; it needs AVX and FMA3.", fma{}, false)
	generate("l2FMA", "l2FMA sums (x[i]-y[i])² over n floats; it needs AVX and FMA3.", fma{}, true)
	generate("dotAVX512", "dotAVX512 sums x[i]*y[i] over n floats; it needs AVX512F.", avx512{}, false)
	generate("l2AVX512", "l2AVX512 sums (x[i]-y[i])² over n floats; it needs AVX512F.", avx512{}, true)
}

// isa is what differs between the instruction sets.
type isa interface {
	width() int // floats a register
	vec() reg.VecVirtual
	zero(r reg.VecVirtual)
	// tail adds the last n (in register n, from 1 to width-1) products at x and
	// y; its labels begin with name.
	tail(name string, x, y, n reg.Register, acc reg.VecVirtual, square bool)
	// sum adds up all floats of acc into a scalar register.
	sum(acc reg.VecVirtual) reg.VecVirtual
}

// generate writes one kernel: func name(x, y *float32, n uint64) float32.
func generate(name, doc string, set isa, square bool) {
	TEXT(name, NOSPLIT, "func(x, y *float32, n uint64) float32")
	Doc(doc)
	x, y, n := Load(Param("x"), GP64()), Load(Param("y"), GP64()), Load(Param("n"), GP64())
	acc := make([]reg.VecVirtual, unroll)
	for i := range acc {
		acc[i] = set.vec()
		set.zero(acc[i])
	}
	block := unroll * set.width()

	Label(name + "_block")
	CMPQ(n, U32(block))
	JL(LabelRef(name + "_one"))
	for i := range acc {
		accumulate(set, x, y, 4*i*set.width(), acc[i], square)
	}
	ADDQ(U32(4*block), x)
	ADDQ(U32(4*block), y)
	SUBQ(U32(block), n)
	JMP(LabelRef(name + "_block"))

	Label(name + "_one")
	CMPQ(n, U32(set.width()))
	JL(LabelRef(name + "_tail"))
	accumulate(set, x, y, 0, acc[0], square)
	ADDQ(U32(4*set.width()), x)
	ADDQ(U32(4*set.width()), y)
	SUBQ(U32(set.width()), n)
	JMP(LabelRef(name + "_one"))

	Label(name + "_tail")
	VADDPS(acc[1], acc[0], acc[0])
	VADDPS(acc[3], acc[2], acc[2])
	VADDPS(acc[2], acc[0], acc[0])
	TESTQ(n, n)
	JE(LabelRef(name + "_sum"))
	set.tail(name, x, y, n, acc[0], square)
	Label(name + "_sum")
	total := set.sum(acc[0])
	ret, err := ReturnIndex(0).Resolve()
	if err != nil {
		panic(err)
	}
	VMOVSS(total.AsX(), ret.Addr)
	VZEROUPPER()
	RET()
}

// accumulate adds one register full of products, or of squared differences, to
// acc.
func accumulate(set isa, x, y reg.Register, offset int, acc reg.VecVirtual, square bool) {
	v := set.vec()
	VMOVUPS(Mem{Base: x, Disp: offset}, v)
	if square {
		VSUBPS(Mem{Base: y, Disp: offset}, v, v)
		VFMADD231PS(v, v, acc)
		return
	}
	VFMADD231PS(Mem{Base: y, Disp: offset}, v, acc)
}

type fma struct{}

func (fma) width() int            { return 8 }
func (fma) vec() reg.VecVirtual   { return YMM() }
func (fma) zero(r reg.VecVirtual) { VXORPS(r, r, r) }

// tail goes float by float; a scalar instruction clears the upper lanes, so
// the sum is kept in a register of its own and added at the end.
func (fma) tail(name string, x, y, n reg.Register, acc reg.VecVirtual, square bool) {
	rest, v := XMM(), XMM()
	VXORPS(rest, rest, rest)
	Label(name + "_float")
	VMOVSS(Mem{Base: x}, v)
	if square {
		VSUBSS(Mem{Base: y}, v, v)
		VFMADD231SS(v, v, rest)
	} else {
		VFMADD231SS(Mem{Base: y}, v, rest)
	}
	ADDQ(U32(4), x)
	ADDQ(U32(4), y)
	DECQ(n)
	JNE(LabelRef(name + "_float"))
	// The upper lanes of rest are zero, also those above 128 bits.
	VADDPS(rest.AsY(), acc, acc)
}

func (fma) sum(acc reg.VecVirtual) reg.VecVirtual {
	high := XMM()
	VEXTRACTF128(U8(1), acc.AsY(), high)
	VADDPS(high, acc.AsX(), acc.AsX())
	return sumX(acc)
}

// sumX adds up the four floats of an XMM register.
func sumX(acc reg.VecVirtual) reg.VecVirtual {
	VHADDPS(acc.AsX(), acc.AsX(), acc.AsX())
	VHADDPS(acc.AsX(), acc.AsX(), acc.AsX())
	return acc
}

type avx512 struct{}

func (avx512) width() int            { return 16 }
func (avx512) vec() reg.VecVirtual   { return ZMM() }
func (avx512) zero(r reg.VecVirtual) { VPXORQ(r, r, r) }

// tail loads under a mask of n ones; masked-out floats are zero and are not
// read, so no byte beyond the vectors is touched.
func (avx512) tail(_ string, x, y, n reg.Register, acc reg.VecVirtual, square bool) {
	ones, count := GP64(), GP64()
	MOVQ(n, count)
	MOVQ(U32(1), ones)
	shift(ones, count)
	DECQ(ones)
	k := K()
	KMOVW(ones.As32(), k)
	a, b := ZMM(), ZMM()
	VMOVUPS_Z(Mem{Base: x}, k, a)
	VMOVUPS_Z(Mem{Base: y}, k, b)
	if square {
		VSUBPS(b, a, a)
		b = a
	}
	VFMADD231PS(b, a, acc)
}

// shift computes r <<= count.
func shift(r, count reg.GPVirtual) {
	MOVQ(count, reg.RCX)
	SHLQ(reg.CL, r)
}

func (avx512) sum(acc reg.VecVirtual) reg.VecVirtual {
	half := YMM()
	VEXTRACTF64X4(U8(1), acc.AsZ(), half)
	VADDPS(half, acc.AsY(), acc.AsY())
	high := XMM()
	VEXTRACTF128(U8(1), acc.AsY(), high)
	VADDPS(high, acc.AsX(), acc.AsX())
	return sumX(acc)
}
