package main

import (
	"fmt"
	"math"

	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/ir"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// The offsets of the fields of package matrix's attendTask.
const (
	attendQ         = 0
	attendStride    = 8
	attendKeys      = 16
	attendMask      = 24
	attendValues    = 32
	attendScores    = 40
	attendPadded    = 48
	attendN         = 56
	attendSize      = 64
	attendRows      = 72
	attendDst       = 80
	attendDstStride = 88
	attendScale     = 96
	attendSums      = 104
	attendWidth     = 112
)

var attend = onRows("attend", "func(t *byte)",
	"attend is the attention of some queries of one head; see attendTask.", attention)

// expTerms approximates 2^x for |x| up to ½ within 8e-8 of itself.
var expTerms = []float32{1.0000001192092896, 0.6931469440460205, 0.24022120237350464, 0.05550713464617729, 0.009675541892647743, 0.0013276467797398}

// attention takes as many queries at once as the registers hold sums of, 8 or 3,
// and the rest by fewer.
func attention(name string, zmm bool) {
	t := pointer("t")
	q, dst := GP64(), GP64()
	MOVQ(at(t, attendQ), q)
	MOVQ(at(t, attendDst), dst)
	groups, vectors := []int{3, 2, 1}, 4
	if zmm {
		groups, vectors = []int{8, 4, 2, 1}, 2
	}
	for _, rows := range groups {
		label := fmt.Sprintf("%s_%d", name, rows)
		Label(label)
		CMPQ(at(t, attendRows), I8(rows))
		JLT(LabelRef(label + "_done"))
		a := attender{zmm: zmm, rows: rows, vectors: vectors, t: t, label: label}
		a.scores(q)
		a.softmax()
		a.values(dst)
		for range rows {
			ADDQ(at(t, attendStride), q)
			ADDQ(at(t, attendDstStride), dst)
		}
		SUBQ(I8(rows), at(t, attendRows))
		JMP(LabelRef(label))
		Label(label + "_done")
	}
	VZEROUPPER()
	RET()
}

// attender writes the steps for some rows at a time.
type attender struct {
	zmm     bool
	rows    int
	vectors int // registers of keys, or of numbers of a value, at a time
	t       reg.Register
	label   string
}

// unit is how many bytes of keys are worked on together.
func (a attender) unit() int { return a.vectors * bytesOf(a.zmm) }

// lines addresses the rows of a matrix from registers with multiples of its
// stride.
type lines struct{ base, one, three, five, seven reg.GPVirtual }

func (a attender) lines(base reg.GPVirtual, stride Op) lines {
	l := lines{base, GP64(), GP64(), GP64(), GP64()}
	MOVQ(stride, l.one)
	if a.rows > 3 {
		LEAQ(Mem{Base: l.one, Index: l.one, Scale: 2}, l.three)
	}
	if a.rows > 4 {
		LEAQ(Mem{Base: l.one, Index: l.one, Scale: 4}, l.five)
		LEAQ(Mem{Base: l.three, Index: l.one, Scale: 4}, l.seven)
	}
	return l
}

func (l lines) row(r int) Mem {
	switch r {
	case 0:
		return Mem{Base: l.base}
	case 3:
		return Mem{Base: l.base, Index: l.three, Scale: 1}
	case 5:
		return Mem{Base: l.base, Index: l.five, Scale: 1}
	case 6:
		return Mem{Base: l.base, Index: l.three, Scale: 2}
	case 7:
		return Mem{Base: l.base, Index: l.seven, Scale: 1}
	}
	return Mem{Base: l.base, Index: l.one, Scale: uint8(r)}
}

// multiply adds to sums the products of count columns of x with as many rows of
// w, stride bytes apart. It moves both pointers and counts down.
func (a attender) multiply(label string, sums []reg.VecVirtual, x lines, w, stride, count reg.Register) {
	if !a.zmm {
		a.multiplyPairs(label, sums, x, w, stride, count)
		return
	}
	Label(label)
	var v [2]reg.VecVirtual
	for i := range v {
		v[i] = vec(a.zmm)
		VMOVUPS(at(w, i*bytesOf(a.zmm)), v[i])
	}
	for r := range a.rows {
		one := vec(a.zmm)
		VBROADCASTSS(x.row(r), one)
		for i := range v {
			VFMADD231PS(v[i], one, sums[2*r+i])
		}
	}
	ADDQ(I8(4), x.base)
	ADDQ(stride, w)
	DECQ(count)
	JNE(LabelRef(label))
}

// multiplyPairs is multiply for narrow registers, two columns at a time. Half of
// the rows of w are used from memory: so there are fewer instructions, and not yet
// too many loads.
func (a attender) multiplyPairs(label string, sums []reg.VecVirtual, x lines, w, stride, count reg.Register) {
	column := func(j int) {
		ones := make([]reg.VecVirtual, a.rows)
		for r := range ones {
			ones[r] = YMM()
			m := x.row(r)
			m.Disp = 4 * j
			VBROADCASTSS(m, ones[r])
		}
		for i := range a.vectors {
			m := Mem{Base: w, Disp: i * bytesOf(a.zmm)}
			if j > 0 {
				m.Index, m.Scale = stride, 1
			}
			from := Op(m)
			if i%2 == 0 && a.rows > 1 {
				v := YMM()
				VMOVUPS(m, v)
				from = v
			}
			for r, one := range ones {
				VFMADD231PS(from, one, sums[a.vectors*r+i])
			}
		}
	}
	SHRQ(U8(1), count)
	JCC(LabelRef(label + "_even"))
	column(0)
	ADDQ(I8(4), x.base)
	ADDQ(stride, w)
	TESTQ(count, count)
	JEQ(LabelRef(label + "_all"))
	Label(label + "_even")
	column(0)
	column(1)
	ADDQ(I8(8), x.base)
	LEAQ(Mem{Base: w, Index: stride, Scale: 2}, w)
	DECQ(count)
	JNE(LabelRef(label + "_even"))
	Label(label + "_all")
}

// scores multiplies queries with all keys.
func (a attender) scores(q reg.Register) {
	column, stride := GP64(), GP64()
	XORQ(column, column)
	MOVQ(at(a.t, attendPadded), stride)
	Label(a.label + "_keys")
	x, w, count := GP64(), GP64(), GP64()
	MOVQ(q, x)
	from := a.lines(x, at(a.t, attendStride))
	MOVQ(at(a.t, attendMask), w)
	sums := make([]reg.VecVirtual, a.vectors*a.rows)
	masks := make([]reg.VecVirtual, a.vectors)
	for i := range masks {
		masks[i] = vec(a.zmm)
		VMOVUPS(Mem{Base: w, Index: column, Scale: 1, Disp: i * bytesOf(a.zmm)}, masks[i])
	}
	if !a.zmm { // They are those of the first row: there are no more registers.
		copy(sums, masks)
	}
	for i := range sums {
		if sums[i] == nil {
			sums[i] = vec(a.zmm)
			VMOVAPS(masks[i%a.vectors], sums[i])
		}
	}
	MOVQ(at(a.t, attendKeys), w)
	ADDQ(column, w)
	MOVQ(at(a.t, attendSize), count)
	a.multiply(a.label+"_key", sums, from, w, stride, count)
	to := GP64()
	MOVQ(at(a.t, attendScores), to)
	ADDQ(column, to)
	line := a.lines(to, stride)
	for i, s := range sums {
		m := line.row(i / a.vectors)
		m.Disp = i % a.vectors * bytesOf(a.zmm)
		VMOVUPS(s, m)
	}
	ADDQ(I32(a.unit()), column)
	CMPQ(column, stride)
	JLT(LabelRef(a.label + "_keys"))
}

// softmax makes exp of the scores of each row, less the greatest, and keeps 1 by
// their sum.
func (a attender) softmax() {
	row, end, i, line := GP64(), GP64(), GP64(), GP64()
	scale, one := vec(a.zmm), XMM()
	VBROADCASTSS(at(a.t, attendScale), scale)
	VMOVSS(constant("onefloat", words(16, func(int) uint32 { return 0x3f800000 })), one)
	terms := make([]reg.VecVirtual, len(expTerms))
	for k, v := range expTerms {
		terms[k] = loadWords(a.zmm, "expterm"+string(rune('a'+k)), func(int) uint32 { return math.Float32bits(v) })
	}
	MOVQ(at(a.t, attendScores), line)
	MOVQ(at(a.t, attendPadded), end)
	XORQ(row, row)
	each := func(pass string, f func(j int, m Mem)) {
		XORQ(i, i)
		Label(a.label + pass)
		for j := range 2 {
			f(j, Mem{Base: line, Index: i, Scale: 1, Disp: j * bytesOf(a.zmm)})
		}
		ADDQ(I32(2*bytesOf(a.zmm)), i)
		CMPQ(i, end)
		JLT(LabelRef(a.label + pass))
	}
	Label(a.label + "_softmax")
	high := []reg.VecVirtual{vec(a.zmm), vec(a.zmm)}
	for j := range high {
		VMOVUPS(at(line, 0), high[j])
	}
	each("_greatest", func(j int, m Mem) { VMAXPS(m, high[j], high[j]) })
	VMAXPS(high[1], high[0], high[0])
	minus := vec(a.zmm)
	VBROADCASTSS(foldFloats(high[0], VMAXPS), minus)
	VMULPS(scale, minus, minus)
	sums := cleared(2, a.zmm)
	each("_exp", func(j int, m Mem) {
		v := vec(a.zmm)
		VMOVUPS(m, v)
		VFMSUB213PS(minus, scale, v)
		p := a.exp(v, terms)
		VMOVUPS(p, m)
		VADDPS(p, sums[j], sums[j])
	})
	VADDPS(sums[1], sums[0], sums[0])
	total, to := foldFloats(sums[0], VADDPS), GP64()
	VDIVSS(total, one, total)
	MOVQ(at(a.t, attendSums), to)
	VMOVSS(total, Mem{Base: to, Index: row, Scale: 4})
	ADDQ(end, line)
	INCQ(row)
	CMPQ(row, I8(a.rows))
	JLT(LabelRef(a.label + "_softmax"))
}

// exp makes 2^v of numbers that are not above 0.
func (a attender) exp(v reg.VecVirtual, terms []reg.VecVirtual) reg.VecVirtual {
	whole, p := vec(a.zmm), vec(a.zmm)
	if a.zmm {
		VRNDSCALEPS(U8(8), v, whole)
	} else {
		VMAXPS(constant("leastexponent", words(16, func(int) uint32 { return math.Float32bits(-126) })), v, v)
		VROUNDPS(U8(8), v, whole)
	}
	VSUBPS(whole, v, v)
	VMOVAPS(terms[len(terms)-1], p)
	for k := len(terms) - 2; k >= 0; k-- {
		VFMADD213PS(terms[k], v, p)
	}
	if a.zmm {
		VSCALEFPS(whole, p, p)
		return p
	}
	VCVTPS2DQ(whole, whole)
	VPSLLD(U8(23), whole, whole)
	VPADDD(whole, p, p)
	return p
}

// values multiplies what softmax made with all values.
func (a attender) values(dst reg.Register) {
	column := GP64()
	XORQ(column, column)
	Label(a.label + "_values")
	x, w, stride, count := GP64(), GP64(), GP64(), GP64()
	MOVQ(at(a.t, attendScores), x)
	from := a.lines(x, at(a.t, attendPadded))
	sums := cleared(a.vectors*a.rows, a.zmm)
	MOVQ(at(a.t, attendValues), w)
	ADDQ(column, w)
	MOVQ(at(a.t, attendStride), stride)
	MOVQ(at(a.t, attendN), count)
	a.multiply(a.label+"_value", sums, from, w, stride, count)
	to, part := GP64(), GP64()
	MOVQ(dst, to)
	ADDQ(column, to)
	line := a.lines(to, at(a.t, attendDstStride))
	MOVQ(at(a.t, attendSums), part)
	for i, s := range sums {
		f := vec(a.zmm)
		VBROADCASTSS(at(part, i/a.vectors*4), f)
		VMULPS(f, s, s)
		m := line.row(i / a.vectors)
		m.Disp = i % a.vectors * bytesOf(a.zmm)
		VMOVUPS(s, m)
	}
	ADDQ(I32(a.unit()), column)
	CMPQ(column, at(a.t, attendWidth))
	JLT(LabelRef(a.label + "_values"))
}

// cleared makes n registers of zeros. Unlike zeros, it tells avo that what they
// held before does not matter, so that they are free until then.
func cleared(n int, zmm bool) []reg.VecVirtual {
	opcode := map[bool]string{true: "VPXORD", false: "VPXOR"}[zmm]
	v := make([]reg.VecVirtual, n)
	for i := range v {
		v[i] = vec(zmm)
		Instruction(&ir.Instruction{Opcode: opcode, Operands: []Op{v[i], v[i], v[i]}, Outputs: []Op{v[i]}})
	}
	return v
}
