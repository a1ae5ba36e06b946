package vecdb

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/vecdb/vecdb/index"
	"github.com/vecdb/vecdb/index/hnsw"
	"github.com/vecdb/vecdb/internal/core"
	"github.com/vecdb/vecdb/storage"
)

// indexFolder is the folder of a database directory that holds the snapshots
// of indexes. Everything in it can be made again.
const indexFolder = "index"

// A running collection saves its index when it has taken more changes since
// the last time than saveFrom and than one in saveShare of its vectors. A
// closing one saves it unless the changes are so few, less than one in
// replayShare, that taking them again is quicker than writing.
const (
	saveFrom    = 10_000
	saveShare   = 4
	replayShare = 1000
)

// snapshotFolder is the folder of snapshots of an open database.
type snapshotFolder struct {
	dir      string
	readOnly bool
	room     func(bytes int64) error // whether so much may be written
}

// path is where the snapshot of a collection is.
func (s *snapshotFolder) path(number uint32) string {
	return filepath.Join(s.dir, fmt.Sprintf("%d.hnsw", number))
}

// remove removes what is kept of a collection.
func (s *snapshotFolder) remove(number uint32) error {
	err := os.Remove(s.planPath(number))
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return errors.Join(hnsw.RemoveSnapshot(s.path(number)), err)
}

// sweep removes what belongs to no collection: what an interrupted save or drop
// has left.
func (db *DB) sweep() error {
	if db.snapshots.readOnly {
		return nil
	}
	entries, err := os.ReadDir(db.snapshots.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read the folder of snapshots: %w", err)
	}
	keep := make(map[string]bool)
	for _, cfg := range db.store.Collections() {
		stored, err := db.store.Collection(cfg.Name)
		if err != nil {
			return err
		}
		keep[filepath.Base(db.snapshots.path(stored.Number()))] = true
		keep[filepath.Base(db.snapshots.planPath(stored.Number()))] = true
	}
	for _, e := range entries {
		if keep[e.Name()] || !e.Type().IsRegular() {
			continue
		}
		if err := os.Remove(filepath.Join(db.snapshots.dir, e.Name())); err != nil {
			return fmt.Errorf("remove a left snapshot: %w", err)
		}
	}
	return nil
}

// indexMaker makes the index of a collection, new or from its snapshot.
type indexMaker struct {
	kind      indexKind
	cfg       index.Config
	snapshots *snapshotFolder // nil when there is none
	number    uint32
}

// restore returns the index from its snapshot with the changes that the log
// tells since, and the number of the last of them; nil when it has to be made
// from the vectors.
func (a *applier) restore(ctx context.Context) (index.Index, uint64) {
	m := a.maker
	if m.snapshots == nil || m.kind.open == nil {
		return nil, 0
	}
	path := m.snapshots.path(m.number)
	idx, mark, err := m.kind.open(path, m.cfg)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, 0
	}
	var seq uint64
	if err == nil {
		seq, err = a.replay(ctx, idx, mark)
	}
	if err != nil {
		a.logger.Warn("the snapshot of the index cannot be used, the index is made from the vectors", "error", err)
		return nil, 0
	}
	a.saved, a.tried = mark.Seq, mark.Seq
	a.logger.Info("the index is opened from its snapshot", "vectors", idx.Len(), "changes", seq-mark.Seq)
	return idx, seq
}

// replay brings what the log tells since the mark into the index.
func (a *applier) replay(ctx context.Context, idx index.Index, mark hnsw.Mark) (uint64, error) {
	want, err := markOf(a.stored, mark.Seq)
	if err != nil {
		return 0, err
	}
	if mark != want {
		return 0, errors.New("it belongs to another history of the collection")
	}
	seq, last, count := mark.Seq, a.stored.LastSeq(), a.stored.Len()
	for seq < last {
		changes, err := a.stored.Changes(seq+1, int(min(applyChunk, last-seq)))
		if err != nil {
			return 0, err
		}
		if len(changes) == 0 {
			return 0, fmt.Errorf("the log ends at change %d of %d", seq, last)
		}
		a.take(ctx, idx, nil, changes)
		seq = changes[len(changes)-1].Seq
	}
	if idx.Len() != count {
		return 0, fmt.Errorf("it gives %d vectors, there are %d documents", idx.Len(), count)
	}
	return seq, nil
}

// markOf returns the mark of a snapshot that holds the changes up to seq. It is
// another one when the collection, or the history before seq, is another one.
func markOf(stored *storage.Collection, seq uint64) (hnsw.Mark, error) {
	changes, err := stored.Changes(seq, 1)
	if err != nil {
		return hnsw.Mark{}, err
	}
	if len(changes) == 0 {
		return hnsw.Mark{}, fmt.Errorf("change %d is not in the log", seq)
	}
	ch := changes[0]
	sum := fnv.New64a()
	b := binary.LittleEndian.AppendUint64(nil, uint64(stored.Config().Created.UnixNano()))
	b = binary.LittleEndian.AppendUint64(b, ch.Seq)
	b = binary.LittleEndian.AppendUint32(b, uint32(ch.Ord))
	b = binary.LittleEndian.AppendUint32(b, uint32(ch.Old))
	_, _ = sum.Write(append(append(b, byte(ch.Op)), ch.ID...)) // it takes everything
	return hnsw.Mark{Seq: seq, Tag: sum.Sum64()}, nil
}

// saveIfDue saves the index when it has taken many changes since the last time.
func (a *applier) saveIfDue(ctx context.Context) {
	since := a.position() - a.tried
	if since > saveFrom && since > uint64((*a.index.Load()).Len()/saveShare) {
		a.save(ctx)
	}
}

// saveLast saves the index of a closing collection.
func (a *applier) saveLast() {
	since := a.position() - a.saved
	if since > 0 && since*replayShare >= uint64((*a.index.Load()).Len()) {
		a.save(context.Background())
	}
}

// save writes the snapshot of the index. Without one the next start takes
// longer, so that errors are only told.
func (a *applier) save(ctx context.Context) {
	graph, ok := (*a.index.Load()).(*hnsw.Index)
	if !ok || a.maker.snapshots == nil || a.maker.snapshots.readOnly {
		return
	}
	seq := a.position()
	a.tried = seq
	mark, err := markOf(a.stored, seq)
	if err == nil {
		err = a.maker.snapshots.write(ctx, a.maker.number, graph, mark)
	}
	switch {
	case err == nil:
		a.saved = seq
	case errors.Is(err, hnsw.ErrNoGraph), errors.Is(err, core.ErrNotFound), errors.Is(err, core.ErrClosed), ctx.Err() != nil:
		// It is small, or it or the follower is on its way out.
	default:
		a.logger.Warn("the snapshot of the index is not written", "error", err)
	}
}

func (s *snapshotFolder) write(ctx context.Context, number uint32, graph *hnsw.Index, mark hnsw.Mark) error {
	if err := s.room(graph.SizeBytes()); err != nil {
		return err
	}
	if err := os.MkdirAll(s.dir, 0o755); err != nil {
		return err
	}
	return graph.WriteSnapshot(ctx, s.path(number), mark)
}

// verify compares the snapshot that the index came from with its checksums and
// has the index made anew when it is damaged.
func (a *applier) verify(ctx context.Context) {
	graph, ok := (*a.index.Load()).(*hnsw.Index)
	if !ok {
		return
	}
	err := graph.Verify(ctx)
	if err == nil || ctx.Err() != nil {
		return
	}
	a.logger.Error("the snapshot of the index is damaged, the index is made from the vectors", "error", err)
	a.damaged <- struct{}{}
}

// mend makes a damaged index anew from the vectors. Changes that are committed
// meanwhile may be in it before they are taken, which does no harm.
func (a *applier) mend(ctx context.Context) {
	idx, err := a.maker.kind.make(a.maker.cfg)
	if err == nil {
		err = a.stored.Snapshot(func(s storage.Snapshot) error {
			f := filler{ctx: ctx, idx: idx}
			if err := s.Vectors(f.add); err != nil {
				return err
			}
			return f.flush()
		})
	}
	switch {
	case err == nil:
		a.index.Store(&idx)
		a.saved, a.tried = 0, 0
	case ctx.Err() == nil:
		a.logger.Error("make a damaged index anew", "error", err)
	}
}
