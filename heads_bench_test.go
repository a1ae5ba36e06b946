package vecdb_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/vecdb/vecdb"
)

// BenchmarkClassify labels a text by a head over 10,000 documents with ten
// labels, with 20 neighbors as reasons. It reports the median without the
// embedding, which is a hash here.
func BenchmarkClassify(b *testing.B) {
	db := open(b, b.TempDir(), vecdb.Options{})
	c := collection(b, db, "texts", vecdb.CollectionOptions{})
	rng := rand.New(rand.NewPCG(1, 1))
	text := func() (string, int) {
		var words []string
		label := rng.IntN(10)
		for range 20 {
			words = append(words, fmt.Sprint("w", rng.IntN(2000)))
		}
		return strings.Join(append(words, fmt.Sprint("topic", 10*label+rng.IntN(10))), " "), label
	}
	var docs []vecdb.Document
	for i := range 10_000 {
		words, label := text()
		docs = append(docs, vecdb.Document{ID: fmt.Sprint(i), Text: words, Fields: map[string]any{"label": fmt.Sprint("l", label)}})
	}
	if err := errorOf(c.Upsert(b.Context(), docs, vecdb.WaitTrained)); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(learnt(b, c, "label").Info.Took, "train-s")
	var took []float64
	for b.Loop() {
		words, _ := text()
		r, err := c.Classify(b.Context(), vecdb.ClassifyRequest{Request: vecdb.Request{Text: words}})
		if err != nil {
			b.Fatal(err)
		}
		took = append(took, r.Took.Search+r.Took.Fetch)
	}
	slices.Sort(took)
	b.ReportMetric(took[len(took)/2], "p50-ms")
	b.ReportMetric(took[len(took)*95/100], "p95-ms")
}
