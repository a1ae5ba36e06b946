// Command codes generates the AVX-512 kernels on integer codes of package simd.
// `go generate ./internal/simd` runs it.
package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

func main() {
	ConstraintExpr("!purego")
	scanBlock()
	buildTable()
	dotCodes()
	dotCodesList()
	dotFine()
	encodeEdge()
	quantize()
	maxAbs()
	multiply()
	hadamard()
	prefetch()
	Generate()
}

// kernel begins a function that neither grows the stack nor lets its arguments
// escape.
func kernel(name, signature, doc string) {
	TEXT(name, NOSPLIT, signature)
	Pragma("noescape")
	Doc(doc)
}

func arg(name string) reg.GPVirtual { return Load(Param(name), GP64()).(reg.GPVirtual) }

// float loads a float32 argument into all lanes.
func float(name string) reg.VecVirtual {
	p, err := Param(name).Resolve()
	if err != nil {
		panic(err)
	}
	z := ZMM()
	VBROADCASTSS(p.Addr, z)
	return z
}

// constant returns a register with v in all 32-bit lanes.
func constant(v uint32) reg.VecVirtual {
	r, z := GP32(), ZMM()
	MOVL(U32(v), r)
	VPBROADCASTD(r, z)
	return z
}

func zero() reg.VecVirtual {
	z := ZMM()
	VPXORQ(z, z, z)
	return z
}

// sumDwords adds up the sixteen 32-bit integers of z into its first one.
func sumDwords(z reg.VecVirtual) {
	y, x := YMM(), XMM()
	VEXTRACTI64X4(U8(1), z, y)
	VPADDD(y, z.AsY(), z.AsY())
	VEXTRACTI128(U8(1), z.AsY(), x)
	VPADDD(x, z.AsX(), z.AsX())
	VPSHUFD(U8(0x4e), z.AsX(), x)
	VPADDD(x, z.AsX(), z.AsX())
	VPSHUFD(U8(0xb1), z.AsX(), x)
	VPADDD(x, z.AsX(), z.AsX())
}

// sumFloats adds up the sixteen floats of z into its first one.
func sumFloats(z reg.VecVirtual) {
	y, x := YMM(), XMM()
	VEXTRACTF64X4(U8(1), z, y)
	VADDPS(y, z.AsY(), z.AsY())
	VEXTRACTF128(U8(1), z.AsY(), x)
	VADDPS(x, z.AsX(), z.AsX())
	VHADDPS(z.AsX(), z.AsX(), z.AsX())
	VHADDPS(z.AsX(), z.AsX(), z.AsX())
}

// result stores the first lane of x as the i-th result.
func result(i int, x reg.VecVirtual) {
	r, err := ReturnIndex(i).Resolve()
	if err != nil {
		panic(err)
	}
	VMOVSS(x.AsX(), r.Addr)
}

func done() {
	VZEROUPPER()
	RET()
}
