package hnsw

import "golang.org/x/sys/unix"

// huge advises the system to use huge pages, which make random reads faster.
func huge(mem []byte) { _ = unix.Madvise(mem, unix.MADV_HUGEPAGE) }
