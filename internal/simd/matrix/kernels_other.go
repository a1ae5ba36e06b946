//go:build !amd64 || purego

package matrix

func productInt8(t *byte) { productInt8Generic(t) }

func productFitted(t *byte) { productFittedGeneric(t) }

func usesFitted() bool { return false }

func greatestSums(panel *byte, n int, most *int32) { greatestSumsGeneric(panel, n, most) }

func roundAgain(to, from *byte, n int, factors *int16, sums *int32) {
	roundAgainGeneric(to, from, n, factors, sums)
}

func productBFloat16(t *byte) { productBFloat16Generic(t) }

func layerNorm(x, gain, bias []float32, eps float32) { layerNormGeneric(x, gain, bias, eps) }

func sum(dst, a, b, c []float32) { sumGeneric(dst, a, b, c) }

func bounds(x []float32) (low, high float32) { return boundsGeneric(x) }

func quantize(x []float32, low, inv float32, to *byte) { quantizeGeneric(x, low, inv, to) }

func roundBFloat16(x []float32, to *byte) { roundBFloat16Generic(x, to) }

// available returns the sets that this build has.
func available() []set { return []set{{Generic, 0}} }

func attend(t *byte) { attendGeneric(t) }

func usesTiles(int) bool { return false }

func (*Attention) tiles([]float32, int, int, int, int) {}

func transposeKeys(k *float32, stride, n, size int, to *float32, padded int) {
	transposeKeysGeneric(k, stride, n, size, to, padded)
}
