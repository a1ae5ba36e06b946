package main

import (
	"context"
	"strconv"

	chromemgo "github.com/philippgille/chromem-go"
)

// chromem is chromem-go, which compares a query with every vector.
type chromem struct{ *chromemgo.Collection }

func newChromem() (*chromem, error) {
	c, err := chromemgo.NewDB().CreateCollection("bench", nil, nil)
	return &chromem{c}, err
}

func (c *chromem) about() (string, map[string]any, []setting) {
	return "chromem-go " + versionOf("github.com/philippgille/chromem-go"), map[string]any{}, []setting{{}}
}

func (c *chromem) add(id int, vector []float32) error {
	return c.AddDocument(context.Background(), chromemgo.Document{ID: strconv.Itoa(id), Embedding: vector})
}

func (c *chromem) prepare(setting) error { return nil }

func (c *chromem) search(query []float32, allowed *filter) ([]int64, error) {
	if allowed != nil {
		return nil, errUnsupported
	}
	found, err := c.QueryEmbedding(context.Background(), query, atK, nil, nil)
	ids := make([]int64, len(found))
	for i, doc := range found {
		n, err := strconv.ParseInt(doc.ID, 10, 64)
		if err != nil {
			return nil, err
		}
		ids[i] = n
	}
	return ids, err
}
