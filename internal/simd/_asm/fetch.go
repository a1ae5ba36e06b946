package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
)

var fetch = kernel{
	"fetch",
	"func(p *uint8, n int)",
	"fetch is Fetch, where there are instructions for it.",
	[]body{{avx2, fetchLines}},
}

func fetchLines(name string) {
	p, end := pointer("p"), pointer("n")
	ADDQ(p, end)
	ANDQ(I8(-64), p)
	Label(name + "_line")
	PREFETCHT1(at(p, 0))
	ADDQ(I8(64), p)
	CMPQ(p, end)
	JCS(LabelRef(name + "_line"))
	RET()
}
