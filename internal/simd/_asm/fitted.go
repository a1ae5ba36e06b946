package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
)

var productFitted = kernel{
	"productFitted",
	"func(t *byte)",
	"productFitted is productInt8 for weights that Fit has made.",
	[]body{{matrixAVX2, fitted}},
}

// fitted writes a kernel that multiplies bytes by VPMADDUBSW and adds up the
// products of two groups in words before it widens them, for which the weights
// must leave room.
func fitted(name string) {
	const rows = 4
	units := begin(name, ymm, func() {})
	Label(name + "_rows")
	fittedSums(name, ymm, rows)
	finish(name, ymm, true, false, rows)
	CMPQ(gRow, at(gTask, taskRows))
	JLT(LabelRef(name + "_rows"))
	units(func() {})
}

// fittedSums goes along the inner dimension and leaves the sums of some rows of a
// unit at gAcc. What counts is how many instructions there are for a product.
func fittedSums(label string, f file, rows int) {
	w, x, t := f[8:12], f[12:14], f[14:16]
	ones := f.words("wordones", 0x00010001)
	alongInner(label, f, rows, 4, 2, func(g int) {
		for i := range w {
			VMOVUPS(at(gW, g*stepBytes+i*f.bytes()), w[i])
		}
		for r := range rows {
			for i := range x {
				VPBROADCASTD(at(gX, r*stepBytes+(g+i)*4), x[i])
			}
			for i := range x {
				VPMADDUBSW(w[2*i], x[i], t[i])
			}
			for i := range x {
				VPMADDUBSW(w[2*i+1], x[i], x[i])
			}
			VPADDW(t[1], t[0], t[0])
			VPADDW(x[1], x[0], x[0])
			VPMADDWD(ones, t[0], t[0])
			VPMADDWD(ones, x[0], x[0])
			VPADDD(t[0], f[2*r], f[2*r])
			VPADDD(x[0], f[2*r+1], f[2*r+1])
		}
	})
}
