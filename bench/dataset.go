package bench

import (
	"context"

	"github.com/vecdb/vecdb"
	"github.com/vecdb/vecdb/index"
	"github.com/vecdb/vecdb/internal/core"
)

// dataset is what the indexes are measured on.
type dataset struct {
	cfg     index.Config
	base    []index.Item
	queries [][]float32
	texts   []string // of the queries, where they have some and the collection a model
}

// load reads the collection and sets the queries apart.
func load(ctx context.Context, col *vecdb.Collection, cfg Config) (*dataset, error) {
	info := col.Info()
	d := &dataset{cfg: index.Config{Dim: info.Dim, Metric: index.Metric(info.Metric)}}
	var texts []string
	err := col.Each(ctx, func(doc *vecdb.Document) error {
		d.base = append(d.base, index.Item{Ord: core.Ord(len(d.base)), Vector: doc.Vector})
		texts = append(texts, doc.Text)
		return nil
	})
	if err != nil {
		return nil, err
	}
	if len(d.base) < minVectors {
		return nil, tooSmall(len(d.base))
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
	out := make(map[int]bool)
	for _, i := range pick(cfg.Seed, min(cfg.Queries, len(d.base)/5), len(d.base)) {
		out[i] = true
		d.queries = append(d.queries, d.base[i].Vector)
		if hasModel && texts[i] != "" {
			d.texts = append(d.texts, texts[i])
		}
	}
	kept := d.base[:0]
	for i, it := range d.base {
		if !out[i] {
			kept = append(kept, it)
		}
	}
	d.base = kept
}
