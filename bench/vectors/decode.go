package vectors

import (
	"encoding/binary"
	"math"

	"github.com/vecdb/vecdb/internal/core"
)

// floatsOf returns the function that decodes numbers of a kind into float32
// until its destination is full; nil for kinds that no vectors are made of.
func floatsOf(kind string, bigEndian bool) func([]float32, []byte) {
	order := orderOf(bigEndian)
	switch kind {
	case "f4":
		if !bigEndian {
			return littleFloats
		}
		return func(dst []float32, src []byte) {
			for i := range dst {
				dst[i] = math.Float32frombits(order.Uint32(src[4*i:]))
			}
		}
	case "f8":
		return func(dst []float32, src []byte) {
			for i := range dst {
				dst[i] = float32(math.Float64frombits(order.Uint64(src[8*i:])))
			}
		}
	case "f2":
		return func(dst []float32, src []byte) {
			for i := range dst {
				dst[i] = core.Float16(order.Uint16(src[2*i:]))
			}
		}
	case "i1":
		return func(dst []float32, src []byte) {
			for i := range dst {
				dst[i] = float32(int8(src[i]))
			}
		}
	case "u1":
		return func(dst []float32, src []byte) {
			for i := range dst {
				dst[i] = float32(src[i])
			}
		}
	}
	return nil
}

// littleFloats is the case that big files are of, without a call a number.
func littleFloats(dst []float32, src []byte) {
	for i := range dst {
		dst[i] = math.Float32frombits(binary.LittleEndian.Uint32(src[4*i:]))
	}
}

// integersOf is floatsOf for ids. What lies beyond int64 becomes negative.
func integersOf(kind string, bigEndian bool) func([]int64, []byte) {
	order := orderOf(bigEndian)
	switch kind {
	case "i4", "u4":
		return func(dst []int64, src []byte) {
			for i := range dst {
				u := order.Uint32(src[4*i:])
				if dst[i] = int64(u); kind == "i4" {
					dst[i] = int64(int32(u))
				}
			}
		}
	case "i8", "u8":
		return func(dst []int64, src []byte) {
			for i := range dst {
				dst[i] = int64(order.Uint64(src[8*i:]))
			}
		}
	}
	return nil
}

func orderOf(bigEndian bool) binary.ByteOrder {
	if bigEndian {
		return binary.BigEndian
	}
	return binary.LittleEndian
}
