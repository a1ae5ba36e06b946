package bench

import (
	"context"
	"time"

	"github.com/vecdb/vecdb"
)

// stages runs whole queries on the collection, one after the other, and
// returns the percentiles of each stage's time.
func stages(ctx context.Context, col *vecdb.Collection, texts []string, k int) ([]Stage, error) {
	names := []string{"tokenize", "embed", "search", "fetch", "total"}
	times := make([][]time.Duration, len(names))
	warm := min(20, len(texts))
	for i, text := range append(texts[:warm:warm], texts...) {
		r, err := col.Search(ctx, vecdb.Request{Text: text, Limit: k})
		if err != nil {
			return nil, err
		}
		if i < warm {
			continue
		}
		for s, ms := range []float64{r.Took.Tokenize, r.Took.Embed, r.Took.Search, r.Took.Fetch, r.Took.Total} {
			times[s] = append(times[s], time.Duration(ms*float64(time.Millisecond)))
		}
	}
	out := make([]Stage, len(names))
	for s, name := range names {
		t := percentiles(times[s])
		out[s] = Stage{Name: name, P50: t.p50, P95: t.p95, P99: t.p99}
	}
	return out, nil
}
