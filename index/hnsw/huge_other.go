//go:build !linux

package hnsw

func huge([]byte) {}
