package hnsw

import "unsafe"

// aligned returns n zeros that begin at a multiple of 64 bytes.
func aligned[T any](n int) []T {
	var zero T
	size := int(unsafe.Sizeof(zero))
	raw := make([]T, n+64/size)
	off := -int(uintptr(unsafe.Pointer(unsafe.SliceData(raw)))) & 63
	return raw[off/size : off/size+n : off/size+n]
}
