package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

var scanBlock = kernel{
	"scanBlock",
	"func(codes, lut *uint8, groups int, factors *uint16, mul, add, base, limit float32, est *[32]float32, next *uint8, ahead int) uint32",
	"scanBlock is ScanBlock with the instructions of the level in use.",
	[]body{
		{vbmi, scanVBMI},
		{avx512bw, scanAVX512},
	},
}

// scan is what the bodies of scanBlock have in common.
type scan struct {
	name                                    string
	codes, lut, groups, next, end, nextStep reg.GPVirtual
}

func newScan(name string) *scan {
	s := &scan{name: name, codes: pointer("codes"), lut: pointer("lut"), groups: pointer("groups"), next: pointer("next"), end: pointer("ahead")}
	ADDQ(s.next, s.end)
	return s
}

// loop emits the loop over the table, 16 groups (256 bytes) a round, in which
// as many bytes of the next block are fetched.
func (s *scan) loop(round func()) {
	step := GP64()
	Label(s.name + "_groups")
	LEAQ(at(s.next, 256), step)
	CMPQ(step, s.end)
	JHI(LabelRef(s.name + "_fetched"))
	for line := 0; line < 256; line += 64 {
		PREFETCHT0(at(s.next, line))
	}
	MOVQ(step, s.next)
	Label(s.name + "_fetched")
	round()
	ADDQ(I32(256), s.codes)
	ADDQ(I32(256), s.lut)
	SUBQ(U8(16), s.groups)
	JHI(LabelRef(s.name + "_groups"))
}

// fetchRest fetches what the loop left of the next block.
func (s *scan) fetchRest() {
	JMP(LabelRef(s.name + "_rest"))
	Label(s.name + "_line")
	PREFETCHT0(at(s.next, 0))
	ADDQ(I8(64), s.next)
	Label(s.name + "_rest")
	CMPQ(s.next, s.end)
	JCS(LabelRef(s.name + "_line"))
}

// nibbles are the masks of the low half of every byte.
func nibbles() Mem { return constant("nibbles", bytes(64, func(int) int { return 15 })) }

// scanVBMI puts the codes of one neighbor for four groups side by side, so that
// an entry is looked up among the 64 of the four groups and four entries are
// summed into 32 bits at once.
func scanVBMI(name string) {
	s := newScan(name)
	turn, mask, lane, ones := ZMM(), ZMM(), ZMM(), ZMM()
	VMOVDQU64(constant("turn", bytes(64, func(i int) int { return i%4*16 + i/4 })), turn)
	VMOVDQU64(nibbles(), mask)
	VMOVDQU64(constant("lane", bytes(64, func(i int) int { return i % 4 * 16 })), lane)
	VMOVDQU64(constant("ones", bytes(64, func(int) int { return 1 })), ones)
	var low, high [2]reg.VecVirtual
	for i := range low {
		low[i], high[i] = ZMM(), ZMM()
		VPXORD(low[i], low[i], low[i])
		VPXORD(high[i], high[i], high[i])
	}
	s.loop(func() {
		for i := range 4 {
			c, h, t := ZMM(), ZMM(), ZMM()
			VPERMB(at(s.codes, 64*i), turn, c)
			VMOVDQU64(at(s.lut, 64*i), t)
			VPSRLW(U8(4), c, h)
			VPTERNLOGD(U8(0xea), lane, mask, c)
			VPTERNLOGD(U8(0xea), lane, mask, h)
			VPERMB(t, c, c)
			VPERMB(t, h, h)
			VPDPBUSD(ones, c, low[i%2])
			VPDPBUSD(ones, h, high[i%2])
		}
	})
	VPADDD(low[1], low[0], low[0])
	VPADDD(high[1], high[0], high[0])
	s.estimate(low[0], high[0])
}

// estimate turns the sums of the first and the last 16 neighbors, 32 bits each,
// into distances and compares them.
func (s *scan) estimate(sums ...reg.VecVirtual) {
	factors, est := pointer("factors"), pointer("est")
	mul, add, base, limit := ZMM(), ZMM(), ZMM(), ZMM()
	VBROADCASTSS(param("mul"), mul)
	VBROADCASTSS(param("add"), add)
	VBROADCASTSS(param("base"), base)
	VBROADCASTSS(param("limit"), limit)
	masks := []reg.OpmaskVirtual{K(), K()}
	for i, sum := range sums {
		f := ZMM()
		VCVTDQ2PS(sum, sum)
		VFMADD213PS(add, mul, sum)
		VCVTPH2PS(at(factors, 64+32*i), f)
		VMULPS(f, sum, sum)
		VCVTPH2PS(at(factors, 32*i), f)
		VADDPS(base, f, f)
		VADDPS(f, sum, sum)
		VMOVUPS(sum, at(est, 64*i))
		VCMPPS(U8(1), limit, sum, masks[i])
	}
	mask := K()
	KUNPCKWD(masks[0], masks[1], mask)
	below := GP32()
	KMOVD(mask, below)
	MOVL(below, result(0))
	s.fetchRest()
	VZEROUPPER()
	RET()
}

// scanAVX512 looks the entries of four groups up at once and sums pairs of them
// in bytes, then in 16 bits: once as they are, the high bytes spilling over
// from the low ones, and once the high bytes alone.
func scanAVX512(name string) {
	s := newScan(name)
	mask := ZMM()
	odd := ZMM()
	VMOVDQU64(nibbles(), mask)
	VMOVDQU64(constant("odd", bytes(64, func(i int) int { return i % 2 })), odd)
	var all, odds [2]reg.VecVirtual
	for i := range all {
		all[i], odds[i] = ZMM(), ZMM()
		VPXORD(all[i], all[i], all[i])
		VPXORD(odds[i], odds[i], odds[i])
	}
	s.loop(func() {
		for i := 0; i < 4; i += 2 {
			var sum [2]reg.VecVirtual
			for j := range 2 {
				c, h, t := ZMM(), ZMM(), ZMM()
				VMOVDQU64(at(s.codes, 64*(i+j)), h)
				VMOVDQU64(at(s.lut, 64*(i+j)), t)
				VPANDD(h, mask, c)
				VPSRLW(U8(4), h, h)
				VPANDD(h, mask, h)
				VPSHUFB(c, t, c)
				VPSHUFB(h, t, h)
				if j == 0 {
					sum[0], sum[1] = c, h
				} else {
					VPADDB(c, sum[0], sum[0])
					VPADDB(h, sum[1], sum[1])
				}
			}
			for j := range 2 {
				VPADDW(sum[j], all[j], all[j])
				VPMADDUBSW(odd, sum[j], sum[j])
				VPADDW(sum[j], odds[j], odds[j])
			}
		}
	})
	var sums []reg.VecVirtual
	for i := range all {
		sums = append(sums, foldWords(all[i], odds[i]))
	}
	s.estimate(sums...)
}

// foldWords sums the four lanes of 16 bytes in 32 bits, with the sums of the
// odd bytes in odd, and those of the even ones left when they are taken off all.
func foldWords(all, odd reg.VecVirtual) reg.VecVirtual {
	t := ZMM()
	VPSLLW(U8(8), odd, t)
	VPSUBW(t, all, all)
	// The sum of two lanes is below 65536 still.
	for _, r := range []reg.VecVirtual{all, odd} {
		h := YMM()
		VEXTRACTI64X4(U8(1), r, h)
		VPADDW(h, r.AsY(), r.AsY())
	}
	a, b, c := ZMM(), ZMM(), ZMM()
	VPUNPCKLWD(odd.AsY(), all.AsY(), a.AsY())
	VPUNPCKHWD(odd.AsY(), all.AsY(), b.AsY())
	VPMOVZXWD(a.AsY(), a)
	VPMOVZXWD(b.AsY(), b)
	VSHUFI64X2(U8(0x44), b, a, c)
	VSHUFI64X2(U8(0xee), b, a, a)
	VPADDD(c, a, a)
	return a
}
