package matrix

func productInt8(t *task) { productInt8Generic(t) }

func productBFloat16(t *task) { productBFloat16Generic(t) }

func layerNorm(x, gain, bias []float32, eps float32) { layerNormGeneric(x, gain, bias, eps) }

func sum(dst, a, b, c []float32) { sumGeneric(dst, a, b, c) }

func bounds(x []float32) (low, high float32) { return boundsGeneric(x) }

func quantize(x []float32, low, inv float32, to *byte) { quantizeGeneric(x, low, inv, to) }

func roundBFloat16(x []float32, to *byte) { roundBFloat16Generic(x, to) }

// Kernels names the set of kernels in use.
func Kernels() string { return "generic" }
