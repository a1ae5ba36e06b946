package bench

import (
	"context"
	"time"

	"github.com/vecdb/vecdb"
)

// stages runs whole queries on the collection, one after the other, and
// returns the percentiles of each stage's time.
func stages(ctx context.Context, col *vecdb.Collection, texts []string) ([]Stage, error) {
	names := []string{"tokenize", "embed", "search", "fetch", "total"}
	times := make([][]time.Duration, len(names))
	warm := min(20, len(texts))
	for i, text := range append(texts[:warm:warm], texts...) {
		r, err := col.Search(ctx, vecdb.Request{Text: text, Limit: atK})
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
		out[s].Name = name
		out[s].P50, out[s].P95, out[s].P99 = percentiles(times[s])
	}
	return out, nil
}
