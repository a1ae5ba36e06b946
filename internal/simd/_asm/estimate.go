package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

var estimateList = kernel{
	"estimateList",
	"func(base *uint8, stride uintptr, slots []uint32, q *int8, words int, mul, add, origin float32, out []float32)",
	"estimateList is EstimateList with the instructions of the level in use; words is how many words of 64 bits a code has.",
	[]body{{avx2, estimateRows}},
}

// rowsAhead is how many rows before it is read a row is fetched.
const rowsAhead = 32

// estimateRows takes four rows at a time, fetching those to come, and then the rows
// that are left one by one. The parameters that do not fit into registers stay in
// memory.
func estimateRows(name string) {
	slots, count, out, q := pointer("slots_base"), pointer("slots_len"), pointer("out_base"), pointer("q")
	end := pointer("words") // of the bits of a row
	SHLQ(U8(3), end)
	b := rowBits{q: q, end: end, shifts: loadWords(false, "rowshifts", func(i int) uint32 { return []uint32{0, 0, 4, 0}[i%8/4*2+i%2] })}
	for k := range b.masks {
		b.masks[k] = load(false, fmt.Sprint("rowmask", k), func(int) int { return 1 << k })
	}
	var x [4]reg.GPVirtual
	for i := range x {
		x[i] = GP64()
	}
	offset := GP64()
	inFours(name, slots, count, out, func() {
		CMPQ(count, I8(rowsAhead))
		JLT(LabelRef(name + "_fetched"))
		for i := range x {
			slotAt(slots, rowsAhead+i, x[i])
		}
		XORQ(offset, offset)
		Label(name + "_line")
		for i := range x {
			PREFETCHT0(at(x[i], 0).Idx(offset, 1))
		}
		ADDQ(I8(64), offset)
		CMPQ(offset, end)
		JLE(LabelRef(name + "_line")) // the factors are behind the last bits
		Label(name + "_fetched")
		for i := range x {
			slotAt(slots, i, x[i])
		}
		move(b.estimate(name+"_bits", x[:]), at(out, 0))
	}, func() {
		slotAt(slots, 0, x[0])
		VMOVSS(b.estimate(name+"_onebits", x[:1]), at(out, 0))
	})
}

// rowBits adds up the numbers whose bits are set in rows. It takes 128 bits at a time,
// in both lanes of a register, one of which is shifted by four bits: then four masks
// leave one bit of each byte, worth 1, 2, 4 or 8, and what these are multiplied with
// makes all of them worth 8.
type rowBits struct {
	q, end reg.GPVirtual
	shifts reg.VecVirtual
	masks  [4]reg.VecVirtual
}

// estimate makes the estimates of four rows, or the same one of one four times.
func (b rowBits) estimate(label string, rows []reg.GPVirtual) reg.VecVirtual {
	sums := zeros(len(rows), YMM)
	offset := GP64()
	XORQ(offset, offset)
	Label(label)
	bits := make([]reg.VecVirtual, len(rows))
	for i, x := range rows {
		bits[i] = YMM()
		VBROADCASTI128(at(x, 0).Idx(offset, 1), bits[i])
		VPSRLVQ(b.shifts, bits[i], bits[i])
	}
	for k, mask := range b.masks {
		for i := range rows {
			one := YMM()
			VPAND(mask, bits[i], one)
			VPMADDUBSW(at(b.q, 32*k).Idx(offset, 8), one, one)
			VPADDW(one, sums[i], sums[i])
		}
	}
	ADDQ(I8(16), offset)
	CMPQ(offset, b.end)
	JLT(LabelRef(label))

	for _, sum := range sums {
		VPMADDWD(constant("oneshorts", words(16, func(int) uint32 { return 1<<16 | 1 })), sum, sum)
	}
	// Number i of each lane gets the sum of those of row i.
	of := func(i int) reg.VecVirtual { return sums[i%len(sums)] }
	first, last := YMM(), YMM()
	VPHADDD(of(1), of(0), first)
	VPHADDD(of(3), of(2), last)
	VPHADDD(last, first, first)
	fold(first, VPADDD)
	est := XMM()
	VCVTDQ2PS(first.AsX(), est)
	each := func(name string) reg.VecVirtual {
		v := XMM()
		VBROADCASTSS(param(name), v)
		return v
	}
	VFMADD213PS(each("add"), each("mul"), est)
	// The factors of two rows each, then the first and the second of all.
	var two [2]reg.VecVirtual
	for i := range two {
		two[i] = XMM()
		VMOVSD(at(rows[2*i%len(rows)], 0).Idx(b.end, 1), two[i])
		VMOVHPS(at(rows[(2*i+1)%len(rows)], 0).Idx(b.end, 1), two[i], two[i])
	}
	plus, times := XMM(), XMM()
	VSHUFPS(U8(0x88), two[1], two[0], plus)
	VSHUFPS(U8(0xdd), two[1], two[0], times)
	VFMADD213PS(plus, times, est)
	VADDPS(each("origin"), est, est)
	return est
}
