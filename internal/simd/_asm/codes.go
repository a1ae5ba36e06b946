package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

var dotCodes = kernel{
	"dotCodes",
	"func(x *uint8, q *int8, n int) int32",
	"dotCodes is DotCodes with the instructions of the level in use.",
	[]body{
		{vnni, func(name string) { dotOne(name, vnniDot{}) }},
		{avx512bw, func(name string) { dotOne(name, wideDot{zmm: true}) }},
		{avx2, func(name string) { dotOne(name, wideDot{}) }},
	},
}

var dotCodesList = kernel{
	"dotCodesList",
	"func(base *uint8, stride uintptr, slots []uint32, q *int8, n int, out []int32)",
	"dotCodesList is DotCodesList with the instructions of the level in use.",
	[]body{
		{vnni, func(name string) { dotList(name, vnniDot{}) }},
		{avx512bw, func(name string) { dotList(name, wideDot{zmm: true}) }},
		{avx2, func(name string) { dotList(name, wideDot{}) }},
	},
}

var dotTwoBitsList = kernel{
	"dotTwoBitsList",
	"func(base *uint8, stride uintptr, slots []uint32, q *int8, n int, out []int32)",
	"dotTwoBitsList is DotTwoBitsList with the instructions of the level in use; n is in bytes of codes.",
	[]body{
		{vnni, func(name string) { dotList(name, twoBitsDot{zmm: true, vnni: true}) }},
		{avx512bw, func(name string) { dotList(name, twoBitsDot{zmm: true}) }},
		{avx2, func(name string) { dotList(name, twoBitsDot{}) }},
	},
}

// codeDot multiplies 64 unsigned codes by as many signed ones.
type codeDot interface {
	vec() reg.VecVirtual
	// codeLen is how many bytes 64 unsigned codes take.
	codeLen() int
	// step adds the products of the 64 codes at each of xs and those at q to its
	// sum.
	step(xs []Mem, q Mem, sums []reg.VecVirtual)
}

type vnniDot struct{}

func (vnniDot) vec() reg.VecVirtual { return ZMM() }
func (vnniDot) codeLen() int        { return 64 }

func (vnniDot) step(xs []Mem, q Mem, sums []reg.VecVirtual) {
	signed := ZMM()
	VMOVDQU64(q, signed)
	for i, x := range xs {
		unsigned := ZMM()
		VMOVDQU64(x, unsigned)
		VPDPBUSD(signed, unsigned, sums[i])
	}
}

// wideDot widens the codes to 16 bits, since the sum of two products of bytes
// may be wider.
type wideDot struct{ zmm bool }

func (w wideDot) vec() reg.VecVirtual { return vec(w.zmm) }
func (wideDot) codeLen() int          { return 64 }

func (w wideDot) step(xs []Mem, q Mem, sums []reg.VecVirtual) {
	for part := 0; part < 64; part += bytesOf(w.zmm) / 2 {
		signed := w.vec()
		VPMOVSXBW(q.Offset(part), signed)
		for i, x := range xs {
			unsigned := w.vec()
			VPMOVZXBW(x.Offset(part), unsigned)
			VPMADDWD(signed, unsigned, unsigned)
			VPADDD(unsigned, sums[i], sums[i])
		}
	}
}

// twoBitsDot takes codes of two bits: byte j of 16 holds the numbers j, j+16, j+32
// and j+48, the first in its lowest bits. All lanes of a register get the same
// bytes, and each shifts them by its own number of bits.
type twoBitsDot struct{ zmm, vnni bool }

func (t twoBitsDot) vec() reg.VecVirtual { return vec(t.zmm) }
func (twoBitsDot) codeLen() int          { return 16 }

func (t twoBitsDot) step(xs []Mem, q Mem, sums []reg.VecVirtual) {
	for part := 0; part < 64; part += bytesOf(t.zmm) {
		shifts := constant("twobitshifts", words(16, func(i int) uint32 { return uint32(i / 4 * 2) })).Offset(part)
		signed := t.vec()
		move(q.Offset(part), signed)
		for i, x := range xs {
			codes := t.vec()
			if t.zmm {
				VBROADCASTI32X4(x, codes)
			} else {
				VBROADCASTI128(x, codes)
			}
			VPSRLVD(shifts, codes, codes)
			and(constant("threes", bytes(64, func(int) int { return 3 })), codes)
			if t.vnni {
				VPDPBUSD(signed, codes, sums[i])
				continue
			}
			VPMADDUBSW(signed, codes, codes)
			VPMADDWD(constant("oneshorts", words(16, func(int) uint32 { return 1<<16 | 1 })), codes, codes)
			VPADDD(codes, sums[i], sums[i])
		}
	}
}

// zeros makes n sums of zero.
func zeros(n int, vec func() reg.VecVirtual) []reg.VecVirtual {
	sums := make([]reg.VecVirtual, n)
	for i := range sums {
		sums[i] = vec()
		zero(sums[i])
	}
	return sums
}

func dotOne(name string, d codeDot) {
	x, q, n := pointer("x"), pointer("q"), pointer("n")
	sums := zeros(4, d.vec)
	step := func(i int) { d.step([]Mem{at(x, 64*i)}, at(q, 64*i), sums[i:i+1]) }
	SUBQ(I32(256), n)
	JLT(LabelRef(name + "_few"))
	Label(name + "_many")
	for i := range sums {
		step(i)
	}
	ADDQ(I32(256), x)
	ADDQ(I32(256), q)
	SUBQ(I32(256), n)
	JGE(LabelRef(name + "_many"))
	Label(name + "_few")
	ADDQ(I32(256), n)
	for i := range 3 {
		JLE(LabelRef(name + "_sum"))
		step(i)
		SUBQ(I8(64), n)
	}
	Label(name + "_sum")
	VPADDD(sums[1], sums[0], sums[0])
	VPADDD(sums[3], sums[2], sums[2])
	VPADDD(sums[2], sums[0], sums[0])
	returnInt(sumInts(sums[0]))
	VZEROUPPER()
	RET()
}

// dotList takes four slots at a time, fetching the codes of the four after them
// meanwhile, and then the slots that are left. The parameters that do not fit
// into registers stay in memory.
func dotList(name string, d codeDot) {
	slots, count, out, q := pointer("slots_base"), pointer("slots_len"), pointer("out_base"), pointer("q")
	var x, next [4]reg.GPVirtual
	for i := range x {
		x[i], next[i] = GP64(), GP64()
	}
	offset, scale := GP64(), uint8(64/d.codeLen())
	inFours(name, slots, count, out, func() {
		for i := range x {
			slotAt(slots, i, x[i])
			MOVQ(x[i], next[i])
		}
		for i := range next {
			CMPQ(count, I8(i+1))
			JLT(LabelRef(name + "_start"))
			slotAt(slots, i+4, next[i])
		}
		Label(name + "_start")
		sums := zeros(4, d.vec)
		XORQ(offset, offset)
		Label(name + "_codes")
		var xs []Mem
		for i := range x {
			xs = append(xs, at(x[i], 0).Idx(offset, 1))
			PREFETCHT0(at(next[i], 0).Idx(offset, 1))
		}
		d.step(xs, at(q, 0).Idx(offset, scale), sums)
		ADDQ(I8(d.codeLen()), offset)
		CMPQ(offset, param("n"))
		JLT(LabelRef(name + "_codes"))
		VMOVDQU(sumFour(sums), at(out, 0))
	}, func() {
		slotAt(slots, 0, x[0])
		one := zeros(1, d.vec)
		XORQ(offset, offset)
		Label(name + "_onecodes")
		d.step([]Mem{at(x[0], 0).Idx(offset, 1)}, at(q, 0).Idx(offset, scale), one)
		ADDQ(I8(d.codeLen()), offset)
		CMPQ(offset, param("n"))
		JLT(LabelRef(name + "_onecodes"))
		VMOVD(sumInts(one[0]), at(out, 0))
	})
}

// inFours makes the rest of a function that goes through a list of slots: four is for
// four of them and their numbers at out, while count is how many come after these, and
// one for each that is left in the end.
func inFours(name string, slots, count, out reg.Register, four, one func()) {
	SUBQ(I8(4), count)
	JLT(LabelRef(name + "_few"))
	Label(name + "_four")
	four()
	ADDQ(I8(16), slots)
	ADDQ(I8(16), out)
	SUBQ(I8(4), count)
	JGE(LabelRef(name + "_four"))

	Label(name + "_few")
	ADDQ(I8(4), count)
	JLE(LabelRef(name + "_done"))
	Label(name + "_one")
	one()
	ADDQ(I8(4), slots)
	ADDQ(I8(4), out)
	DECQ(count)
	JNE(LabelRef(name + "_one"))
	Label(name + "_done")
	VZEROUPPER()
	RET()
}

// slotAt puts into r where what belongs to slot i of a list begins.
func slotAt(slots reg.Register, i int, r reg.GPVirtual) {
	MOVL(at(slots, 4*i), r.As32())
	IMULQ(param("stride"), r)
	ADDQ(param("base"), r)
}

// sumFour adds up the numbers of 32 bits in each of four registers into the
// four of one.
func sumFour(v []reg.VecVirtual) reg.Register {
	t := like(v[0])
	for _, pair := range [][]reg.VecVirtual{v[:2], v[2:]} {
		VPUNPCKHDQ(pair[1], pair[0], t)
		VPUNPCKLDQ(pair[1], pair[0], pair[0])
		VPADDD(t, pair[0], pair[0])
	}
	VPUNPCKHQDQ(v[2], v[0], t)
	VPUNPCKLQDQ(v[2], v[0], v[0])
	VPADDD(t, v[0], v[0])
	return fold(v[0], VPADDD)
}

// sumInts adds up the numbers of 32 bits in v; the sum is the lowest.
func sumInts(v reg.VecVirtual) reg.Register {
	x, h := fold(v, VPADDD), XMM()
	VPSHUFD(U8(0xee), x, h)
	VPADDD(h, x, x)
	VPSHUFD(U8(0x55), x, h)
	VPADDD(h, x, x)
	return x
}

// returnInt returns the lowest number of 32 bits of v.
func returnInt(v reg.Register) {
	r := GP32()
	VMOVD(v, r)
	MOVL(r, result(0))
}
