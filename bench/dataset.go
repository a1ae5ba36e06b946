package bench

import (
	"context"

	"github.com/vecdb/vecdb"
	"github.com/vecdb/vecdb/bench/vectors"
	"github.com/vecdb/vecdb/index"
	"github.com/vecdb/vecdb/internal/core"
)

// dataset is what the indexes are measured on. The ordinal of a vector is its
// row in base.
type dataset struct {
	cfg     index.Config
	k       int // neighbours that are asked for
	base    *vectors.Matrix
	queries [][]float32
	texts   []string // of the queries, where they have some and the collection a model
}

// items returns the rows from one up to another as they are inserted.
func (d *dataset) items(from, to int) []index.Item {
	out := make([]index.Item, 0, to-from)
	for i := from; i < to; i++ {
		out = append(out, index.Item{Ord: core.Ord(i), Vector: d.base.Row(i)})
	}
	return out
}

// load reads the collection and sets the queries apart.
func load(ctx context.Context, col *vecdb.Collection, cfg Config) (*dataset, error) {
	info := col.Info()
	d := &dataset{k: cfg.K, cfg: index.Config{Dim: info.Dim, Metric: index.Metric(info.Metric)}, base: &vectors.Matrix{Dim: info.Dim}}
	var texts []string
	err := col.Each(ctx, func(doc *vecdb.Document) error {
		d.base.Data = append(d.base.Data, doc.Vector...)
		texts = append(texts, doc.Text)
		return nil
	})
	if err != nil {
		return nil, err
	}
	if have := len(texts); have < minVectors {
		return nil, core.Invalid("", "add more documents", "the collection has %d documents; a measurement needs at least %d", have, minVectors)
	}
	if len(cfg.Texts) > 0 {
		d.texts = cfg.Texts
		d.queries, err = col.EmbedQueries(ctx, cfg.Texts)
		return d, err
	}
	d.holdOut(texts, info.Model != "", cfg)
	return d, nil
}

// holdOut moves randomly picked documents from the base to the queries.
func (d *dataset) holdOut(texts []string, hasModel bool, cfg Config) {
	total := d.base.Len()
	out := make(map[int]bool)
	for _, i := range pick(cfg.Seed, min(cfg.Queries, total/5), total) {
		out[i] = true
		d.queries = append(d.queries, append([]float32(nil), d.base.Row(i)...))
		if hasModel && texts[i] != "" {
			d.texts = append(d.texts, texts[i])
		}
	}
	kept := d.base.Data[:0]
	for i := range total {
		if !out[i] {
			kept = append(kept, d.base.Row(i)...)
		}
	}
	d.base.Data = kept
}
