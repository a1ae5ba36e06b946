//go:build !unix

package hnsw

import "os"

// fill reads n bytes of the file from off on into the beginning of the arena.
func (a *arena) fill(f *os.File, off int64, n int) error { return a.read(f, off, n) }

func (a *arena) prefetch(int) {}
