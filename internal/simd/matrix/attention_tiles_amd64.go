//go:build !purego

package matrix

import (
	"math"
	"unsafe"
)

// tilesTask is a call of the kernels with AMX tiles: packHeadAMX, which lays out
// the keys and values of a head, then attendTilesAMX for some of the queries. The
// kernels know the offsets of the fields; they count first up and rows down.
//
// The keys lie as the weights of a Matrix do, a panel of 16 keys after the other.
// The values lie as panels of 16 numbers of 32 values, for 32 values after the
// other.
type tilesTask struct {
	q, k, v   *byte // of the first token, as bfloat16
	stride    int   // bytes from one token to the next
	n         int   // tokens
	padded    int   // tokens, with those that fill up the tiles
	size      int
	kTiles    *byte
	vTiles    *byte
	scores    *float32 // place for 16 lines of scores, then of weights in bfloat16
	scoreLine int      // bytes of a line, 64 more than padded numbers take
	out       *float32 // place for 16 rows and, as wide as a tile, their sums
	rows      int      // queries
	dst       *float32
	dstStride int
	scale     float32 // of scores, so that 2^(score/128) is wanted
	_         float32
	first     int // query to begin with
}

// usesTiles tells whether heads of a size are attended with AMX tiles.
func usesTiles(size int) bool { return level >= levelAMX && (size == 32 || size == 64) }

// tiles attends with AMX tiles.
func (a *Attention) tiles(dst []float32, first, n, heads, size int) {
	width, padded := heads*size, roundUp(n, keyUnit)
	part := 2 * padded * size
	line := 4*padded + stepBytes
	scores := 2 * part
	out := scores + tileRows*line
	if need := out + tileRows*4*size + tileBytes; cap(a.packed) < need {
		a.packed = alignedBytes(need)
	}
	place := a.packed[:cap(a.packed)]
	t := tilesTask{
		stride: 3 * 2 * width, n: n, padded: padded, size: size, kTiles: &place[0], vTiles: &place[part],
		scores: (*float32)(unsafe.Pointer(&place[scores])), scoreLine: line, out: (*float32)(unsafe.Pointer(&place[out])),
		dstStride: 4 * width, scale: float32(128 * math.Log2E / math.Sqrt(float64(size))),
	}
	for h := range heads {
		at := a.half[2*(3*first*width+h*size):]
		t.q, t.k, t.v = &at[0], &at[2*width], &at[4*width]
		packHeadAMX((*byte)(unsafe.Pointer(&t)))
		for i := 0; i < n; i += tileQueries {
			t.first, t.rows, t.dst = i, min(tileQueries, n-i), &dst[h*size]
			attendTilesAMX((*byte)(unsafe.Pointer(&t)))
		}
	}
}

// tileQueries is how many queries one call into assembly attends for: with 512
// keys it takes some 20 µs.
const tileQueries = 128
