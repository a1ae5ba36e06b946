package embedtest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/vecdb/vecdb/embedder"
)

// BenchmarkQuery measures single queries of about 12 tokens, alone and beside an
// import of the texts that never ends. They come after such a pause each, or one
// after the other without one; a query that comes while the one before runs counts
// from when that is done.
func BenchmarkQuery(b *testing.B, e embedder.Embedder, texts []string, pause time.Duration) {
	for _, importing := range []bool{false, true} {
		b.Run(map[bool]string{false: "idle", true: "importing"}[importing], func(b *testing.B) {
			ctx, cancel := context.WithCancel(b.Context())
			var wg sync.WaitGroup
			if importing {
				wg.Go(func() {
					for ctx.Err() == nil {
						if _, err := e.Embed(ctx, embedder.Passage, texts); err != nil && !errors.Is(err, context.Canceled) {
							b.Error(err)
						}
					}
				})
			}
			var took []time.Duration
			due := time.Now()
			for b.Loop() {
				if wait := time.Until(due); wait > 0 {
					time.Sleep(wait)
				} else {
					due = time.Now()
				}
				if _, err := e.Embed(ctx, embedder.Query, []string{fmt.Sprintf("which trains run to the city on day %d", len(took))}); err != nil {
					b.Fatal(err)
				}
				took = append(took, time.Since(due))
				due = due.Add(pause)
			}
			cancel()
			wg.Wait()
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
		})
	}
}
