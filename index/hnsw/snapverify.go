package hnsw

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
)

// unverified is the snapshot that an index came from, until all of it has been
// compared with its checksums.
type unverified struct {
	mu     sync.Mutex      // held while verifying; guards the rest
	reader *snapshotReader // nil when there is nothing to verify
	found  error           // what the verification ended with
}

// Verify compares the codes and neighbors of an index that came from a snapshot
// with their checksums, as they are in the file. The error matches
// core.ErrCorrupt when the file is damaged; answers may then be wrong, and the
// index should be made anew. It reads the file once; later calls return what was
// found. An index that came from no snapshot is as it should be.
func (x *Index) Verify(ctx context.Context) error {
	u := &x.unverified
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.reader == nil {
		return u.found
	}
	err := u.reader.verify(ctx)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		u.found = fmt.Errorf("verify snapshot: %w", err)
	}
	_ = u.reader.f.Close() // it was only read
	u.reader = nil
	return u.found
}

// verify reads the sections that were not checked when the file was opened.
func (r *snapshotReader) verify(ctx context.Context) error {
	longest := max(r.h.Sections[secBlocks].Length, r.h.Sections[secFines].Length)
	buf := make([]byte, min(chunkLen, longest))
	for _, sec := range []int{secBlocks, secFines} {
		s := r.h.Sections[sec]
		for chunk := range chunksOf(s.Length) {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			done := uint64(chunk) * chunkLen
			data := buf[:min(chunkLen, s.Length-done)]
			if _, err := r.f.ReadAt(data, int64(s.Offset+done)); errors.Is(err, io.EOF) {
				return damaged("the file was cut")
			} else if err != nil {
				return err
			}
			if err := r.check(sec, chunk, data); err != nil {
				return err
			}
		}
	}
	return nil
}
