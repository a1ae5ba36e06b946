package hnsw

import "unsafe"

// flipSigns turns eight codes from unsigned to signed ones, or back, when it is
// xored to them.
const flipSigns = 0x8080808080808080

// wordsOf looks at n codes, a multiple of 8, eight at a time.
func wordsOf[T int8 | uint8](first *T, n int) []uint64 {
	return unsafe.Slice((*uint64)(unsafe.Pointer(first)), n/8)
}

// aligned returns n zeros that begin at a multiple of 64 bytes.
func aligned[T any](n int) []T {
	var zero T
	size := int(unsafe.Sizeof(zero))
	raw := make([]T, n+64/size)
	off := -int(uintptr(unsafe.Pointer(unsafe.SliceData(raw)))) & 63
	return raw[off/size : off/size+n : off/size+n]
}
