package lexical

import (
	"context"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/vecdb/vecdb/index"
	"github.com/vecdb/vecdb/index/snapshot"
	"github.com/vecdb/vecdb/internal/core"
)

var mark = snapshot.Mark{Seq: 12, Tag: 1 << 63}

// filled returns an index with its twin, after some deletions.
func filled(t testing.TB, rng *rand.Rand, n int) (*Index, shadow) {
	t.Helper()
	x, s := New(), shadow{}
	for i := range n {
		ord := core.Ord(i * 7)
		s[ord] = sample(rng, rng.IntN(20))
		if err := x.Insert(context.Background(), []Item{{Ord: ord, Text: s[ord]}}); err != nil {
			t.Fatal(err)
		}
	}
	for ord := range s {
		if rng.IntN(4) == 0 {
			x.Delete(ord)
			delete(s, ord)
		}
	}
	return x, s
}

func written(t testing.TB, x *Index) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "words")
	if err := x.write(context.Background(), path, mark); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestASnapshotHoldsTheIndex(t *testing.T) {
	rng := seeded(t)
	x, s := filled(t, rng, 1500)
	path := filepath.Join(t.TempDir(), "words")
	if err := x.WriteSnapshot(context.Background(), path, mark); err != nil {
		t.Fatal(err)
	}
	y, m, err := OpenSnapshot(context.Background(), path)
	if err != nil || m != mark || y.Len() != x.Len() {
		t.Fatalf("opened with %d documents of %d, mark %v, error %v", y.Len(), x.Len(), m, err)
	}
	compare(t, rng, y, s)
	for ord, text := range s {
		if !y.Holds(ord, text) || y.Holds(ord, text+" more") || y.Holds(ord+1, "other words") {
			t.Fatalf("ordinal %d does not hold %q only", ord, text)
		}
	}
	for i := range 500 { // it can be gone on with
		ord := core.Ord(20_000 + i)
		s[ord] = sample(rng, 10)
		if err := y.Insert(context.Background(), []Item{{Ord: ord, Text: s[ord]}}); err != nil {
			t.Fatal(err)
		}
		y.Delete(core.Ord(i * 7))
		delete(s, core.Ord(i*7))
	}
	compare(t, rng, y, s)
}

func TestADamagedSnapshotIsRefused(t *testing.T) {
	rng := seeded(t)
	x, _ := filled(t, rng, 50)
	path := written(t, x)
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	refused := func(what string, data []byte) {
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
		if _, _, err := OpenSnapshot(context.Background(), path); !errors.Is(err, core.ErrCorrupt) {
			t.Errorf("%s: got %v", what, err)
		}
	}
	for range 200 {
		bad := append([]byte(nil), good...)
		bad[rng.IntN(len(bad))] ^= 1 << rng.IntN(8)
		refused("a flipped bit", bad)
	}
	for _, n := range []int{0, 3, 11, len(good) / 2, len(good) - 1} {
		refused("cut short", good[:n])
	}
	if _, _, err := OpenSnapshot(context.Background(), path+"x"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a missing file gives %v", err)
	}
}

// FuzzOpenSnapshot opens files with checksums that hold and any content, and
// uses what opens.
func FuzzOpenSnapshot(f *testing.F) {
	x, _ := filled(f, rand.New(rand.NewPCG(1, 1)), 20)
	path := written(f, x)
	good, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good[:len(good)-snapshot.SumBytes])
	f.Add([]byte(fileMagic + "\x01\x01\x01\x01\x01w\x01\x00\x01\x02\x00\x01"))
	f.Fuzz(func(t *testing.T, data []byte) {
		data = binary.LittleEndian.AppendUint32(data, crc32.Checksum(data, snapshot.Castagnoli))
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
		x, _, err := OpenSnapshot(context.Background(), path)
		if err != nil {
			return
		}
		if _, err := x.Prepare("w1 w2 中").Search(context.Background(), index.Options{K: 3}); err != nil {
			t.Fatal(err)
		}
		for ord := range core.Ord(100) {
			x.Delete(ord)
		}
		written(t, x)
	})
}
