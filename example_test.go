package vecdb_test

import (
	"context"
	"fmt"
	"log"

	"github.com/vecdb/vecdb"
)

// The model that is used when OpenModel is left out is fetched once with
// `vecdb model pull`.
func Example() {
	ctx := context.Background()
	db, err := vecdb.Open("", withHash(vecdb.Options{InMemory: true})) // or a directory, and vecdb.Options{}
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()

	films, _, err := db.CreateCollection(ctx, "films", vecdb.CollectionOptions{Language: "en"})
	if err != nil {
		log.Fatal(err)
	}
	_, err = films.Upsert(ctx, []vecdb.Document{
		{ID: "a1", Text: "a father looks for his son", Fields: map[string]any{"label": "drama", "year": int64(1999)}},
		{ID: "b2", Text: "two cooks open a restaurant", Fields: map[string]any{"label": "comedy", "year": int64(2004)}},
		{ID: "c3", Text: "a son follows his father to sea", Fields: map[string]any{"label": "drama", "year": int64(2011)}},
	}, vecdb.WaitIndexed)
	if err != nil {
		log.Fatal(err)
	}

	found, err := films.Search(ctx, vecdb.Request{
		Text:   "father and son",
		Limit:  1,
		Filter: &vecdb.Filter{Field: "year", Gte: int64(2000)},
	})
	if err != nil {
		log.Fatal(err)
	}
	for _, hit := range found.Hits {
		fmt.Println(hit.ID, hit.Document.Text)
	}

	labels, err := films.Classify(ctx, vecdb.ClassifyRequest{Texts: []string{"a son and his father"}})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(*labels.Results[0].Label)
	// Output:
	// c3 a son follows his father to sea
	// drama
}
