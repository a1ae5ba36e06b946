package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// linesPerStep is how many cache lines are fetched for each step over eight
// groups.
const linesPerStep = 3

// scanBlock: four groups a register, one look-up for the low and one for the
// high half of the codes' bytes. The entries of two groups are added as bytes,
// then as words, once with the byte above them and once that byte alone.
func scanBlock() {
	kernel("scanBlockAVX512", "func(codes, lut *uint8, groups int, factors *uint16, mul, add, base, limit float32, est *[32]float32, next *uint8, ahead int) uint32",
		"scanBlockAVX512 is ScanBlock; it needs AVX512F, AVX512BW, AVX512DQ and AVX512VL.")
	codes, lut, groups := arg("codes"), arg("lut"), arg("groups")
	next, end := arg("next"), arg("ahead")
	ADDQ(next, end)
	nibble := constant(0x0f0f0f0f)
	lowA, oddA, lowB, oddB := zero(), zero(), zero(), zero()

	Label("scan_step")
	CMPQ(next, end)
	JAE(LabelRef("scan_fetched"))
	for i := range linesPerStep {
		PREFETCHT0(Mem{Base: next, Disp: 64 * i})
	}
	ADDQ(U32(64*linesPerStep), next)
	Label("scan_fetched")
	var a, b [2]reg.VecVirtual
	for i := range 2 {
		c, table := ZMM(), ZMM()
		a[i], b[i] = ZMM(), ZMM()
		VMOVDQU64(Mem{Base: codes, Disp: 64 * i}, c)
		VMOVDQU64(Mem{Base: lut, Disp: 64 * i}, table)
		VPANDQ(nibble, c, a[i])
		VPSRLW(U8(4), c, c)
		VPANDQ(nibble, c, b[i])
		VPSHUFB(a[i], table, a[i])
		VPSHUFB(b[i], table, b[i])
	}
	VPADDB(a[1], a[0], a[0])
	VPADDB(b[1], b[0], b[0])
	VPADDW(a[0], lowA, lowA)
	VPADDW(b[0], lowB, lowB)
	VPSRLW(U8(8), a[0], a[0])
	VPSRLW(U8(8), b[0], b[0])
	VPADDW(a[0], oddA, oddA)
	VPADDW(b[0], oddB, oddB)
	ADDQ(U32(128), codes)
	ADDQ(U32(128), lut)
	SUBQ(Imm(8), groups)
	JNE(LabelRef("scan_step"))

	Label("scan_rest")
	CMPQ(next, end)
	JAE(LabelRef("scan_end"))
	PREFETCHT0(Mem{Base: next})
	ADDQ(Imm(64), next)
	JMP(LabelRef("scan_rest"))
	Label("scan_end")

	sums := [2]reg.VecVirtual{foldScan(lowA, oddA), foldScan(lowB, oddB)}
	mul, add, base, limit := float("mul"), float("add"), float("base"), float("limit")
	factors, est := arg("factors"), arg("est")
	mask, bits := GP32(), GP32()
	for i, sum := range sums {
		a, b := ZMM(), ZMM()
		VCVTDQ2PS(sum, sum)
		VFMADD213PS(add, mul, sum) // sum·mul + add
		VCVTPH2PS(Mem{Base: factors, Disp: 32 * i}, a)
		VCVTPH2PS(Mem{Base: factors, Disp: 64 + 32*i}, b)
		VADDPS(base, a, a)
		VFMADD231PS(b, sum, a)
		VMOVUPS(a, Mem{Base: est, Disp: 64 * i})
		k := K()
		VCMPPS(U8(0x11), limit, a, k) // less than, ordered
		KMOVW(k, bits)
		if i == 0 {
			MOVL(bits, mask)
		} else {
			SHLL(U8(16), bits)
			ORL(bits, mask)
		}
	}
	Store(mask, ReturnIndex(0))
	done()
}

// foldScan adds up the lanes of the sums of even and of odd neighbors, which
// come as 16-bit words, and returns the sixteen sums in order.
func foldScan(low, odd reg.VecVirtual) reg.VecVirtual {
	t := ZMM()
	VPSLLW(U8(8), odd, t)
	VPSUBW(t, low, low)
	var part [2]reg.VecVirtual
	for i, z := range []reg.VecVirtual{low, odd} {
		high, wide, y := YMM(), ZMM(), YMM()
		VEXTRACTI64X4(U8(1), z, high)
		VPMOVZXWD(high, wide)
		sum := ZMM()
		VPMOVZXWD(z.AsY(), sum)
		VPADDD(wide, sum, sum)
		VEXTRACTI64X4(U8(1), sum, y)
		VPADDD(y, sum.AsY(), sum.AsY())
		part[i] = sum
	}
	lo, hi, first, second := YMM(), YMM(), YMM(), YMM()
	VPUNPCKLDQ(part[1].AsY(), part[0].AsY(), lo)
	VPUNPCKHDQ(part[1].AsY(), part[0].AsY(), hi)
	VPERM2I128(U8(0x20), hi, lo, first)
	VPERM2I128(U8(0x31), hi, lo, second)
	out := ZMM()
	VINSERTI64X4(U8(1), second, first.AsZ(), out)
	return out
}

// buildTable: four groups a register. Each lane holds the four numbers of its
// group; an entry is 64 minus all of them plus twice those whose bit is set.
func buildTable() {
	kernel("buildTableAVX512", "func(q *int8, lut *uint8, groups int)",
		"buildTableAVX512 is BuildTable; it needs AVX512F and AVX512BW.")
	q, lut, groups := arg("q"), arg("lut"), arg("groups")
	spread, base := ZMM(), constant(0x40404040)
	VMOVDQU64(laneOf(), spread)
	var pick [4]reg.VecVirtual
	var set [4]reg.VecVirtual
	_ = set
	var masks [4]reg.OpmaskVirtual
	for i, pattern := range []uint64{0xaaaaaaaaaaaaaaaa, 0xcccccccccccccccc, 0xf0f0f0f0f0f0f0f0, 0xff00ff00ff00ff00} {
		pick[i] = constant(uint32(i) * 0x01010101)
		r := GP64()
		MOVQ(U64(pattern), r)
		masks[i] = K()
		KMOVQ(r, masks[i])
	}
	Label("table_step")
	x, four := ZMM(), ZMM()
	VMOVDQU(Mem{Base: q}, x.AsX())
	VPERMD(x, spread, four)
	var each [4]reg.VecVirtual
	entry := ZMM()
	VMOVDQA64(base, entry)
	for i := range 4 {
		each[i] = ZMM()
		VPSHUFB(pick[i], four, each[i])
		VPSUBB(each[i], entry, entry)
		VPADDB(each[i], each[i], each[i])
	}
	for i := range 4 {
		VPADDB(each[i], entry, masks[i], entry)
	}
	VMOVDQU64(entry, Mem{Base: lut})
	ADDQ(Imm(16), q)
	ADDQ(Imm(64), lut)
	SUBQ(Imm(4), groups)
	JNE(LabelRef("table_step"))
	done()
}

// laneOf is the constant 0,0,0,0,1,1,1,1,2,2,2,2,3,3,3,3.
func laneOf() Mem {
	m := GLOBL("laneOf", RODATA|NOPTR)
	for i := range 16 {
		DATA(4*i, U32(uint32(i/4)))
	}
	return m
}
