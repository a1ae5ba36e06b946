package vecdb_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/vecdb/vecdb"
)

// BenchmarkRecommendToAUser asks for users of a collection of 5,000 documents and
// 100,000 events, most of them with few popular documents.
func BenchmarkRecommendToAUser(b *testing.B) {
	const documents, users, events = 5_000, 5_000, 100_000
	db := open(b, b.TempDir(), vecdb.Options{})
	c := collection(b, db, "shelf", vecdb.CollectionOptions{Model: vecdb.NoModel, Dim: 384})
	rng := rand.New(rand.NewPCG(1, 1))
	var docs []vecdb.Document
	for i := range documents {
		v := make([]float32, 384)
		for k := range v {
			v[k] = float32(rng.NormFloat64())
		}
		docs = append(docs, vecdb.Document{ID: fmt.Sprint(i), Vector: v})
	}
	if _, err := c.Upsert(b.Context(), docs, vecdb.WaitIndexed); err != nil {
		b.Fatal(err)
	}
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	var list []vecdb.Event
	for range events {
		at = at.Add(time.Second)
		item := int(float64(documents) * math.Pow(rng.Float64(), 3))
		list = append(list, vecdb.Event{User: fmt.Sprint(rng.IntN(users)), Item: fmt.Sprint(item), Action: "like", Time: at})
	}
	if _, err := c.AddEvents(b.Context(), list, vecdb.WaitTrained); err != nil {
		b.Fatal(err)
	}
	b.Logf("learnt in %.1f s", c.Stats().Behavior.Model.Took)
	for b.Loop() {
		if _, err := c.Recommend(b.Context(), vecdb.Request{User: fmt.Sprint(rng.IntN(users)), Limit: 10}); err != nil {
			b.Fatal(err)
		}
	}
}
