package bench

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/vecdb/vecdb"
	"github.com/vecdb/vecdb/query"
)

// world makes up documents, events and queries. Words are drawn by Zipf's law,
// most of them from one of the topics, so that documents of a topic are near
// each other; users like the documents of a few topics.
type world struct {
	seed   uint64
	events []vecdb.Event
	asked  *rand.Rand
}

const (
	worldTopics    = 50
	worldWords     = 2_000 // of each topic, and common ones
	worldUserLikes = 50
	shareSteps     = 10_000 // of the field "share", by which filters choose
)

func newWorld(c EngineConfig) *world {
	w := &world{seed: c.Seed, asked: rand.New(rand.NewPCG(c.Seed, 2))}
	rng := rand.New(rand.NewPCG(c.Seed, 3))
	items := min(c.Documents, 10_000)
	begin := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := range c.Events {
		user := i / worldUserLikes
		// A document has the topic of its number.
		topic := (user*7 + rng.IntN(3)) % worldTopics
		item := (int(float64(items/worldTopics+1)*rng.Float64()*rng.Float64())*worldTopics + topic) % items
		w.events = append(w.events, vecdb.Event{User: fmt.Sprint("u", user), Item: itemID(item), Action: "like", Time: begin.Add(time.Duration(i) * time.Second)})
	}
	return w
}

func itemID(i int) string { return fmt.Sprintf("d%07d", i) }

// text returns n words about a topic.
func text(rng *rand.Rand, zipf *rand.Zipf, topic, n int) string {
	words := make([]string, n)
	for i := range words {
		of := topic
		if rng.IntN(10) < 3 {
			of = worldTopics // common ones
		}
		words[i] = fmt.Sprintf("w%dx%d", of, zipf.Uint64())
	}
	return strings.Join(words, " ")
}

// documents returns n documents from a number on.
func (w *world) documents(from, n int) []vecdb.Document {
	rng := rand.New(rand.NewPCG(w.seed, uint64(from)+10))
	zipf := rand.NewZipf(rng, 1.1, 4, worldWords-1)
	begin := time.Date(2015, 1, 1, 0, 0, 0, 0, time.UTC)
	docs := make([]vecdb.Document, n)
	for i := range docs {
		topic := (from + i) % worldTopics
		docs[i] = vecdb.Document{ID: itemID(from + i), Text: text(rng, zipf, topic, 8+rng.IntN(16)), Fields: map[string]any{
			"label": fmt.Sprint("label-", topic%10),
			"share": int64(rng.IntN(shareSteps)),
			"name":  fmt.Sprint("name of ", from+i),
			"price": float64(rng.IntN(100_000)) / 100,
			"day":   begin.AddDate(0, 0, rng.IntN(3650)).Format(time.DateOnly),
		}}
	}
	return docs
}

// operations lists what is measured.
func operations(col *vecdb.Collection, w *world) []operation {
	zipf := rand.NewZipf(w.asked, 1.1, 4, worldWords-1)
	var texts []string
	ask := func(i int) string {
		for len(texts) <= i {
			texts = append(texts, text(w.asked, zipf, w.asked.IntN(worldTopics), 6))
		}
		return texts[i]
	}
	search := func(name, against string, share float64, r vecdb.Request) operation {
		return operation{name, against, share, func(ctx context.Context, i int) (query.Took, error) {
			r := r
			r.Text = ask(i)
			out, err := col.Search(ctx, r)
			return out.Took, err
		}}
	}
	facet := func(name string, r query.FacetRequest) operation {
		return operation{name: name, ask: func(ctx context.Context, _ int) (query.Took, error) {
			out, err := col.Facet(ctx, r)
			return out.Took, err
		}}
	}
	half := &query.Filter{Field: "share", Lt: shareSteps / 2}
	list := []operation{
		search("dense", "", 0, vecdb.Request{Mode: query.Dense}),
		search("lexical", "dense", 0, vecdb.Request{Mode: query.Lexical}),
		search("hybrid", "dense", 0, vecdb.Request{Mode: query.Hybrid}),
	}
	for _, share := range []float64{1, 0.5, 0.1, 0.01, 0.001, 0.0001} {
		below := &query.Filter{Field: "share", Lt: int(share * shareSteps)}
		list = append(list, search(fmt.Sprintf("dense, filter %g %%", share*100), "dense", share, vecdb.Request{Mode: query.Dense, Filter: below}))
	}
	return append(list,
		search("dense, sort by a field", "dense", 0, vecdb.Request{Mode: query.Dense, Sort: []query.SortKey{{Field: "day", Order: query.Descending}}}),
		search("dense, group by a field", "dense", 0, vecdb.Request{Mode: query.Dense, GroupBy: "label", Limit: 5}),
		search("dense, facet of the hits", "dense", 0, vecdb.Request{Mode: query.Dense, Facets: []query.FacetRequest{{Field: "label"}}}),
		operation{name: "recommend to a user", ask: func(ctx context.Context, i int) (query.Took, error) {
			out, err := col.Recommend(ctx, vecdb.Request{User: w.events[i*worldUserLikes%len(w.events)].User})
			return out.Took, err
		}},
		operation{name: "classify", ask: func(ctx context.Context, i int) (query.Took, error) {
			out, err := col.Classify(ctx, vecdb.ClassifyRequest{Request: vecdb.Request{Text: ask(i)}})
			return out.Took, err
		}},
		facet("facet, 10 values", query.FacetRequest{Field: "label"}),
		facet("facet, 10 values, filter 50 %", query.FacetRequest{Field: "label", Filter: half}),
		facet("facet, a value a document", query.FacetRequest{Field: "name"}),
		facet("facet, a value a document, filter 50 %", query.FacetRequest{Field: "name", Filter: half}),
		facet("facet, days by month", query.FacetRequest{Field: "day", Interval: "month"}),
		operation{name: "list, sorted by a field", ask: func(ctx context.Context, _ int) (query.Took, error) {
			out, err := col.ListBy(ctx, query.ListRequest{Sort: []query.SortKey{{Field: "price"}}, Limit: 20})
			return out.Took, err
		}},
	)
}
