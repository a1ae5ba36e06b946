package main

import (
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// The values of package matrix's Op.
const (
	opGELU = 1
	opAdd  = 2
	opHalf = 3
)

// geluLimit and geluTerms approximate Φ(x) as ½ + x·P(x²) for |x| up to the
// limit, beyond which it is 0 or 1: fitted so that x·Φ(x) is within 6e-5 for any
// x, and chosen among the neighboring floats so that Φ(limit) is within 4e-9 of 1.
// The terms are those of P, the constant first.
var (
	geluLimit = float32(4.5)
	geluTerms = []float32{0.39870864152908325, -0.06597725301980972, 0.009580636397004128, -0.0010362487519159913, 8.12090584076941e-05, -4.431628894963069e-06, 1.5802297070877103e-07, -3.2838396446521756e-09, 2.999927042890427e-11}
)

// finish makes outputs of the sums at gAcc, up to rows of them from row gRow on;
// as bfloat16 too if the processor can do that.
func finish(label string, f file, int8, halves bool, rows int) {
	MOVQ(at(gTask, taskRows), gCount)
	SUBQ(gRow, gCount)
	CMPQ(gCount, I8(rows))
	JLE(LabelRef(label + "_all"))
	MOVQ(U32(rows), gCount)
	Label(label + "_all")
	MOVQ(gRow, gTo)
	IMULQ(at(gTask, taskDstStride), gTo)
	ADDQ(gCol, gTo)
	ADDQ(at(gTask, taskDst), gTo)
	MOVQ(gAcc, gWork)
	var columns [3][2]reg.VecPhysical // scales, sums and bias
	for i, from := range []int{taskColScale, taskColSum, taskBias} {
		if !int8 && from != taskBias {
			continue
		}
		MOVQ(at(gTask, from), gX)
		for v := range 2 {
			columns[i][v] = f[6+2*i+v]
			VMOVUPS(Mem{Base: gX, Index: gCol, Scale: 1, Disp: v * f.bytes()}, columns[i][v])
		}
	}
	MOVQ(at(gTask, taskScale), gScale)
	MOVQ(at(gTask, taskLow), gX)
	MOVQ(at(gTask, taskOp), gW)
	CMPQ(gW, I8(opGELU))
	JE(LabelRef(label + "_gelu"))
	CMPQ(gW, I8(opAdd))
	JE(LabelRef(label + "_add"))
	if halves {
		CMPQ(gW, I8(opHalf))
		JE(LabelRef(label + "_half"))
	}
	for _, op := range []struct {
		name  string
		apply func(v [2]reg.VecPhysical)
	}{
		{"_store", func([2]reg.VecPhysical) {}},
		{"_half", func([2]reg.VecPhysical) { cvtne2ps2bf16(1, 0, 0) }},
		{"_add", func(v [2]reg.VecPhysical) {
			for i := range v {
				VADDPS(at(gTo, i*f.bytes()), v[i], v[i])
			}
		}},
		{"_gelu", func(v [2]reg.VecPhysical) {
			gelus(f, v, [2]reg.VecPhysical{f[2], f[3]}, [2]reg.VecPhysical{f[4], f[5]})
		}},
	} {
		half := op.name == "_half"
		if half && !halves {
			continue
		}
		Label(label + op.name)
		if half { // which take half of the bytes
			MOVQ(gCol, gW)
			SHRQ(U8(1), gW)
			SUBQ(gW, gTo)
		}
		if f.wide() && op.name == "_gelu" {
			geluConstants(f)
		}
		Label(label + op.name + "_row")
		v := [2]reg.VecPhysical{f[0], f[1]}
		for i := range v {
			at := at(gWork, i*f.bytes())
			if int8 {
				scaled(f, at, v[i], f[2], columns[0][i], columns[1][i], columns[2][i])
			} else {
				VADDPS(at, columns[2][i], v[i])
			}
		}
		op.apply(v)
		for i := range v {
			if i == 0 || !half {
				VMOVUPS(v[i], at(gTo, i*f.bytes()))
			}
		}
		ADDQ(I32(2*f.bytes()), gWork)
		ADDQ(at(gTask, taskDstStride), gTo)
		INCQ(gRow)
		DECQ(gCount)
		JNE(LabelRef(label + op.name + "_row"))
		if op.name != "_gelu" {
			JMP(LabelRef(label + "_finished"))
		}
	}
	Label(label + "_finished")
}

// scaled makes a product of the sums of bytes in row gRow.
func scaled(f file, sums Mem, v, t, scale, sum, bias reg.VecPhysical) {
	VCVTDQ2PS(sums, v)
	VBROADCASTSS(Mem{Base: gScale, Index: gRow, Scale: 4}, t)
	VMULPS(t, v, v)
	VBROADCASTSS(Mem{Base: gX, Index: gRow, Scale: 4}, t)
	VFMADD231PS(t, sum, v)
	VFMADD213PS(bias, scale, v)
}

// geluConstants puts the terms of geluTerms, ½ and the limits into the upper wide
// registers.
func geluConstants(f file) {
	for i := range geluTerms {
		VMOVUPS(geluTerm(f, i), f[16+i])
	}
	VMOVUPS(f.words("geluhalf", math.Float32bits(0.5)), f[25])
	VMOVUPS(f.words("geluhigh", math.Float32bits(geluLimit)), f[26])
	VMOVUPS(f.words("gelulow", math.Float32bits(-geluLimit)), f[27])
}

func geluTerm(f file, i int) Mem {
	return f.words("geluterm"+string(rune('a'+i)), math.Float32bits(geluTerms[i]))
}

// gelus makes GELU of the numbers in v by way of c and p.
func gelus(f file, v, c, p [2]reg.VecPhysical) {
	term := func(i int) Op {
		if f.wide() {
			return f[16+i]
		}
		return geluTerm(f, i)
	}
	half, high, low := Op(f.words("geluhalf", math.Float32bits(0.5))), Op(f.words("geluhigh", math.Float32bits(geluLimit))), Op(f.words("gelulow", math.Float32bits(-geluLimit)))
	if f.wide() {
		half, high, low = f[25], f[26], f[27]
	}
	each := func(do func(i int)) { do(0); do(1) }
	square := [2]reg.VecPhysical{f[12], f[13]}
	last := len(geluTerms) - 1
	each(func(i int) { VMINPS(high, v[i], c[i]) })
	each(func(i int) { VMAXPS(low, c[i], c[i]) })
	each(func(i int) { VMULPS(c[i], c[i], square[i]) })
	each(func(i int) { VMOVUPS(term(last), p[i]) })
	for k := last - 1; k >= 0; k-- {
		each(func(i int) { VFMADD213PS(term(k), square[i], p[i]) })
	}
	each(func(i int) { VFMADD213PS(half, c[i], p[i]) })
	each(func(i int) { VMULPS(p[i], v[i], v[i]) })
}
