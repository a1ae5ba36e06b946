package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
)

var buildTable = kernel{
	"buildTable",
	"func(q *int8, lut *uint8, groups int)",
	"buildTable is BuildTable with the instructions of the level in use.",
	[]body{
		{avx512bw, func(name string) { table(name, true) }},
		{avx2, func(name string) { table(name, false) }},
	},
}

// table makes the entries of a group, one in each lane of 16 bytes, as sums of
// two: one of ±q[0]±q[1] and one of ±q[2]±q[3], four of each in a lane of 16
// bits, of which the low ones count. There 255 is as good as -1.
func table(name string, zmm bool) {
	q, lut, groups := pointer("q"), pointer("lut"), pointer("groups")
	lanes := bytesOf(zmm) / 16
	pairs := load(zmm, "pairs", func(i int) int { return i/16*4 + i%16/8*2 + i%2 })
	signs := load(zmm, "signs", func(i int) int { return []int{255, 1}[i/2%4>>(i%2)&1] })
	first := load(zmm, "first", func(i int) int { return 2 * (i & 3) })
	last := load(zmm, "last", func(i int) int { return 2*(i>>2&3) + 8 })
	bias := load(zmm, "bias", func(int) int { return 64 })
	Label(name + "_groups")
	for i := range 16 / lanes {
		v, w := vec(zmm), vec(zmm)
		from := at(q, 4*lanes*i)
		if zmm {
			VBROADCASTI32X4(from, v)
		} else {
			VPBROADCASTQ(from, v)
		}
		VPSHUFB(pairs, v, v)
		VPMADDUBSW(v, signs, v)
		VPSHUFB(first, v, w)
		VPSHUFB(last, v, v)
		VPADDB(bias, w, w)
		VPADDB(w, v, v)
		move(v, at(lut, 16*lanes*i))
	}
	ADDQ(I8(64), q)
	ADDQ(I32(256), lut)
	SUBQ(I8(16), groups)
	JHI(LabelRef(name + "_groups"))
	VZEROUPPER()
	RET()
}
