package lexical

import (
	"context"
	"fmt"
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
