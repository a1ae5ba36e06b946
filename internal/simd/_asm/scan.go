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
		{avx512bw, func(name string) { scanWords(name, true) }},
		{avx2, func(name string) { scanWords(name, false) }},
	},
}

// scan is what the bodies of scanBlock have in common. They look up a register
// full of entries at once, for the low and for the high halves of the codes
// apart, and add up two of them in bytes.
type scan struct {
	name                          string
	zmm                           bool
	codes, lut, groups, next, end reg.GPVirtual
	mask                          reg.VecVirtual
	// split puts the high halves of the bytes of a register into its low ones.
	split func(v reg.VecVirtual)
}

func newScan(name string, zmm bool) *scan {
	s := &scan{
		name: name, zmm: zmm, mask: load(zmm, "nibbles", func(int) int { return 15 }),
		codes: pointer("codes"), lut: pointer("lut"), groups: pointer("groups"), next: pointer("next"), end: pointer("ahead"),
	}
	s.split = func(v reg.VecVirtual) {
		VPSRLW(U8(4), v, v)
		and(s.mask, v)
	}
	ADDQ(s.next, s.end)
	return s
}

// loop goes over the table, 16 groups (256 bytes) a round, in which as many
// bytes of the next block are fetched. It gives add the sums of two entries of
// the neighbors that lie low and of those that lie high.
func (s *scan) loop(add func(sums [2]reg.VecVirtual)) {
	step := GP64()
	Label(s.name + "_groups")
	LEAQ(at(s.next, 256), step)
	CMPQ(step, s.end)
	JHI(LabelRef(s.name + "_fetched"))
	for line := 0; line < 256; line += 64 {
		PREFETCHT1(at(s.next, line))
	}
	MOVQ(step, s.next)
	Label(s.name + "_fetched")
	size := bytesOf(s.zmm)
	for offset := 0; offset < 256; offset += 2 * size {
		sums, more := s.lookUp(offset), s.lookUp(offset+size)
		VPADDB(more[0], sums[0], sums[0])
		VPADDB(more[1], sums[1], sums[1])
		add(sums)
	}
	ADDQ(I32(256), s.codes)
	ADDQ(I32(256), s.lut)
	SUBQ(I8(16), s.groups)
	JHI(LabelRef(s.name + "_groups"))
}

func (s *scan) lookUp(offset int) [2]reg.VecVirtual {
	low, high, table := vec(s.zmm), vec(s.zmm), vec(s.zmm)
	move(at(s.codes, offset), high)
	move(at(s.lut, offset), table)
	if s.zmm {
		VPANDD(s.mask, high, low)
	} else {
		VPAND(s.mask, high, low)
	}
	s.split(high)
	VPSHUFB(low, table, low)
	VPSHUFB(high, table, high)
	return [2]reg.VecVirtual{low, high}
}

// fetchRest fetches what the loop left of the next block.
func (s *scan) fetchRest() {
	JMP(LabelRef(s.name + "_rest"))
	Label(s.name + "_line")
	PREFETCHT1(at(s.next, 0))
	ADDQ(I8(64), s.next)
	Label(s.name + "_rest")
	CMPQ(s.next, s.end)
	JCS(LabelRef(s.name + "_line"))
}

// scanVBMI puts the entries of one neighbor for four groups side by side and
// sums them into 32 bits at once.
func scanVBMI(name string) {
	s := newScan(name, true)
	turn := load(true, "turn", func(i int) int { return i%4*16 + i/4 })
	ones := load(true, "ones", func(int) int { return 1 })
	// As a matrix over the bits of a byte it moves the high four down.
	down := load(true, "down", func(i int) int { return []int{4: 1 << 7, 1 << 6, 1 << 5, 1 << 4}[i%8] })
	s.split = func(v reg.VecVirtual) { VGF2P8AFFINEQB(U8(0), down, v, v) }

	var sums [2][]reg.VecVirtual
	for half := range sums {
		sums[half] = zeros(2, ZMM)
	}
	i := 0
	s.loop(func(entries [2]reg.VecVirtual) {
		for half, v := range entries {
			VPERMB(v, turn, v)
			VPDPBUSD(ones, v, sums[half][i%2])
		}
		i++
	})
	for _, sum := range sums {
		VPADDD(sum[1], sum[0], sum[0])
	}
	s.estimate(sums[0][0], sums[1][0])
}

// scanWords sums the entries in 16 bits: once in pairs as they are, the high
// bytes spilling over from the low ones, and once the high bytes alone.
func scanWords(name string, zmm bool) {
	s := newScan(name, zmm)
	odd := load(zmm, "odd", func(i int) int { return i % 2 })
	all, odds := zeros(2, s.vec), zeros(2, s.vec)
	s.loop(func(entries [2]reg.VecVirtual) {
		for half, v := range entries {
			VPADDW(v, all[half], all[half])
			VPMADDUBSW(odd, v, v)
			VPADDW(v, odds[half], odds[half])
		}
	})
	var sums []reg.VecVirtual
	for half := range all {
		first, last := foldWords(all[half], odds[half])
		if zmm {
			VINSERTI64X4(U8(1), last, first.AsZ(), first.AsZ())
			sums = append(sums, first.AsZ().(reg.VecVirtual))
			continue
		}
		sums = append(sums, first, last)
	}
	s.estimate(sums...)
}

func (s *scan) vec() reg.VecVirtual { return vec(s.zmm) }

// foldWords sums the lanes of 16 bytes in 32 bits and returns the sums of the
// first eight neighbors and of the last eight. odd holds the sums of the odd
// bytes; those of the even ones are left when they are taken off all.
func foldWords(all, odd reg.VecVirtual) (first, last reg.VecVirtual) {
	t := like(odd)
	VPSLLW(U8(8), odd, t)
	VPSUBW(t, all, all)
	if all.Size() == 64 {
		// The sum of two lanes is below 65536 still.
		for _, r := range []reg.VecVirtual{all, odd} {
			h := YMM()
			VEXTRACTI64X4(U8(1), r, h)
			VPADDW(h, r.AsY(), r.AsY())
		}
	}
	first, last = YMM(), YMM()
	VPUNPCKLWD(odd.AsY(), all.AsY(), first)
	VPUNPCKHWD(odd.AsY(), all.AsY(), last)
	for _, r := range []reg.VecVirtual{first, last} {
		h := YMM()
		VEXTRACTI128(U8(1), r, h.AsX())
		VPMOVZXWD(h.AsX(), h)
		VPMOVZXWD(r.AsX(), r)
		VPADDD(h, r, r)
	}
	return first, last
}

// estimate turns the sums, 32 bits each, into distances and compares them.
func (s *scan) estimate(sums ...reg.VecVirtual) {
	factors, est := pointer("factors"), pointer("est")
	mul, add, base, limit := s.vec(), s.vec(), s.vec(), s.vec()
	VBROADCASTSS(param("mul"), mul)
	VBROADCASTSS(param("add"), add)
	VBROADCASTSS(param("base"), base)
	VBROADCASTSS(param("limit"), limit)
	numbers := bytesOf(s.zmm) / 4
	below, bits := GP32(), GP32()
	for i, sum := range sums {
		f := s.vec()
		VCVTDQ2PS(sum, sum)
		VFMADD213PS(add, mul, sum)
		VCVTPH2PS(at(factors, 2*(32+i*numbers)), f)
		VMULPS(f, sum, sum)
		VCVTPH2PS(at(factors, 2*i*numbers), f)
		VADDPS(base, f, f)
		VADDPS(f, sum, sum)
		move(sum, at(est, 4*i*numbers))
		to := bits
		if i == 0 {
			to = below
		}
		if s.zmm {
			k := K()
			VCMPPS(U8(lessThan), limit, sum, k)
			KMOVW(k, to)
		} else {
			VCMPPS(U8(lessThan), limit, sum, sum)
			VMOVMSKPS(sum, to)
		}
		if i > 0 {
			SHLL(U8(i*numbers), bits)
			ORL(bits, below)
		}
	}
	MOVL(below, result(0))
	s.fetchRest()
	VZEROUPPER()
	RET()
}
