package server

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/vecdb/vecdb"
	"github.com/vecdb/vecdb/embedder"
)

// modelFigures tells what the open models have done, when it is asked for.
type modelFigures struct{ db *vecdb.DB }

var (
	modelInfoDesc = prometheus.NewDesc("vecdb_model_info", "Models in memory and what computes them; always 1.", []string{"model", "precision", "runtime"}, nil)
	textsDesc     = prometheus.NewDesc("vecdb_embedded_texts_total", "Texts that a model has embedded since the start.", []string{"model", "precision"}, nil)
	tokensDesc    = prometheus.NewDesc("vecdb_embedded_tokens_total", "Tokens that a model has embedded since the start.", []string{"model", "precision"}, nil)
	batchesDesc   = prometheus.NewDesc("vecdb_embed_batches_total", "Batches that a model has run since the start.", []string{"model", "precision"}, nil)
	fillDesc      = prometheus.NewDesc("vecdb_embed_batch_fill", "Texts of a batch as a share of the most that one holds, on average since the start.", []string{"model", "precision"}, nil)
	queueDesc     = prometheus.NewDesc("vecdb_embed_queue", "Texts that wait for a model.", []string{"model", "precision", "lane"}, nil)
	waitDesc      = prometheus.NewDesc("vecdb_embed_wait_seconds", "Time that texts have waited for a model.", []string{"model", "precision", "lane"}, nil)
)

// Describe implements prometheus.Collector.
func (modelFigures) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{modelInfoDesc, textsDesc, tokensDesc, batchesDesc, fillDesc, queueDesc, waitDesc} {
		to <- d
	}
}

// Collect implements prometheus.Collector.
func (f modelFigures) Collect(to chan<- prometheus.Metric) {
	for _, m := range f.db.OpenModels() {
		to <- prometheus.MustNewConstMetric(modelInfoDesc, prometheus.GaugeValue, 1, m.Name, m.Precision, m.Runtime)
		to <- prometheus.MustNewConstMetric(textsDesc, prometheus.CounterValue, float64(m.Texts), m.Name, m.Precision)
		to <- prometheus.MustNewConstMetric(tokensDesc, prometheus.CounterValue, float64(m.Tokens), m.Name, m.Precision)
		to <- prometheus.MustNewConstMetric(batchesDesc, prometheus.CounterValue, float64(m.Batches), m.Name, m.Precision)
		to <- prometheus.MustNewConstMetric(fillDesc, prometheus.GaugeValue, m.Fill, m.Name, m.Precision)
		for kind, lane := range map[embedder.Kind]string{embedder.Query: "queries", embedder.Passage: "passages"} {
			l := m.Lanes[kind]
			to <- prometheus.MustNewConstMetric(queueDesc, prometheus.GaugeValue, float64(l.Queued), m.Name, m.Precision, lane)
			below, all := map[float64]uint64{}, uint64(0)
			for i, n := range l.Waits.Counts {
				if all += uint64(n); i < len(embedder.WaitBounds) {
					below[embedder.WaitBounds[i]] = all
				}
			}
			to <- prometheus.MustNewConstHistogram(waitDesc, all, l.Waits.Seconds, below, m.Name, m.Precision, lane)
		}
	}
}
