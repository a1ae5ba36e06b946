//go:build unix

package hnsw

import (
	"errors"
	"os"
	"testing"

	"github.com/vecdb/vecdb/index"
	"github.com/vecdb/vecdb/internal/core"
)

// TestAFileThatIsCutUnderAnIndex cuts the file of a snapshot while its parts are
// mapped. Every way to use the index must answer or return an error.
func TestAFileThatIsCutUnderAnIndex(t *testing.T) {
	for name, k := range kinds() {
		for _, left := range []int64{headerLen, 300 << 10} {
			s := newSample(t, k.cfg, k.o, 1500)
			x := s.open(t)
			if err := os.Truncate(s.path, left); err != nil {
				t.Fatal(err)
			}
			failed := 0
			tell := func(what string, err error) {
				if err != nil && !errors.Is(err, core.ErrCorrupt) {
					t.Errorf("%s, %d bytes left: %s: %v", name, left, what, err)
				}
				if err != nil {
					failed++
				}
			}
			for _, q := range s.vectors[:50] {
				for _, o := range []index.Options{{K: 10}, {K: 700}, {K: 3, Allow: core.NewSet(1, 2, 700, 800)}} {
					_, err := x.Search(t.Context(), q, o)
					tell("search", err)
				}
			}
			if failed == 0 {
				t.Errorf("%s, %d bytes left: every search found what it wanted", name, left)
			}
			select {
			case <-x.Broken():
			default:
				t.Errorf("%s, %d bytes left: the index does not know that it is broken", name, left)
			}
			var items []index.Item
			for i, v := range s.vectors[:100] {
				items = append(items, index.Item{Ord: core.Ord(9000 + i), Vector: v})
			}
			tell("insert", x.Insert(t.Context(), items))
			x.Delete(s.ordsFrom(400, 1400)...)
			x.Probes(20, 1)
			tell("check", x.Check(t.Context(), func(string) {}))
			if err := x.WriteSnapshot(t.Context(), s.path+"2", Mark{}); !errors.Is(err, core.ErrCorrupt) {
				t.Errorf("%s, %d bytes left: a snapshot of it is written: %v", name, left, err)
			}
		}
	}
}

func (s sample) ordsFrom(from, to core.Ord) (out []core.Ord) {
	for ord := from; ord < to; ord++ {
		out = append(out, ord)
	}
	return out
}
