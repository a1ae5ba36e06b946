package lexical

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/vecdb/vecdb/index"
	"github.com/vecdb/vecdb/internal/core"
)

// TestSearchesAgreeWithWritesAroundThem inserts and deletes beside searches: a
// search finds nothing that was deleted before it began, and finds what was
// inserted before.
func TestSearchesAgreeWithWritesAroundThem(t *testing.T) {
	const chunk, kept = 100, 3000
	x := New()
	var below, upTo atomic.Uint32 // deleted below one, inserted below the other
	done := make(chan struct{})
	var searchers sync.WaitGroup
	for worker := range 3 {
		searchers.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-done:
					return
				default:
				}
				last := upTo.Load()
				if last == 0 {
					continue
				}
				low := below.Load()
				q := x.Prepare(fmt.Sprintf("common w%d only%d", (i+worker)%13, last-1))
				hits, err := q.Search(context.Background(), index.Options{K: 20})
				if err != nil {
					t.Error(err)
					return
				}
				// Where few were inserted meanwhile, it is not yet deleted.
				if upTo.Load() < last+kept && (len(hits) == 0 || hits[0].Ord != core.Ord(last-1)) {
					t.Errorf("%d was inserted and is not the first of %v", last-1, hits)
					return
				}
				for _, h := range hits {
					if uint32(h.Ord) < low {
						t.Errorf("%d was deleted and is found", h.Ord)
						return
					}
					q.Explain(h.Ord)
				}
			}
		})
	}
	for next := uint32(0); next < 20_000; next += chunk {
		var items []Item
		for i := range uint32(chunk) {
			items = append(items, Item{Ord: core.Ord(next + i), Text: fmt.Sprintf("common w%d w%d only%d", i%13, i%7, next+i)})
		}
		if err := x.Insert(context.Background(), items); err != nil {
			t.Fatal(err)
		}
		upTo.Store(next + chunk)
		if next > kept {
			for ord := next - kept - chunk; ord < next-kept; ord++ {
				x.Delete(core.Ord(ord))
			}
			below.Store(next - kept)
		}
	}
	close(done)
	searchers.Wait()
	if x.Len() != kept+chunk {
		t.Errorf("%d documents are left", x.Len())
	}
}

func TestALongQueryIsReadFromItsBeginning(t *testing.T) {
	x := New()
	if err := x.Insert(context.Background(), []Item{{Ord: 1, Text: "alpha"}, {Ord: 2, Text: "omega"}, {Ord: 3, Text: "中"}}); err != nil {
		t.Fatal(err)
	}
	for before, want := range map[string][]core.Ord{
		"": {1, 2, 3},
		strings.Repeat("word ", MaxQueryBytes/5-3):          {1, 2, 3},
		strings.Repeat("word ", MaxQueryBytes/5-3) + "abc ": {1, 2}, // the character is cut
		strings.Repeat("word ", 3<<20/5):                    {1},
	} {
		got, err := x.Prepare("alpha "+before+"omega 中").Search(context.Background(), index.Options{K: 9})
		if err != nil {
			t.Fatal(err)
		}
		var ords []core.Ord
		for _, n := range got {
			ords = append(ords, n.Ord)
		}
		if slices.Sort(ords); !slices.Equal(ords, want) {
			t.Errorf("behind %d bytes: %v, want %v", len(before), ords, want)
		}
	}
}
