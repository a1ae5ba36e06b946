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
	"github.com/vecdb/vecdb/index/field"
	"github.com/vecdb/vecdb/index/flat"
	"github.com/vecdb/vecdb/index/hnsw"
	"github.com/vecdb/vecdb/index/lexical"
	"github.com/vecdb/vecdb/index/snapshot"
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

// What the names of files end with, after the number of the collection.
const (
	graphSuffix = ".hnsw"
	wordsSuffix = ".words"
	fieldSuffix = ".fields"
	planSuffix  = ".recall.json"
)

// path is where a file of a collection is.
func (s *snapshotFolder) path(number uint32, suffix string) string {
	return filepath.Join(s.dir, fmt.Sprint(number)+suffix)
}

// paths are where the files of a collection are.
func (s *snapshotFolder) paths(number uint32) []string {
	var out []string
	for _, suffix := range []string{graphSuffix, wordsSuffix, fieldSuffix, planSuffix, headsForm.suffix, tasteForm.suffix, answersForm.suffix} {
		out = append(out, s.path(number, suffix))
	}
	return out
}

// remove removes what is kept of a collection.
func (s *snapshotFolder) remove(number uint32) (failed error) {
	for _, path := range s.paths(number) {
		failed = errors.Join(failed, snapshot.Remove(path))
	}
	return failed
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
		for _, path := range db.snapshots.paths(stored.Number()) {
			keep[filepath.Base(path)] = true
		}
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

// make makes an empty index, with its file, if it has one, beside the snapshots.
// While it is not known how many numbers vectors have, that is one that no vector
// goes into.
func (m *indexMaker) make() (index.Index, error) {
	if m.cfg.Dim == 0 {
		return flat.New(index.Config{Dim: 1, Metric: m.cfg.Metric})
	}
	folder := ""
	if m.snapshots != nil && !m.snapshots.readOnly {
		folder = m.snapshots.dir
	}
	return m.kind.make(m.cfg, folder)
}

// restoreVectors returns the index of vectors from its snapshot, brought up to
// the end of the log, and the number of the last change; nil when it has to be
// made from the vectors.
func (a *applier) restoreVectors(ctx context.Context) (index.Index, uint64) {
	if a.maker.kind.open == nil {
		return nil, 0
	}
	var graph *hnsw.Index
	seq, ok := a.restore(ctx, &a.vectors, func(path string) (into sinks, m snapshot.Mark, err error) {
		graph, m, err = a.maker.kind.open(path, a.maker.cfg)
		return sinks{vectors: graph}, m, err
	}, func() error {
		if have, want := graph.Len(), a.stored.Vectors(); have != want {
			return fmt.Errorf("it gives %d vectors, there are %d", have, want)
		}
		return nil
	})
	if !ok {
		return nil, 0
	}
	return graph, seq
}

// restoreWords is restoreVectors for the index of words.
func (a *applier) restoreWords(ctx context.Context) (words *lexical.Index, seq uint64) {
	seq, ok := a.restore(ctx, &a.texts, func(path string) (into sinks, m snapshot.Mark, err error) {
		words, m, err = lexical.OpenSnapshot(ctx, path)
		return sinks{words: words}, m, err
	}, func() error { return nil })
	if !ok {
		return nil, 0
	}
	return words, seq
}

// restoreFields is restoreVectors for the index of fields.
func (a *applier) restoreFields(ctx context.Context) (fields *field.Index, seq uint64) {
	seq, ok := a.restore(ctx, &a.filters, func(path string) (into sinks, m snapshot.Mark, err error) {
		fields, m, err = field.OpenSnapshot(path)
		return sinks{fields: fields}, m, err
	}, func() error {
		if have, want := fields.Len(), a.stored.Len(); have != want {
			return fmt.Errorf("it gives the fields of %d documents, there are %d", have, want)
		}
		return nil
	})
	if !ok {
		return nil, 0
	}
	return fields, seq
}

// restore opens a snapshot, brings what the log tells since into its index and
// returns the number of the last change, or false when that cannot be done or the
// index does not hold then what it should.
func (a *applier) restore(ctx context.Context, k *keeper, open func(path string) (sinks, snapshot.Mark, error), holds func() error) (uint64, bool) {
	m := a.maker
	if m.snapshots == nil {
		return 0, false
	}
	into, mark, err := open(m.snapshots.path(m.number, k.suffix))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, false
	}
	var seq uint64
	if err == nil {
		seq, err = a.replay(ctx, into, mark)
	}
	if err == nil {
		err = holds()
	}
	if err != nil {
		a.logger.Warn("the snapshot of the index cannot be used, the index is made from the "+k.from, "error", err)
		return 0, false
	}
	k.saved, k.tried = mark.Seq, mark.Seq
	a.logger.Info("the index is opened from its snapshot", "of", k.from, "changes", seq-mark.Seq)
	return seq, true
}

// replay brings what the log tells since the mark into an index.
func (a *applier) replay(ctx context.Context, into sinks, mark snapshot.Mark) (uint64, error) {
	want, err := markOf(a.stored, mark.Seq)
	if err != nil {
		return 0, err
	}
	if mark != want {
		return 0, errors.New("it belongs to another history of the collection")
	}
	seq, last := mark.Seq, a.stored.LastSeq()
	for seq < last {
		changes, err := a.stored.Changes(seq+1, int(min(applyChunk, last-seq)))
		if err != nil {
			return 0, err
		}
		if len(changes) == 0 {
			return 0, fmt.Errorf("the log ends at change %d of %d", seq, last)
		}
		a.take(ctx, into, changes)
		seq = changes[len(changes)-1].Seq
	}
	return seq, nil
}

// markOf returns the mark of a snapshot that holds the changes up to seq. It is
// another one when the collection, or the history before seq, is another one.
func markOf(stored *storage.Collection, seq uint64) (snapshot.Mark, error) {
	changes, err := stored.Changes(seq, 1)
	if err != nil {
		return snapshot.Mark{}, err
	}
	if len(changes) == 0 {
		return snapshot.Mark{}, fmt.Errorf("change %d is not in the log", seq)
	}
	ch := changes[0]
	sum := fnv.New64a()
	b := binary.LittleEndian.AppendUint64(nil, uint64(stored.Config().Created.UnixNano()))
	b = binary.LittleEndian.AppendUint64(b, ch.Seq)
	b = binary.LittleEndian.AppendUint32(b, uint32(ch.Ord))
	b = binary.LittleEndian.AppendUint32(b, uint32(ch.Old))
	_, _ = sum.Write(append(append(b, byte(ch.Op)), ch.ID...)) // it takes everything
	return snapshot.Mark{Seq: seq, Tag: sum.Sum64()}, nil
}

// mark says which changes the index has, at least; the zero Mark before the first.
func (a *applier) mark() (snapshot.Mark, error) {
	seq := a.position()
	if seq == 0 {
		return snapshot.Mark{}, nil
	}
	return markOf(a.stored, seq)
}

// keeper keeps a snapshot of an index.
type keeper struct {
	suffix string
	from   string // what the index is made from
	saved  uint64 // the last change that the snapshot holds
	tried  uint64 // the last change when it was tried to save the index
	size   func() (entries int, bytes int64)
	write  func(ctx context.Context, path string, m snapshot.Mark) error // snapshot.ErrSmall when not worth it
}

func (a *applier) graphKeeper() keeper {
	return keeper{suffix: graphSuffix, from: "vectors",
		size: func() (int, int64) {
			idx := *a.index.Load()
			return idx.Len(), idx.SizeBytes() + diskBytes(idx)
		},
		write: func(ctx context.Context, path string, m snapshot.Mark) error {
			graph, ok := (*a.index.Load()).(*hnsw.Index)
			if !ok {
				return snapshot.ErrSmall
			}
			return graph.WriteSnapshot(ctx, path, m)
		}}
}

func (a *applier) wordsKeeper() keeper {
	return keeper{suffix: wordsSuffix, from: "texts",
		size: func() (int, int64) { return a.words.Len(), a.words.SizeBytes() },
		write: func(ctx context.Context, path string, m snapshot.Mark) error {
			return a.words.WriteSnapshot(ctx, path, m)
		}}
}

func (a *applier) fieldsKeeper() keeper {
	return keeper{suffix: fieldSuffix, from: "documents",
		size: func() (int, int64) { return a.fields.Len(), a.fields.SizeBytes() },
		write: func(ctx context.Context, path string, m snapshot.Mark) error {
			return a.fields.WriteSnapshot(ctx, path, m)
		}}
}

// keepers are those of all snapshots.
func (a *applier) keepers() []*keeper { return []*keeper{&a.vectors, &a.texts, &a.filters} }

// saveIfDue saves the indexes that have taken many changes since the last time.
func (a *applier) saveIfDue(ctx context.Context) {
	for _, k := range a.keepers() {
		entries, _ := k.size()
		if since := a.position() - k.tried; since > saveFrom && since > uint64(entries/saveShare) {
			a.save(ctx, k)
		}
	}
}

// saveLast saves the indexes of a closing collection.
func (a *applier) saveLast() {
	for _, k := range a.keepers() {
		entries, _ := k.size()
		if since := a.position() - k.saved; since > 0 && since*replayShare >= uint64(entries) {
			a.save(context.Background(), k)
		}
	}
}

// save writes a snapshot. Without one the next start takes longer, so that
// errors are only told.
func (a *applier) save(ctx context.Context, k *keeper) {
	if a.maker.snapshots == nil || a.maker.snapshots.readOnly {
		return
	}
	seq := a.position()
	k.tried = seq
	mark, err := markOf(a.stored, seq)
	if err == nil {
		_, bytes := k.size()
		err = a.maker.snapshots.write(a.maker.number, k.suffix, bytes, func(path string) error { return k.write(ctx, path, mark) })
	}
	switch {
	case err == nil:
		k.saved = seq
	case errors.Is(err, snapshot.ErrSmall), errors.Is(err, core.ErrNotFound), errors.Is(err, core.ErrClosed), ctx.Err() != nil:
		// It is small, or it or the follower is on its way out.
	default:
		a.logger.Warn("the snapshot of the index is not written", "of", k.from, "error", err)
	}
}

// write writes a snapshot of about that size, if there is room.
func (s *snapshotFolder) write(number uint32, suffix string, bytes int64, write func(path string) error) error {
	if err := s.room(bytes); err != nil {
		return err
	}
	if err := os.MkdirAll(s.dir, 0o755); err != nil {
		return err
	}
	return write(s.path(number, suffix))
}

// verify compares the snapshot that the index came from with its checksums and
// has the index made anew when it is damaged, then or later.
func (a *applier) verify(ctx context.Context) {
	for again := true; again; {
		graph, ok := (*a.index.Load()).(*hnsw.Index)
		again = ok && a.verifyOne(ctx, graph)
	}
}

// verifyOne watches over an index until another one has been made in its place;
// it returns false when there is none.
func (a *applier) verifyOne(ctx context.Context, graph *hnsw.Index) bool {
	err := graph.Verify(ctx)
	if err == nil {
		select {
		case <-graph.Broken():
			err = errors.New("a part of it can no longer be read")
		case <-ctx.Done():
		}
	}
	if ctx.Err() != nil {
		return false
	}
	a.logger.Error("a file of the index is damaged, the index is made from the vectors", "error", err)
	made := make(chan bool, 1)
	select {
	case a.damaged <- made:
	case <-ctx.Done():
		return false
	}
	select {
	case ok := <-made:
		return ok
	case <-ctx.Done():
		return false
	}
}

// mend makes a damaged index anew from the vectors. Changes that are committed
// meanwhile may be in it before they are taken, which does no harm. It returns
// whether the index was made.
func (a *applier) mend(ctx context.Context) bool {
	idx, err := a.maker.make()
	if err == nil {
		err = a.stored.Snapshot(func(s storage.Snapshot) error {
			f := filler{ctx: ctx, into: sinks{vectors: idx}}
			err := s.Vectors(func(ord core.Ord, v []float32) error { return f.add(entry{ord: ord, doc: &core.Document{Vector: v}}) })
			if err != nil {
				return err
			}
			return f.flush()
		})
	}
	switch {
	case err == nil:
		a.index.Store(&idx)
		a.vectors.saved, a.vectors.tried = 0, 0
	case ctx.Err() == nil:
		a.logger.Error("make a damaged index anew", "error", err)
	}
	return err == nil
}
