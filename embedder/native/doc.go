// Package native computes models of the BERT family (Devlin et al., arXiv
// 1810.04805) in Go, with the kernels of package matrix. It needs no library
// and no cgo.
//
// A model is read from its ONNX file once: package native follows the graph from
// its output back to its inputs, and takes it only if every step is one that it
// knows. The weights are then packed for the kernels and kept in a file of their
// own, which later starts map into memory.
//
// Sequences are computed one behind the other, without padding. The weights are
// signed bytes with a scale per output (embedder.Int8), and what is multiplied
// with them is rounded to bytes with a scale per token, so that a text's vector
// does not depend on what runs beside it; or both are bfloat16 (embedder.BF16),
// which is slower and nearer to float32. All kernels give the same vectors but
// for the last bits.
package native
