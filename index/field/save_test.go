package field_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/vecdb/vecdb/index/field"
	"github.com/vecdb/vecdb/index/snapshot"
	"github.com/vecdb/vecdb/internal/core"
)

// kept returns an index of random documents and the file of its snapshot.
func kept(t testing.TB, rng *rand.Rand) (*field.Index, string, core.Ord) {
	t.Helper()
	x := field.New()
	ord := core.Ord(0)
	for range 1_500 {
		ord += core.Ord(1 + rng.IntN(3))
		fields := map[string]any{"all": rng.IntN(2) == 0}
		for range rng.IntN(4) {
			fields[string(rune('a'+rng.IntN(4)))] = anything(rng, 1)
		}
		x.Insert(ord, &core.Document{ID: fmt.Sprint("d", ord), Text: []string{"", "t"}[rng.IntN(2)], Fields: fields})
		if rng.IntN(10) == 0 {
			x.Delete(core.Ord(rng.IntN(int(ord))))
		}
	}
	path := filepath.Join(t.TempDir(), "0.fields")
	if err := x.WriteSnapshot(t.Context(), path, snapshot.Mark{Seq: 12, Tag: 34}); err != nil {
		t.Fatal(err)
	}
	return x, path, ord
}

func TestASnapshotAnswersAsTheIndexDid(t *testing.T) {
	rng := rand.New(rand.NewPCG(seedOf(t), 17))
	x, path, last := kept(t, rng)
	y, m, err := field.OpenSnapshot(path)
	if err != nil || m != (snapshot.Mark{Seq: 12, Tag: 34}) {
		t.Fatalf("%+v, %v", m, err)
	}
	same(t, rng, x, y)
	for range 800 { // and so they do after the same changes
		ord := core.Ord(rng.IntN(int(last)))
		if rng.IntN(2) == 0 {
			x.Delete(ord)
			y.Delete(ord)
			continue
		}
		doc := &core.Document{ID: fmt.Sprint("d", ord), Fields: map[string]any{"a": anything(rng, 1)}}
		x.Insert(ord, doc)
		y.Insert(ord, doc)
	}
	same(t, rng, x, y)
	for ord := range last + 1 {
		y.Delete(ord)
	}
	if names := y.Names(); y.Len() != 0 || len(names) != 0 {
		t.Errorf("%d documents and the fields %q are left", y.Len(), names)
	}
}

// same asks both for everything that there is.
func same(t *testing.T, rng *rand.Rand, x, y *field.Index) {
	t.Helper()
	names := x.Names()
	if !reflect.DeepEqual(names, y.Names()) || x.Len() != y.Len() {
		t.Fatalf("fields %q and %q, documents %d and %d", names, y.Names(), x.Len(), y.Len())
	}
	conds := []core.Condition{{Field: "text", Op: core.CondExists, Values: []any{true}}, {Field: "id", Op: core.CondExists, Values: []any{true}}}
	for _, name := range names {
		conds = append(conds, core.Condition{Field: name, Op: core.CondExists, Values: []any{true}},
			core.Condition{Field: name, Op: core.CondGeoBox, Values: []any{core.Box{TopLeft: core.Point{Lat: 60, Lon: -100}, BottomRight: core.Point{Lat: -60, Lon: 100}}}})
		for range 20 {
			conds = append(conds, core.Condition{Field: name, Op: core.CondEq, Values: []any{scalar(rng)}},
				core.Condition{Field: name, Op: core.CondGte, Values: []any{scalar(rng)}})
		}
		v, n := x.Facet(name, nil, 10_000)
		w, m := y.Facet(name, nil, 10_000)
		if n != m || !reflect.DeepEqual(v, w) {
			t.Fatalf("facet of %s: %d values and %d", name, n, m)
		}
	}
	for i := range 50 {
		conds = append(conds, core.Condition{Field: "id", Op: core.CondEq, Values: []any{fmt.Sprint("d", 17*i)}})
	}
	for _, cond := range conds {
		a, errA := x.Lookup(cond)
		b, errB := y.Lookup(cond)
		if (errA == nil) != (errB == nil) {
			t.Fatalf("%+v: %v and %v", cond, errA, errB)
		}
		if errA == nil && (a.Len() != b.Len() || a.Overlap(b) != a.Len()) {
			t.Fatalf("%+v: %d documents and %d", cond, a.Len(), b.Len())
		}
	}
}

func TestDamagedSnapshotsAreRefused(t *testing.T) {
	rng := rand.New(rand.NewPCG(seedOf(t), 19))
	_, path, _ := kept(t, rng)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	try := func(data []byte) error {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		_, _, err := field.OpenSnapshot(path)
		return err
	}
	for range 100 {
		data := append([]byte(nil), whole...)
		switch at := rng.IntN(len(data)); rng.IntN(3) {
		case 0:
			data = data[:at]
		default:
			data[at] ^= byte(1 + rng.IntN(255))
		}
		if err := try(data); !errors.Is(err, core.ErrCorrupt) && !errors.Is(err, core.ErrInvalid) {
			t.Fatalf("a damaged snapshot gives %v", err)
		}
		if len(data) < 20 {
			continue
		}
		// With a checksum that holds it may be read, and must not panic.
		body := data[:len(data)-4]
		_ = try(binary.LittleEndian.AppendUint32(body, crc32.Checksum(body, crc32.MakeTable(crc32.Castagnoli))))
	}
	if err := try(whole); err != nil {
		t.Errorf("the whole one: %v", err)
	}
	if err := field.New().WriteSnapshot(t.Context(), path, snapshot.Mark{}); !errors.Is(err, snapshot.ErrSmall) {
		t.Errorf("an empty index: %v", err)
	}
}

// BenchmarkOpen opens the snapshot of 200,000 documents. It reports besides how
// long it takes to insert them, without reading them from the store.
func BenchmarkOpen(b *testing.B) {
	x := field.New()
	docs := make([]*core.Document, 200_000)
	for i := range docs {
		docs[i] = document(i)
	}
	start := time.Now()
	for i, doc := range docs {
		x.Insert(core.Ord(i), doc)
	}
	inserted := time.Since(start).Seconds()
	path := filepath.Join(b.TempDir(), "0.fields")
	if err := x.WriteSnapshot(b.Context(), path, snapshot.Mark{}); err != nil {
		b.Fatal(err)
	}
	defer func() { b.ReportMetric(inserted, "insert-s") }()
	for b.Loop() {
		if _, _, err := field.OpenSnapshot(path); err != nil {
			b.Fatal(err)
		}
	}
}
