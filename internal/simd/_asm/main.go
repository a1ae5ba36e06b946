// Command asm generates the assembly kernels of packages simd and matrix. Run it by
// `go generate ./internal/simd`, which runs:
//
//	go run . -out ../dot_amd64.s -stubs ../dot_amd64.go -pkg simd
//	go run . -kernels codes -out ../codes_amd64.s -stubs ../codes_amd64.go -pkg simd
//	go run . -kernels matrices -out ../matrix/kernels_amd64.s -stubs ../matrix/kernels_amd64.go -pkg matrix
package main

import (
	"flag"

	. "github.com/mmcloughlin/avo/build"
)

var only = flag.String("kernels", "dot", "which kernels to generate: dot, codes or matrices")

func main() {
	flag.Parse()
	ConstraintExpr("!purego")
	switch *only {
	case "dot":
		floats()
	case "codes":
		for _, k := range []kernel{dotCodes, dotCodesList, dotTwoBitsList, scanBlock, estimateList, buildTable, encodeEdge, dotFine, hadamard, quantize, maxAbs, multiply, insertSorted, fetch} {
			k.generate()
		}
	case "matrices":
		matrices()
	}
	Generate()
}
