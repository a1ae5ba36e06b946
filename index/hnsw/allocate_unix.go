//go:build unix && !linux

package hnsw

import "os"

func allocate(f *os.File, off, n int64) error { return f.Truncate(off + n) }

func discard(*os.File, int64) {}
