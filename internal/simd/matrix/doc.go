// Package matrix holds the arithmetic of a Transformer's forward pass: products
// of rows with packed weight matrices, attention, layer norm and what lies
// between. Every kernel has a twin in plain Go, which is the reference for the
// others and is used with the build tag purego and on processors without the
// needed instructions.
//
// # Precision
//
// A Matrix is of one of two kinds, and the Rows that are multiplied with it are
// of the same. Int8 keeps weights as signed bytes with a scale per output and
// rows as unsigned bytes with a scale and an offset per row:
//
//	x[r][k] = low[r] + scale[r]·q[r][k]        q from 0 to 255
//	w[o][k] = scale[o]·p[o][k]                 p from -127 to 127
//	y[r][o] = scale[o]·(scale[r]·Σ q·p + low[r]·Σ p) + bias[o]
//
// The sum of the bytes is exact. BFloat16 rounds both sides to the upper 16 bits
// of a float32 and sums in float32.
//
// # Layout
//
// Both sides lie in tiles of 16 × 64 bytes, the size of an AMX tile, padded with
// zeros. 64 bytes of the inner dimension are a step: 64 numbers of a byte or 32
// of two.
//
//	rows     block of 16 rows → step → row → 64 bytes of that row
//	weights  panel of 16 outputs → step → group of 4 bytes → output → 4 bytes
//
// So 64 bytes of weights hold 4 (or 2) inputs of 16 outputs each, as VPDPBUSD,
// VDPBF16PS and the B side of an AMX tile want them; the number of panels is
// even. Behind the tiles of weights lie, for Int8, the scales and the sums of p,
// a float32 per output each.
package matrix
