package hnsw

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/vecdb/vecdb/index"
	"github.com/vecdb/vecdb/index/indextest"
	"github.com/vecdb/vecdb/index/snapshot"
	"github.com/vecdb/vecdb/internal/core"
)

var snapshotMark = Mark{Seq: 1234, Tag: 99}

// sample is an index with everything that a snapshot can hold.
type sample struct {
	cfg     index.Config
	o       Options
	vectors [][]float32
	x       *Index
	path    string
}

func newSample(t testing.TB, cfg index.Config, o Options, n int) sample {
	t.Helper()
	rng := rand.New(rand.NewPCG(5, 1))
	s := sample{cfg: cfg, o: o, vectors: indextest.Vectors(rng, n, cfg.Dim), path: filepath.Join(t.TempDir(), "x.hnsw")}
	for i := 0; i < n/10; i++ {
		s.vectors[n-1-i] = s.vectors[i/3] // equal vectors share a vertex
	}
	if cfg.Metric == index.L2 {
		for i := range 5 {
			s.vectors[n/2+i][0] = float32(i+1) * 1e13 // kept beside the graph
		}
	}
	x, err := New(cfg, o)
	if err != nil {
		t.Fatal(err)
	}
	s.x = x
	s.insert(t, x, 0, n)
	for i := 0; i < n/4; i += 2 {
		x.Delete(core.Ord(i))
	}
	s.insert(t, x, 0, 40) // into slots used before
	for i := n / 4; i < n/4+20; i++ {
		x.Delete(core.Ord(i))
	}
	if err := x.WriteSnapshot(context.Background(), s.path, snapshotMark); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s sample) insert(t testing.TB, x *Index, from, to int) {
	t.Helper()
	var items []index.Item
	for i := from; i < to; i++ {
		items = append(items, index.Item{Ord: core.Ord(i), Vector: s.vectors[i%len(s.vectors)]})
	}
	if err := x.Insert(context.Background(), items); err != nil {
		t.Fatal(err)
	}
}

func (s sample) open(t testing.TB) *Index {
	t.Helper()
	x, m, err := OpenSnapshot(s.path, s.cfg, s.o)
	if err != nil {
		t.Fatal(err)
	}
	if m != snapshotMark {
		t.Fatalf("the mark is %v", m)
	}
	return x
}

func sameAnswers(t *testing.T, s sample, a, b *Index) {
	t.Helper()
	if a.Len() != b.Len() {
		t.Fatalf("%d vectors and %d", a.Len(), b.Len())
	}
	rng := rand.New(rand.NewPCG(7, 7))
	some := core.NewSet()
	for i := 0; i < len(s.vectors); i += 3 {
		some.Add(core.Ord(i))
	}
	for i, q := range append(indextest.Vectors(rng, 20, s.cfg.Dim), s.vectors[:20]...) {
		for _, o := range []index.Options{{K: 10}, {K: 50, Ef: 200}, {K: 10, Allow: some}} {
			want, err := a.Search(context.Background(), q, o)
			if err != nil {
				t.Fatal(err)
			}
			got, err := b.Search(context.Background(), q, o)
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, want) {
				t.Fatalf("query %d: %v instead of %v", i, got, want)
			}
		}
	}
}

func kinds() map[string]sample {
	return map[string]sample{
		"cosine":  {cfg: index.Config{Dim: 96}},
		"L2":      {cfg: index.Config{Dim: 70, Metric: index.L2}},
		"dot":     {cfg: index.Config{Dim: 128, Metric: index.Dot}, o: Options{Seed: 3}},
		"compact": {cfg: index.Config{Dim: 96}, o: Options{Compact: true}},
		"disk":    {cfg: index.Config{Dim: 96}, o: Options{Disk: true}},
		"exact":   {cfg: index.Config{Dim: 12, Metric: index.L2}},
	}
}

func TestASnapshotAnswersAsTheIndexDid(t *testing.T) {
	for name, k := range kinds() {
		t.Run(name, func(t *testing.T) {
			s := newSample(t, k.cfg, k.o, 1500)
			x := s.open(t)
			if x.state.Load().graph.sharing.Load() == 0 || x.state.Load().graph.hidden.Load() == 0 ||
				k.cfg.Metric == index.L2 && x.state.Load().flat.Len() == 0 {
				t.Fatal("the sample lacks something")
			}
			sameAnswers(t, s, s.x, x)
			if err := x.Verify(context.Background()); err != nil {
				t.Fatal(err)
			}
			sameAnswers(t, s, s.x, x)
		})
	}
}

func TestAnIndexGoesOnAfterASnapshot(t *testing.T) {
	for name, k := range kinds() {
		t.Run(name, func(t *testing.T) {
			s := newSample(t, k.cfg, k.o, 1500)
			before, err := os.ReadFile(s.path)
			if err != nil {
				t.Fatal(err)
			}
			x := s.open(t)
			s.insert(t, x, 1500, 2500)
			for i := 500; i < 1200; i++ {
				x.Delete(core.Ord(i))
			}
			s.insert(t, x, 2500, 2700)
			after, err := os.ReadFile(s.path)
			if err != nil {
				t.Fatal(err)
			}
			if string(before) != string(after) {
				t.Fatal("changes of the index have changed the file")
			}
			found := 0
			for i := 2000; i < 2100; i++ {
				hits, err := x.Search(context.Background(), s.vectors[i%1500], index.Options{K: 20})
				if err != nil {
					t.Fatal(err)
				}
				for _, h := range hits {
					if h.Ord >= 500 && h.Ord < 1200 {
						t.Fatalf("found %d, which is deleted", h.Ord)
					}
					if int(h.Ord) == i {
						found++
					}
				}
			}
			if found < 95 {
				t.Errorf("found %d of 100 that were inserted", found)
			}
			for range 2 {
				if err := x.WriteSnapshot(context.Background(), s.path, snapshotMark); err != nil {
					t.Fatal(err)
				}
				y := s.open(t)
				sameAnswers(t, s, x, y)
				x = y
			}
		})
	}
}

func TestAnEmptiedGraphComesBack(t *testing.T) {
	s := newSample(t, index.Config{Dim: 16}, Options{ScanBelow: -1}, 400)
	for i := range 400 {
		s.x.Delete(core.Ord(i))
	}
	if err := s.x.WriteSnapshot(context.Background(), s.path, snapshotMark); err != nil {
		t.Fatal(err)
	}
	x := s.open(t)
	sameAnswers(t, s, s.x, x)
	s.insert(t, x, 0, 400)
	if x.Len() != 400 {
		t.Errorf("%d vectors instead of 400", x.Len())
	}
}

func TestInsertingTheSameAgainChangesNothing(t *testing.T) {
	s := newSample(t, index.Config{Dim: 16}, Options{ScanBelow: -1}, 300)
	s.insert(t, s.x, 200, 210)
	s.insert(t, s.x, 200, 210)
	hits, err := s.x.Search(context.Background(), s.vectors[205], index.Options{K: 10})
	if err != nil {
		t.Fatal(err)
	}
	seen := make(map[core.Ord]bool)
	for _, h := range hits {
		if seen[h.Ord] {
			t.Errorf("found %d twice", h.Ord)
		}
		seen[h.Ord] = true
	}
	for i := range 300 {
		s.x.Delete(core.Ord(i))
	}
	if n := s.x.state.Load().graph.vertices(); n != 0 {
		t.Errorf("%d vertices of deleted vectors are left", n)
	}
}

func TestASmallIndexHasNoSnapshot(t *testing.T) {
	x, err := New(index.Config{Dim: 8}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "x")
	if err := x.WriteSnapshot(context.Background(), path, Mark{}); !errors.Is(err, snapshot.ErrSmall) {
		t.Errorf("the error is %v", err)
	}
	if _, _, err := OpenSnapshot(path, index.Config{Dim: 8}, Options{}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the error is %v", err)
	}
}

func TestAFailedWriteLeavesTheOldSnapshot(t *testing.T) {
	s := newSample(t, index.Config{Dim: 16}, Options{ScanBelow: -1}, 300)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := s.x.WriteSnapshot(ctx, s.path, Mark{}); !errors.Is(err, context.Canceled) {
		t.Errorf("the error is %v", err)
	}
	sameAnswers(t, s, s.x, s.open(t))
	// A process that was killed leaves what it has written aside.
	if err := os.WriteFile(s.path+snapshot.Temp, []byte("half of a snapshot"), 0o644); err != nil {
		t.Fatal(err)
	}
	sameAnswers(t, s, s.x, s.open(t))
	if err := s.x.WriteSnapshot(context.Background(), s.path, snapshotMark); err != nil {
		t.Fatal(err)
	}
	sameAnswers(t, s, s.x, s.open(t))
	entries, err := os.ReadDir(filepath.Dir(s.path))
	if err != nil || len(entries) != 1 {
		t.Errorf("the folder holds %v, %v", entries, err)
	}
	if err := os.WriteFile(s.path+snapshot.Temp, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := snapshot.Remove(s.path); err != nil {
		t.Error(err)
	}
	if entries, err = os.ReadDir(filepath.Dir(s.path)); err != nil || len(entries) != 0 {
		t.Errorf("the folder holds %v, %v", entries, err)
	}
}

func TestOtherSettingsAreRefused(t *testing.T) {
	s := newSample(t, index.Config{Dim: 16}, Options{ScanBelow: -1}, 300)
	for _, other := range []sample{
		{cfg: index.Config{Dim: 17}}, {cfg: index.Config{Dim: 16, Metric: index.Dot}},
		{cfg: s.cfg, o: Options{Compact: true}}, {cfg: s.cfg, o: Options{Seed: 1}},
	} {
		if _, _, err := OpenSnapshot(s.path, other.cfg, other.o); !errors.Is(err, core.ErrInvalid) {
			t.Errorf("%v: the error is %v", other, err)
		}
	}
}

// isRefusal reports whether err is what OpenSnapshot may return for a file.
func isRefusal(err error) bool {
	return errors.Is(err, core.ErrCorrupt) || errors.Is(err, core.ErrInvalid)
}

func TestDamageIsFoundOut(t *testing.T) {
	s := newSample(t, index.Config{Dim: 70, Metric: index.L2}, Options{}, 1500)
	good, err := os.ReadFile(s.path)
	if err != nil {
		t.Fatal(err)
	}
	h, err := decodeHeader(good[:headerLen])
	if err != nil {
		t.Fatal(err)
	}
	damage := map[string]func([]byte) []byte{
		"empty":         func([]byte) []byte { return nil },
		"half a header": func(b []byte) []byte { return b[:headerLen/2] },
		"header only":   func(b []byte) []byte { return b[:headerLen] },
		"cut":           func(b []byte) []byte { return b[:len(b)-1] },
		"foreign":       func(b []byte) []byte { return []byte(fmt.Sprintf("%8192d", 1)) },
		"newer": func(b []byte) []byte {
			newer := *h
			newer.Version++
			copy(b, newer.encode())
			return b
		},
	}
	flip := func(at uint64) func([]byte) []byte {
		return func(b []byte) []byte { b[at] ^= 0x10; return b }
	}
	for _, at := range []uint64{0, 8, 40, 100, 300, headerLen - 1} {
		damage[fmt.Sprintf("header at %d", at)] = flip(at)
	}
	for i, sec := range append(h.Sections[:], h.Sums) {
		if sec.Length == 0 {
			t.Fatalf("section %d is empty", i)
		}
		for _, at := range []uint64{0, sec.Length / 2, sec.Length - 1} {
			damage[fmt.Sprintf("section %d at %d", i, at)] = flip(sec.Offset + at)
		}
	}
	for name, change := range damage {
		if err := os.WriteFile(s.path, change(append([]byte(nil), good...)), 0o644); err != nil {
			t.Fatal(err)
		}
		x, _, err := OpenSnapshot(s.path, s.cfg, s.o)
		if err == nil {
			if _, err := x.Search(context.Background(), s.vectors[3], index.Options{K: 10}); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			err = x.Verify(context.Background())
			if again := x.Verify(context.Background()); !errors.Is(again, core.ErrCorrupt) {
				t.Errorf("%s: the second verification ends with %v", name, again)
			}
			if err := x.WriteSnapshot(context.Background(), s.path, Mark{}); !errors.Is(err, core.ErrCorrupt) {
				t.Errorf("%s: the damaged index is written: %v", name, err)
			}
		}
		if !isRefusal(err) {
			t.Errorf("%s: the error is %v", name, err)
		}
	}
}

func TestWritingASnapshotBesideSearchesAndChanges(t *testing.T) {
	s := newSample(t, index.Config{Dim: 32}, Options{ScanBelow: -1}, 600)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range 300 {
			s.insert(t, s.x, 600+i, 601+i)
			s.x.Delete(core.Ord(i), core.Ord(600+i/2))
			if _, err := s.x.Search(context.Background(), s.vectors[i], index.Options{K: 5}); err != nil {
				t.Error(err)
			}
		}
	}()
	for open := true; open; {
		select {
		case <-done:
			open = false
		default:
		}
		if err := s.x.WriteSnapshot(context.Background(), s.path, snapshotMark); err != nil {
			t.Fatal(err)
		}
		s.open(t)
	}
	sameAnswers(t, s, s.x, s.open(t))
}

func TestSectionsThatCannotBeMappedAreRead(t *testing.T) {
	s := newSample(t, index.Config{Dim: 16}, Options{ScanBelow: -1}, 300)
	f, err := os.Open(s.path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	a, err := newArena(1<<20, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	defer a.close()
	blocks := s.x.state.Load().graph.slab.blocks
	if err := a.read(f, sectionAlign, blocks.size()); err != nil || string(a.mem[:a.size()]) != string(blocks.mem[:blocks.size()]) {
		t.Errorf("the blocks are not what was written: %v", err)
	}
	if err := a.read(f, sectionAlign, 1<<20); !errors.Is(err, core.ErrCorrupt) {
		t.Errorf("reading behind the end gives %v", err)
	}
}
